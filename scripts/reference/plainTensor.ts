import { createData, type DataType, Tensor } from '../../src/tensor'

/** A tensor as the oracle's files have it. */
export interface Plain {
  readonly shape: number[]
  readonly dtype: string
  readonly data: number[]
}

/** The tensor, in its own type unless another is given. */
export function tensorOf({ shape, dtype, data }: Plain, type: DataType = dtype as DataType): Tensor {
  const values = createData(type, data.length)
  const isBig = values instanceof BigInt64Array || values instanceof BigUint64Array
  data.forEach((value, i) => (values[i] = (isBig ? BigInt(value) : value) as never))
  return new Tensor(type, values as never, shape)
}

export function plainOf({ dims, dtype, data }: Tensor): Plain {
  return { shape: [...dims], dtype, data: Array.from(data as ArrayLike<number>, Number) }
}
