import { TrainerError } from '../errors'
import { reshapedTo } from '../autodiff/shapes'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { activated } from './activation'
import type { LoweringTable, Site } from './Lowering'

/** Products of matrices with what was fused into them. */
export const fusedProducts: LoweringTable = {
  'com.microsoft.FusedMatMul': { how: 'α A′ B′: Gemm, or MatMul of transposed operands', lower: fusedMatMul },
  'com.microsoft.TransposeMatMul': { how: 'FusedMatMul', lower: fusedMatMul },
  'com.microsoft.FusedGemm': {
    how: 'Gemm, then the activation',
    carries: [0, 1, 2],
    lower: site => {
      const { graph: g, input, inputs, attributes } = site
      const [transA, transB] = [attributes.int('transA', 0), attributes.int('transB', 0)]
      const [alpha, beta] = [attributes.float('alpha', 1), attributes.float('beta', 1)]
      return activated(site, g.gemm(input(0), input(1), inputs[2], { alpha, beta, transA, transB }))
    },
  },
}

/** An operand of a product, and how it is turned. */
export interface Factor {
  readonly value: Value
  /** Whether its last two axes are swapped. */
  readonly flipped: boolean
  /** Whether its first axis stands behind those that are multiplied over. */
  readonly batchLast: boolean
}

function fusedMatMul(site: Site): Value {
  const { graph: g, input, attributes } = site
  const [a, b] = (['A', 'B'] as const).map((side, i): Factor => {
    const value = input(i)
    const [flipped, batchLast] = [attributes.int(`trans${side}`, 0), attributes.int(`transBatch${side}`, 0)]
    if (batchLast !== 0 && value.shape.length < 3)
      throw new TrainerError('file', `transBatch${side} is 1, but ${side} has only ${value.shape.length} axes.`)
    return { value, flipped: flipped !== 0, batchLast: batchLast !== 0 }
  }) as [Factor, Factor]
  return product(g, a, b, attributes.float('alpha', 1))
}

/** α A′ B′; weights as one product over all rows. */
export function product(g: GraphBuilder, a: Factor, b: Factor, alpha: number): Value {
  const [left, right] = [a.value.shape.length, b.value.shape.length]
  if (left === 1 || right === 1) return vectorProduct(g, a, b, alpha)
  const turns = { ...(a.flipped ? { transA: 1 } : {}), ...(b.flipped ? { transB: 1 } : {}) }
  const scale = alpha === 1 ? {} : { alpha }
  if (left === 2 && right === 2) {
    const plain = Object.keys({ ...turns, ...scale }).length === 0
    return plain ? g.matMul(a.value, b.value) : g.gemm(a.value, b.value, undefined, { ...scale, ...turns })
  }
  const width = a.value.shape.at(-1)
  const isPlain = !a.flipped && !a.batchLast && right === 2 && typeof width === 'number'
  if (isPlain && (b.flipped || alpha !== 1)) {
    const rows = g.gemm(g.reshape(a.value, [-1, width]), b.value, undefined, { ...scale, ...turns })
    return reshapedTo(g, rows, [...a.value.shape.slice(0, -1), rows.shape[1]!], [a.value, rows])
  }
  const scaled = alpha === 1 ? a.value : g.mul(a.value, alpha)
  return g.matMul(turned(g, { ...a, value: scaled }), turned(g, b))
}

/** A vector is a row on the left, and a column on the right; it is never turned. */
function vectorProduct(g: GraphBuilder, a: Factor, b: Factor, alpha: number): Value {
  const isRow = a.value.shape.length === 1
  const isColumn = b.value.shape.length === 1
  const row = isRow ? { ...a, value: g.unsqueeze(a.value, [0]), flipped: false } : a
  const column = isColumn ? { ...b, value: g.unsqueeze(b.value, [1]), flipped: false } : b
  const y = product(g, row, column, alpha)
  const rank = y.shape.length
  const gone = [...(isRow ? [rank - 2] : []), ...(isColumn ? [rank - 1] : [])]
  return g.squeeze(y, gone)
}

/** A factor as MatMul reads it. */
function turned(g: GraphBuilder, { value, flipped, batchLast }: Factor): Value {
  const axes = value.shape.map((_, i) => i)
  const batch = batchLast ? axes.slice(1, -1) : axes.slice(0, -2)
  const [rows, columns] = [batchLast ? 0 : axes.length - 2, axes.length - 1]
  const perm = [...batch, ...(flipped ? [columns, rows] : [rows, columns])]
  return perm.every((from, i) => from === i) ? value : g.transpose(value, perm)
}
