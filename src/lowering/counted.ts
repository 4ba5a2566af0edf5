import { TrainerError } from '../errors'
import { positive } from '../onnx/shapes'
import type { Value } from '../onnx/types'
import { createData, Tensor } from '../tensor'
import type { LoweringTable, Site } from './Lowering'

/** What gives as many elements as the values of its input say: written where these are known, refused elsewhere. */
export const counted: LoweringTable = {
  NonZero: { how: 'a constant, of constants and lengths; refused of other values', carries: [], lower: nonZero },
  Unique: { how: 'constants, of constants and lengths; refused of other values', carries: [], lower: unique },
  Compress: { how: 'Gather by a condition that is a constant; refused by another', carries: [0], lower: compress },
}

/** @throws TrainerError ('graph') for an input that is known only when the graph runs. */
function valuesOf({ constant, input, node }: Site, at: number): Tensor {
  const tensor = constant(input(at))
  if (tensor !== undefined) return tensor
  const why = 'how many elements it gives depends on values that are known only when the graph runs'
  throw new TrainerError('graph', `it cannot be trained: ${why} ("${node.inputs[at]}").`, {
    fix: 'Export the model with a choice of fixed size in its place: Where with a mask, or TopK.',
  })
}

function nonZero(site: Site): Value {
  const { data, dims } = valuesOf(site, 0)
  const places = Array.from(data as ArrayLike<unknown>, (value, at) => (Number(value) === 0 ? -1 : at)).filter(
    at => at >= 0,
  )
  const lengths = dims.length === 0 ? [1] : dims
  const strides = lengths.map((_, axis) => lengths.slice(axis + 1).reduce((a, b) => a * b, 1))
  const rows = lengths.flatMap((length, axis) => places.map(at => Math.floor(at / strides[axis]!) % length))
  return site.graph.constant(Tensor.from('int64', rows).reshape([lengths.length, places.length]))
}

/** The elements, and of each where it stands first; of each element given which of these it is; how often each occurs. */
function unique(site: Site): readonly Value[] {
  const { graph: g, attributes } = site
  const sorted = attributes.int('sorted', 1) === 1
  if (attributes.has('axis'))
    throw new TrainerError('graph', 'it cannot be trained: rows that are unique along an axis are not written.', {
      fix: 'Export the model with the rows that they are as a constant.',
    })
  const { data, dtype } = valuesOf(site, 0)
  const values = Array.from(data as ArrayLike<number | bigint>)
  const first = new Map<number | bigint, number>()
  values.forEach((value, at) => first.has(value) || first.set(value, at))
  const found = [...first.keys()]
  if (sorted) found.sort((a, b) => (a < b ? -1 : 1))
  const numbers = new Map(found.map((value, number) => [value, number]))
  const counts = found.map(() => 0)
  for (const value of values) counts[numbers.get(value)!]!++
  const elements = createData(dtype, found.length)
  found.forEach((value, number) => (elements[number] = value as never))
  const integers = (list: readonly number[]): Value => g.constant(Tensor.from('int64', list))
  return [
    g.constant(new Tensor(dtype, elements as never, [found.length])),
    integers(found.map(value => first.get(value)!)),
    integers(values.map(value => numbers.get(value)!)),
    integers(counts),
  ]
}

function compress(site: Site): Value {
  const { graph: g, input, attributes } = site
  const x = input(0)
  const { data } = valuesOf(site, 1)
  const kept = Array.from(data as ArrayLike<number>, (value, at) => (value === 0 ? -1 : at)).filter(at => at >= 0)
  const places = g.constant(Tensor.from('int64', kept))
  const axis = attributes.int('axis')
  return axis === undefined ? g.gather(g.reshape(x, [-1]), places) : g.gather(x, places, positive(axis, x.shape.length))
}
