// how far the tokens of a row are from each other: a table for a group of rows, whose tokens stand in their columns
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { type GroupDistances, lowest, type RelativeGeometry } from './TokenLayout'

/** The longest rows that an exported model counts distances in, where no table of positions limits them. */
export const mostColumns = 32_768

// ── the host's half ──

/** The inputs of a group of that length. */
export function distanceInputs({ bucket }: RelativeGeometry, length: number): Readonly<Record<string, Tensor>> {
  const count = 2 * length - 1
  const buckets = Int32Array.from({ length: count }, (_, i) => bucket(length - 1 - i))
  const pairs = new Int32Array(length * length)
  const inverse = new Int32Array(length * count)
  const mask = new Float32Array(length * count)
  for (let query = 0, pair = 0; query < length; query++) {
    for (let key = 0; key < length; key++, pair++) {
      const at = query * count + key - query + length - 1
      pairs[pair] = at
      inverse[at] = pair
      mask[at] = 1
    }
  }
  return {
    distances: new Tensor('int32', buckets, [count]),
    first_distances: new Tensor('int32', buckets.slice(length - 1), [length]),
    distance_of_pair: new Tensor('int32', pairs, [length, length]),
    pair_of_distance: new Tensor('int32', inverse, [inverse.length]),
    distance_mask: new Tensor('float32', mask, [mask.length]),
  }
}

/** The columns of rows of that length, by which a graph knows how far they are from each other. */
export function columnNumbers(length: number): Tensor {
  return new Tensor(
    'float32',
    Float32Array.from({ length }, (_, column) => column),
    [length],
  )
}

// ── the graph's half ──

/**
 * The bias of local attention, [batch, 1, length, length]: that of the keys [batch, 1, 1, length], and keys lowered that are
 * more than `window` columns away. The lower of both, since their sum would be -Infinity.
 */
export function localBias(graph: GraphBuilder, columns: Value, bias: Value, window: number): Value {
  const distance = graph.abs(graph.sub(graph.unsqueeze(columns, [1]), graph.unsqueeze(columns, [0])))
  const isFar = graph.cast(graph.greater(distance, window), 'float32')
  return graph.min(bias, graph.unsqueeze(graph.mul(isFar, lowest), [0, 1]))
}

/** The same as inputs of a graph; `named` gives a group's own names. */
export function declareDistances(graph: GraphBuilder, named: (name: string) => string): GroupDistances {
  const length = named('length')
  const int = (name: string, shape: readonly string[]): Value => graph.input(named(name), 'int32', shape)
  const all = int('distances', [named('reach')])
  const first = int('first_distances', [length])
  const pairs = int('distance_of_pair', [length, length])
  const index = int('pair_of_distance', [named('pairs')])
  const mask = graph.input(named('distance_mask'), 'float32', [named('pairs')])
  return { all, first, toKeys: x => byPair(graph, x, pairs, { index, mask }) }
}

/** The same in an exported model, whose rows are as long as the columns [length] (int64, from 0 on). */
export function columnDistances(
  graph: GraphBuilder,
  columns: Value,
  { bucket }: RelativeGeometry,
  positions: number,
): GroupDistances {
  const most = Math.min(positions, mostColumns)
  const table = Tensor.from(
    'int32',
    Array.from({ length: 2 * most - 1 }, (_, i) => bucket(most - 1 - i)),
  )
  const buckets = graph.constant(table)
  const slice = (from: Value, to: Value): Value => graph.node('Slice', [buckets, from, to, graph.integers([0])], {})[0]!
  const length = graph.shape(columns)
  const end = graph.add(length, graph.integers([most - 1]))
  const column = (axis: number): Value => graph.unsqueeze(columns, [axis])
  const width = graph.sub(graph.add(length, length), graph.integers([2]))
  // query × (2 × length − 1) + key − query + length − 1
  const places = graph.add(graph.mul(column(1), width), graph.add(column(0), graph.sub(length, graph.integers([1]))))
  return {
    all: slice(graph.sub(graph.integers([most]), length), end),
    first: slice(graph.integers([most - 1]), end),
    toKeys: x => byPair(graph, x, places),
  }
}

function byPair(graph: GraphBuilder, x: Value, pairs: Value, inverse?: { index: Value; mask: Value }): Value {
  const before = x.shape.length - 2
  const flat = graph.reshape(x, [...new Array<number>(before).fill(0), -1])
  return graph.gather(flat, pairs, before, inverse && { inverse })
}
