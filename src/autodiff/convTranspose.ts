import type { GraphBuilder } from '../onnx/builder'
import type { Attributes } from '../onnx/operators'
import { toEnd } from '../onnx/shapes'
import type { Value } from '../onnx/types'

/** The transposed convolution of x by w, and the bias. */
export function convTranspose(
  g: GraphBuilder,
  x: Value,
  w: Value,
  bias: Value | undefined,
  attributes: Attributes['ConvTranspose'],
): Value {
  const { group = 1 } = attributes
  const each = Number(w.shape[0]) / group
  // WebGPU's kernel is wrong where groups lead from several channels to one (onnxruntime 1.30): one after the other
  if (group === 1 || w.shape[1] !== 1 || !(each > 1))
    return g.node('ConvTranspose', bias === undefined ? [x, w] : [x, w, bias], attributes)[0]!
  const parts = Array.from({ length: each }, (_, k) =>
    convTranspose(g, everyFrom(g, x, 1, k, each), everyFrom(g, w, 0, k, each), k === 0 ? bias : undefined, attributes),
  )
  return parts.reduce((sum, part) => g.add(sum, { ...part, shape: sum.shape }))
}

/** Every so many elements along an axis, from one on. */
function everyFrom(g: GraphBuilder, value: Value, axis: number, from: number, step: number): Value {
  const [start, end, along, by] = [from, toEnd, axis, step].map(number => g.integers([number]))
  return g.node('Slice', [value, start, end, along, by], {})[0]!
}
