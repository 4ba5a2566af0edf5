import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'

const a = Math.sqrt(2 / Math.PI)
const b = a * 0.044715

/** ½ x (1 + tanh u), u = √(2/π) (x + 0.044715 x³): GELU's approximation (Hendrycks & Gimpel 2016). */
export function fastGelu(g: GraphBuilder, x: Value): Value {
  return g.mul(g.mul(x, 0.5), g.add(tanhOf(g, x, g.mul(x, x)), 1))
}

/** Its gradient, ½ dy (1 + t + x (1 - t²) du) with t = tanh u. */
export function fastGeluBack(g: GraphBuilder, dy: Value, x: Value): Value {
  const square = g.mul(x, x)
  const t = tanhOf(g, x, square)
  const slope = g.mul(x, g.add(g.mul(square, 3 * b), a))
  return g.mul(g.mul(dy, 0.5), g.add(g.add(t, 1), g.mul(g.sub(1, g.mul(t, t)), slope)))
}

function tanhOf(g: GraphBuilder, x: Value, square: Value): Value {
  return g.tanh(g.mul(x, g.add(g.mul(square, b), a)))
}
