import type { Value } from '../onnx/types'
import { einsum } from './einsum'
import type { LoweringTable, Site } from './Lowering'

/** Products of matrices. */
export const products: LoweringTable = {
  MatMul: { how: 'as it is; a vector as a matrix of one row or column', lower: matMul },
  Einsum: { how: 'Transpose, MatMul of two operands at a time, ReduceSum; Where along diagonals', lower: einsum },
}

function matMul({ graph: g, input }: Site): Value {
  const [a, b] = [input(0), input(1)]
  const [row, column] = [a.shape.length === 1, b.shape.length === 1]
  const product = g.matMul(row ? g.unsqueeze(a, [0]) : a, column ? g.unsqueeze(b, [1]) : b)
  const gone = [...(row ? [product.shape.length - 2] : []), ...(column ? [product.shape.length - 1] : [])]
  return gone.length === 0 ? product : g.squeeze(product, gone)
}
