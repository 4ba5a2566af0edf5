import type { Value } from '../onnx/types'
import { einsum } from './einsum'
import { type Factor, product } from './fusedProducts'
import type { LoweringTable } from './Lowering'

/** Products of matrices. */
export const products: LoweringTable = {
  MatMul: {
    how: 'as it is; a vector as a matrix of one row or column',
    lower: ({ graph, input }) => product(graph, unturned(input(0)), unturned(input(1)), 1),
  },
  Einsum: { how: 'Transpose, MatMul of two operands at a time, ReduceSum; Where along diagonals', lower: einsum },
}

function unturned(value: Value): Factor {
  return { value, flipped: false, batchLast: false }
}
