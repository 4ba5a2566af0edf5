// positions that turn queries and keys (Su et al. 2021)
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'

/** The cosines and sines of each token's angles, [tokens, 1, size / 2]. */
export interface Rotary {
  readonly cosines: Value
  readonly sines: Value
}

/** Angles position · theta^(−2i / size), i below size / 2. */
export function rotaryOf(graph: GraphBuilder, positionIds: Value, theta: number, size: number): Rotary {
  // rounded where PyTorch rounds: angles of far positions are large
  const frequencies = Float32Array.from({ length: size / 2 }, (_, i) =>
    Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / size))),
  )
  const each = graph.constant(new Tensor('float32', frequencies, [1, 1, size / 2]))
  const angles = graph.mul(graph.unsqueeze(graph.cast(positionIds, 'float32'), [1, 2]), each)
  return { cosines: graph.cos(angles), sines: graph.sin(angles) }
}

/** Turns each pair of numbers i and i + size / 2 of every head by its angle: [tokens, heads × size] → the same. */
export function rotate(graph: GraphBuilder, x: Value, { cosines, sines }: Rotary): Value {
  const half = cosines.shape.at(-1) as number
  const width = x.shape.at(-1) as number
  const [a, b] = graph.split(graph.reshape(x, [-1, width / (2 * half), 2 * half]), 2, [half, half])
  const turned = graph.concat(
    [graph.sub(graph.mul(a!, cosines), graph.mul(b!, sines)), graph.add(graph.mul(b!, cosines), graph.mul(a!, sines))],
    2,
  )
  return graph.reshape(turned, [-1, width])
}
