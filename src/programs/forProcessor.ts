// a graph that any provider runs → the same numbers by what the processor is fast at
import { asRows, expand } from '../autodiff/shapes'
import type { GraphBuilder } from '../onnx/builder'
import { type Rewrite, rewrite } from '../onnx/rewrite'
import type { Graph, Node, Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { addedRows, tableRows } from './addedRows'

/**
 * The graph as the processor runs it fastest: first factors transposed by a node of their own, sums over the rows of a
 * matrix as products with ones, rows added up by one-hot products. What each came to is in docs/log.md.
 */
export function forProcessor(graph: Graph): Graph {
  return rewrite(graph, [
    copiedFactor,
    undoneTransposition,
    flippedProduct,
    flippedGemm,
    productWithOnes,
    oneHotProduct,
  ])
}

/** α Aᵀ B + β C: the product takes longer with a transposed first factor than the factor's transposition. */
const copiedFactor: Rewrite = (graph, node) => {
  if (!isOp(node, 'Gemm') || node.attributes.transA !== 1) return undefined
  const [a, b, c] = node.inputs
  const { transA: _, ...attributes } = node.attributes
  return graph.gemm(unflipped(graph, a!) ?? graph.transposeLast(a!), b!, c, attributes)
}

/** (Xᵀ)ᵀ is X. */
const undoneTransposition: Rewrite = (graph, node) => (isFlip(node) ? unflipped(graph, node.inputs[0]!) : undefined)

/**
 * (Pᵀ R)ᵀ as Rᵀ P: one transposition, which ONNX Runtime makes part of the product, in place of two. Nobody reads the
 * first product then.
 */
const flippedProduct: Rewrite = (graph, node) => {
  const product = isFlip(node) ? graph.makerOf(node.inputs[0]!, 'MatMul') : undefined
  const left = product && unflipped(graph, product.inputs[0]!)
  return left && graph.matMul(graph.transposeLast(product.inputs[1]!), left)
}

/** The same of a Gemm, whose first factor is transposed by a node: unless that makes the larger factor the first. */
const flippedGemm: Rewrite = (graph, node) => {
  const product = isFlip(node) ? graph.makerOf(node.inputs[0]!, 'Gemm') : undefined
  const [flipped, right, added] = product?.inputs ?? []
  const left = flipped && unflipped(graph, flipped)
  if (left === undefined || added !== undefined || product!.attributes.transB === 1) return undefined
  const [own, other] = [left.shape[1], right!.shape[1]]
  if (typeof own !== 'number' || typeof other !== 'number' || other > own) return undefined
  return graph.gemm(unflipped(graph, right!) ?? graph.transposeLast(right!), left, undefined, product!.attributes)
}

/**
 * Σ over all axes but the last, and so over many rows, as [1, rows] ones × [rows, width], which takes half of the time
 * of a ReduceSum.
 */
const productWithOnes: Rewrite = (graph, node) => {
  if (!isOp(node, 'ReduceSum')) return undefined
  const x = node.inputs[0]!
  const summed = x.shape.slice(0, -1)
  const width = x.shape.at(-1)
  const axes = Array.from((graph.constantOf(node.inputs[1])?.data ?? []) as ArrayLike<bigint>, Number)
  const isSummed = summed.every((_, i) => axes.includes(i) || axes.includes(i - x.shape.length))
  if (summed.every(length => typeof length === 'number') || typeof width !== 'number') return undefined
  if (axes.length !== summed.length || !isSummed) return undefined
  const rows = asRows(graph, x, [width])
  const sum = graph.matMul(expand(graph, graph.constant(1, x.dtype), [1, rows.shape[0]!], [rows]), rows)
  if (node.attributes.keepdims === 0) return graph.squeeze(sum, [0])
  return summed.length === 1 ? sum : graph.reshape(sum, [...summed.map(() => 1), width])
}

/**
 * Rows added up in a small table by a product, which has all threads at work: [rows, n] ones where a row belongs, times
 * [n, width].
 */
const oneHotProduct: Rewrite = (graph, node) => {
  const added = addedRows(graph, node)
  const rows = node.outputs[0]!.shape[0]
  if (added === undefined || typeof rows !== 'number' || rows >= tableRows) return undefined
  const index = graph.cast(added.index, 'int32')
  const fromZero = graph.where(graph.less(index, 0), graph.add(index, rows), index)
  const numbers = Array.from({ length: rows }, (_, i) => [i])
  const isPlace = graph.equal(graph.unsqueeze(fromZero, [0]), graph.constant(Tensor.from('int32', numbers)))
  return graph.matMul(graph.cast(isPlace, added.values.dtype), added.values)
}

/** What a transposition of the last two axes was made from. */
function unflipped(graph: GraphBuilder, x: Value): Value | undefined {
  const node = graph.makerOf(x)
  return node !== undefined && isFlip(node) ? node.inputs[0] : undefined
}

/** Whether a node swaps the last two axes and nothing else. */
function isFlip(node: Node): boolean {
  if (!isOp(node, 'Transpose')) return false
  const rank = node.inputs[0]!.shape.length
  const last = rank - 1
  const swapped = (i: number): number => (i === last ? last - 1 : i === last - 1 ? last : i)
  return (
    rank >= 2 &&
    (node.attributes.perm ?? []).every((from, i) => from === swapped(i)) &&
    node.attributes.perm !== undefined
  )
}

function isOp<Op extends Node['op']>(node: Node, op: Op): node is Node<Op> {
  return node.op === op
}
