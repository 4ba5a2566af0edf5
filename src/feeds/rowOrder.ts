import { Tensor } from '../tensor'

/** Rows in another order: row i of the result is row `order[i]`. */
export function inOrder<T extends Tensor>(tensor: T, order: Int32Array): T {
  const width = tensor.size / Math.max(1, order.length)
  const data = tensor.data.slice()
  order.forEach((row, i) => data.set(tensor.data.subarray(row * width, (row + 1) * width) as never, i * width))
  return new Tensor(tensor.dtype, data as never, tensor.dims) as T
}

/** The reverse of {@link inOrder}. */
export function outOfOrder<T extends Tensor>(tensor: T, order: Int32Array): T {
  return inOrder(tensor, inverseOf(order))
}

/** Where each row stands in an order. */
export function inverseOf(order: Int32Array): Int32Array {
  const inverse = new Int32Array(order.length)
  order.forEach((row, i) => (inverse[row] = i))
  return inverse
}
