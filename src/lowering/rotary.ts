import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { placesAlong } from './axes'
import type { Site } from './Lowering'
import { unfused } from './refused'

/**
 * Rotary positions: the elements of each head in pairs, (a, b) → (a cos - b sin, a sin + b cos). x is [batch, tokens,
 * heads × size] or [batch, heads, tokens, size]; the tables are [positions, turned / 2].
 */
export function rotary(site: Site): Value {
  const { graph: g, input, attributes } = site
  const x = input(0)
  attributes.ignore('scale')
  if (attributes.int('is_packed_batching', 0) !== 0)
    throw new TrainerError('graph', 'packed batches are not written.', {
      fix: unfused,
    })
  const [interleaved, heads] = [attributes.int('interleaved', 0) !== 0, attributes.int('num_heads', 0)]
  const half = Number(input(2).shape[1])
  const turned = attributes.int('rotary_embedding_dim', 0) || 2 * half
  const size = x.shape.length === 4 ? Number(x.shape[3]) : heads > 0 ? Number(x.shape[2]) / heads : turned
  const flat = x.shape.length === 3
  // [batch, tokens, heads, size], or with the heads before the tokens
  const parts = flat ? g.reshape(x, [0, 0, -1, size]) : x
  const [front, rest] = size === turned ? [parts, undefined] : g.split(parts, 3, [turned, size - turned])
  const positions = positionsOf(site, x, flat ? 1 : 2)
  const [cos, sin] = [input(2), input(3)].map(table => g.unsqueeze(g.gather(table, positions), [flat ? 2 : 1]))
  const result = turn(g, front!, { cos: cos!, sin: sin!, half, interleaved })
  const whole = rest === undefined ? result : g.concat([result, rest], 3)
  return flat ? g.reshapeLike(whole, x) : whole
}

/** [batch, tokens], or [1, tokens] where the one number that is given is where all rows begin. */
function positionsOf({ graph: g, input }: Site, x: Value, axis: number): Value {
  const given = g.cast(input(1), 'int32')
  return given.shape.length === 2 ? given : g.unsqueeze(g.add(placesAlong(g, x, axis, 0, 'int32'), given), [0])
}

interface Turn {
  readonly cos: Value
  readonly sin: Value
  readonly half: number
  /** Whether the two of a pair are neighbours; else they are half a head apart. */
  readonly interleaved: boolean
}

function turn(g: GraphBuilder, x: Value, { cos, sin, half, interleaved }: Turn): Value {
  const pairs = interleaved ? g.reshape(x, [0, 0, 0, half, 2]) : undefined
  const [a, b] =
    pairs === undefined ? g.split(x, 3, [half, half]) : g.split(pairs, 4, [1, 1]).map(one => g.squeeze(one, [4]))
  const both = [g.sub(g.mul(a!, cos), g.mul(b!, sin)), g.add(g.mul(a!, sin), g.mul(b!, cos))]
  if (!interleaved) return g.concat(both, 3)
  return g.reshape(
    g.concat(
      both.map(one => g.unsqueeze(one, [4])),
      4,
    ),
    [0, 0, 0, 2 * half],
  )
}
