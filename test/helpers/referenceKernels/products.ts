import { common, type Dense, dense, stretch, transpose } from './dense'
import type { Kernels } from './Kernel'

function matMul(a: Dense, b: Dense): Dense {
  const m = a.dims.at(-2)!
  const k = a.dims.at(-1)!
  const n = b.dims.at(-1)!
  const batch = common(a.dims.slice(0, -2), b.dims.slice(0, -2))
  const x = stretch(a, [...batch, m, k])
  const y = stretch(b, [...batch, k, n])
  return dense(a.dtype, [...batch, m, n], i => {
    const row = Math.floor(i / n)
    const column = i % n
    const from = Math.floor(row / m) * k * n + column
    let sum = 0
    for (let j = 0; j < k; j++) sum += x.data[row * k + j]! * y.data[from + j * n]!
    return sum
  })
}

/** Kernels of products of matrices. */
export const products = {
  MatMul: ({ inputs: [a, b] }) => [matMul(a!, b!)],
  Gemm: ({ inputs: [a, b, c], attributes: { alpha = 1, beta = 1, transA, transB } }) => {
    const product = matMul(transA ? transpose(a!, [1, 0]) : a!, transB ? transpose(b!, [1, 0]) : b!)
    const added = c && stretch(c, product.dims)
    return [
      dense(
        product.dtype,
        product.dims,
        i => alpha * product.data[i]! + (added === undefined ? 0 : beta * added.data[i]!),
      ),
    ]
  },
} satisfies Kernels
