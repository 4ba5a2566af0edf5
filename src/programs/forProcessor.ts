// a graph that any provider runs → the same numbers by what the processor is fast at
import { expand } from '../autodiff/shapes'
import type { GraphBuilder } from '../onnx/builder'
import { type Rewrite, rewrite } from '../onnx/rewrite'
import type { Graph, Node, Value } from '../onnx/types'
import { Tensor } from '../tensor'

/**
 * The graph as the processor runs it fastest: first factors transposed by a node of their own, sums over the rows of a
 * matrix as products with ones, rows added up by one-hot products. What each came to is in docs/log.md.
 */
export function forProcessor(graph: Graph): Graph {
  return rewrite(graph, [copiedFactor, undoneTransposition, flippedProduct, productWithOnes, oneHotProduct])
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

/** Σ over the many rows of a matrix as [1, rows] ones × [rows, width], which takes half of the time of a ReduceSum. */
const productWithOnes: Rewrite = (graph, node) => {
  if (!isOp(node, 'ReduceSum')) return undefined
  const x = node.inputs[0]!
  const [rows, width] = x.shape
  const axes = graph.constantOf(node.inputs[1])
  if (x.shape.length !== 2 || typeof rows !== 'string' || typeof width !== 'number') return undefined
  if (axes?.size !== 1 || ![0n, -2n].includes(axes.data[0] as bigint)) return undefined
  const sum = graph.matMul(expand(graph, graph.constant(1, x.dtype), [1, rows], [x]), x)
  return node.attributes.keepdims === 0 ? graph.squeeze(sum, [0]) : sum
}

/** Above so many rows a product takes longer than adding the rows one by one. */
const fewRows = 1024

/**
 * Rows added up in a small table by a product, which has all threads at work: [rows, n] ones where a row belongs, times
 * [n, width].
 */
const oneHotProduct: Rewrite = (graph, node) => {
  if (!isOp(node, 'ScatterElements')) return undefined
  const { axis = 0, reduction } = node.attributes
  const [base, places, d] = node.inputs
  const rows = base!.shape[0]
  const index = repeatedColumn(graph, places!)
  if (axis !== 0 || reduction !== 'add' || index === undefined || !isZeros(graph, base!)) return undefined
  if (base!.shape.length !== 2 || typeof rows !== 'number' || rows > fewRows) return undefined
  const fromZero = graph.where(graph.less(index, 0), graph.add(index, rows), index)
  const numbers = Array.from({ length: rows }, (_, i) => [i])
  const isPlace = graph.equal(graph.unsqueeze(fromZero, [0]), graph.constant(Tensor.from('int32', numbers)))
  return graph.matMul(graph.cast(isPlace, d!.dtype), d!)
}

/** The vector [n] (int32) that a value repeats along a second axis. */
function repeatedColumn(graph: GraphBuilder, places: Value): Value | undefined {
  const column = graph.makerOf(places, 'Expand')?.inputs[0]
  const index = column && graph.makerOf(column, 'Unsqueeze')?.inputs[0]
  const isColumn = column?.shape.length === 2 && column.shape[1] === 1
  return isColumn && index?.shape.length === 1 && index.dtype === 'int32' ? index : undefined
}

function isZeros(graph: GraphBuilder, value: Value): boolean {
  const filler = graph.constantOf(graph.makerOf(value, 'Expand')?.inputs[0])
  return filler?.size === 1 && Number(filler.data[0]) === 0
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
