// a graph that any provider runs → the same numbers by what a device has kernels for
import type { GraphBuilder } from '../onnx/builder'
import { isFloat } from '../onnx/infer'
import { type Rewrite, rewrite } from '../onnx/rewrite'
import type { Graph, Node, Value } from '../onnx/types'
import type { ReducedType } from '../tensor'
import { inPrecision } from './mixedPrecision'
import { narrowed } from './wholeNumbers'

/**
 * The graph for a device: int32 in place of int64, and in place of what WebGPU has no kernels of (Round, Mod, the Shape of
 * truths) what that is made of. Its inputs of int64 are int32 then; numbers up to `largestGiven` may be fed.
 */
export function forDevice(graph: Graph): Graph {
  const narrow = narrowed(graph)
  const isWritten = narrow.nodes.some(node => node.op === 'Round' || node.op === 'Mod' || isShapeOfTruths(node))
  return isWritten ? rewrite(narrow, [roundedToEven, remainder, shapeOfTruths]) : narrow
}

/** The graph as an engine has it: by what a device has kernels for, or in precisions that the processor rounds to. */
export function forEngine(graph: Graph, type: ReducedType | undefined, resident: boolean): Graph {
  return inPrecision(resident ? forDevice(graph) : graph, type, !resident)
}

/** Up where more than half is left, and down where less is; of two that are as near, the even one. */
const roundedToEven: Rewrite = (g, node) => {
  if (node.op !== 'Round') return undefined
  const x = node.inputs[0]!
  const below = g.floor(x)
  const left = g.sub(x, below) // NaN for ∞, which is itself below
  const odd = g.sub(below, g.mul(g.floor(g.mul(below, 0.5)), 2))
  return g.where(g.greater(left, 0.5), g.add(below, 1), g.where(g.equal(left, 0.5), g.add(below, odd), below))
}

const remainder: Rewrite = (g, node) => {
  if (node.op !== 'Mod') return undefined
  const [a, b] = node.inputs as readonly [Value, Value]
  if (isFloat(a.dtype)) return ofFloats(g, a, b)
  return a.dtype === 'int32' ? ofIntegers(g, a, b, (node as Node<'Mod'>).attributes.fmod === 1) : undefined
}

/** Division cuts towards 0, so that what is left has the sign of a; without fmod it has to be that of b. */
function ofIntegers(g: GraphBuilder, a: Value, b: Value, likeFirst: boolean): Value {
  const left = g.sub(a, g.mul(g.div(a, b), b))
  if (likeFirst) return left
  const moved = g.add(left, b)
  const ofPositive = g.where(g.less(left, 0), moved, left)
  return g.where(g.greater(b, 0), ofPositive, g.where(g.greater(left, 0), moved, left))
}

/** With the sign of a. A quotient may be off by one where it is rounded, or on GPUs that divide inexactly. */
function ofFloats(g: GraphBuilder, a: Value, b: Value): Value {
  const [from, by] = [g.abs(a), g.abs(b)]
  const left = g.sub(from, g.mul(g.floor(g.div(from, by)), by))
  const raised = g.where(g.less(left, 0), g.add(left, by), left)
  const lowered = g.where(g.less(raised, by), raised, g.sub(raised, by))
  const found = g.where(g.less(from, by), from, lowered) // by may be ∞
  return g.where(g.less(a, 0), g.neg(found), found)
}

function isShapeOfTruths({ op, inputs }: Node): boolean {
  return op === 'Shape' && inputs[0]!.dtype === 'bool'
}

/** That of the numbers which the truths are made of; ONNX Runtime itself leaves out a Cast before a Shape. */
const shapeOfTruths: Rewrite = (g, node) => {
  if (!isShapeOfTruths(node)) return undefined
  const numbers = numbersBehind(g, node.inputs[0]!)
  return numbers && g.node('Shape', [numbers], (node as Node<'Shape'>).attributes)[0]!
}

function numbersBehind(g: GraphBuilder, truths: Value): Value | undefined {
  if (truths.dtype !== 'bool') return truths
  const maker = g.makerOf(truths)
  return maker?.op === 'Cast' || maker?.op === 'Not' ? numbersBehind(g, maker.inputs[0]!) : undefined
}
