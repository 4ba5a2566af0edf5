import { caseOf, type Cases, floats, scalar } from './case'

/** Uses of products of matrices. */
export const products = {
  MatMul: [
    caseOf([floats('n', 3), floats(3, 5)], 'float32[n, 5]'),
    caseOf([floats('n', 4, 'm', 3), floats('n', 4, 3, 'm')], 'float32[n, 4, m, m]'),
    caseOf([floats('n', 1, 2, 3), floats(5, 3, 2)], 'float32[n, 5, 2, 2]'),
  ],
  Gemm: [
    caseOf([floats('n', 3), floats(3, 5)], 'float32[n, 5]'),
    caseOf([floats('n', 3), floats(5, 3), floats(5)], 'float32[n, 5]', { transB: 1 }),
    caseOf([floats(3, 'n'), floats(3, 5), floats('n', 1)], 'float32[n, 5]', { transA: 1, alpha: 0.5, beta: 2 }),
    caseOf([floats(3, 'n'), floats(5, 3), scalar(2)], 'float32[n, 5]', { transA: 1, transB: 1, alpha: 0.1 }),
  ],
} satisfies Cases
