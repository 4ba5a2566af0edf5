import { TrainerError } from '../errors'
import { broadcast, reshaped } from '../onnx/shapes'
import type { Dimension, Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { lengthOf, placesAlong } from './axes'
import type { LoweringTable, Site } from './Lowering'
import { native } from './native'
import { axesOf, bounded, known } from './writing'

/** Constants, shapes, and what is shaped by them. */
export const shapes: LoweringTable = {
  Constant: { how: 'a constant', lower: ({ graph, attributes }) => graph.constant(constantOf(attributes)) },
  Identity: { how: 'what goes in', lower: ({ input }) => input(0) },
  Cast: { how: 'as it is', lower: cast },
  CastLike: { how: 'Cast', carries: [0], lower: ({ graph, input }) => graph.cast(input(0), input(1).dtype) },
  Shape: { how: 'as it is', carries: [], lower: native },
  Size: { how: 'the product of the lengths', carries: [], lower: size },
  Range: { how: 'as it is', carries: [], lower: range },
  ConstantOfShape: { how: 'Expand of a number', carries: [], lower: constantOfShape },
  Reshape: { how: 'as it is', carries: [0], lower: reshape },
  Flatten: { how: 'Reshape', lower: flatten },
  Expand: { how: 'as it is', carries: [0], lower: site => expand(site, site.input(0), site.input(1)) },
  Squeeze: { how: 'as it is', carries: [0], lower: squeeze },
  Unsqueeze: { how: 'as it is', carries: [0], lower: unsqueeze },
  EyeLike: { how: 'row = column - k', carries: [], lower: eyeLike },
  Trilu: { how: 'Where row ≥ column - k (or ≤)', carries: [0], lower: trilu },
}

function constantOf(attributes: Site['attributes']): Tensor {
  const [float, int] = [attributes.float('value_float'), attributes.int('value_int')]
  const [floats, ints] = [attributes.numbers('value_floats'), attributes.numbers('value_ints')]
  const tensor =
    attributes.tensor('value') ??
    (float === undefined ? undefined : Tensor.from('float32', float)) ??
    (int === undefined ? undefined : Tensor.from('int64', bounded(int))) ??
    (floats && Tensor.from('float32', floats)) ??
    (ints && Tensor.from('int64', ints.map(bounded)))
  if (tensor === undefined) throw new TrainerError('graph', 'it has no value that is a tensor of numbers.')
  return tensor
}

function cast(site: Site): Value {
  const [value] = native(site)
  return value!
}

/** As many as the lengths that are known say, times those that are read when the graph runs. */
function size({ graph: g, input }: Site): Value {
  const x = input(0)
  const numbers = x.shape.filter(length => typeof length === 'number').reduce((product, length) => product * length, 1)
  return x.shape.reduce<Value>(
    (product, length, axis) => (typeof length === 'number' ? product : g.mul(product, lengthOf(g, x, axis))),
    g.constant(numbers, 'int64'),
  )
}

function range({ graph, input, lengths }: Site): Value {
  const [start, limit, delta] = [0, 1, 2].map(at => {
    const bound = input(at)
    return bound.shape.length === 0 ? bound : graph.reshape(bound, [])
  })
  const [places] = graph.node('Range', [start, limit, delta], {})
  const [from, to, by] = [start, limit, delta].map(bound => lengths(bound)?.[0])
  return from === 0 && by === 1 && typeof to === 'string' ? graph.assume(places!, [to]) : places!
}

function constantOfShape(site: Site): Value {
  const fill = site.attributes.tensor('value') ?? Tensor.from('float32', [0])
  return expand(site, site.graph.constant(fill.reshape([])), site.input(0))
}

/** x stretched to a shape that comes as a vector. */
function expand({ graph, lengths }: Site, x: Value, target: Value): Value {
  const [value] = graph.node('Expand', [x, target], {})
  const wanted = lengths(target)
  if (wanted === undefined || known(value!.shape)) return value!
  // of two names that differ nobody knows which one is 1
  const either = (): Dimension => ''
  const met = broadcast(
    x.shape,
    wanted.map(length => length ?? ''),
    either,
  )
  return graph.assume(
    value!,
    met.map((length, i) => (length === '' ? value!.shape[i]! : length)),
  )
}

function reshape({ graph, input, lengths, attributes }: Site): Value {
  const [x, target] = [input(0), input(1)]
  const allowzero = attributes.int('allowzero', 0)
  const wanted = lengths(target)
  const value = graph.node('Reshape', [x, target], allowzero === 0 ? {} : { allowzero })[0]!
  if (wanted === undefined || known(value.shape)) return value
  // what is not known of the target keeps the name that inference gave
  const lengthsOf = wanted.map((length, i): Dimension => length ?? value.shape[i]!)
  return graph.assume(
    value,
    reshaped(x.shape, lengthsOf, allowzero === 1, () => value.shape[wanted.indexOf(-1)]!),
  )
}

function flatten({ graph, input, attributes }: Site): Value {
  const x = input(0)
  const axis = attributes.int('axis', 1)
  const at = axis < 0 ? axis + x.shape.length : axis
  const [before, after] = [x.shape.slice(0, at), x.shape.slice(at)]
  const sizes = (lengths: readonly Dimension[]): number | undefined =>
    known(lengths) ? lengths.reduce((a, b) => a * b, 1) : undefined
  const [rows, columns] = [sizes(before), sizes(after)]
  if (at === 1) return graph.reshape(x, [0, columns ?? -1])
  if (columns !== undefined) return graph.reshape(x, [rows ?? -1, columns])
  if (rows !== undefined) return graph.reshape(x, [rows, -1])
  return graph.reshape(x, graph.concat([product(graph, x, before), graph.integers([-1])], 0))
}

/** The number of elements of an axis or more, as a vector of one. */
function product(g: Site['graph'], x: Value, axes: readonly Dimension[]): Value {
  return axes.map((_, axis) => g.unsqueeze(lengthOf(g, x, axis), [0])).reduce((a, b) => g.mul(a, b))
}

function squeeze(site: Site): Value {
  const { graph, input } = site
  const axes = axesOf(site)
  return graph.node('Squeeze', [input(0), ...(axes === undefined ? [] : [graph.integers(axes)])], {})[0]!
}

function unsqueeze(site: Site): Value {
  const axes = axesOf(site)
  if (axes === undefined) throw new TrainerError('file', 'it has no axes.')
  return axes.length === 0 ? site.input(0) : site.graph.unsqueeze(site.input(0), axes)
}

function eyeLike({ graph: g, input, attributes }: Site): Value {
  const x = input(0)
  if (x.shape.length !== 2)
    throw new TrainerError('graph', `its input has the shape [${x.shape.join(', ')}], not two axes.`)
  const shift = attributes.int('k', 0)
  const dtype = attributes.dtype('dtype') ?? x.dtype
  const rows = placesAlong(g, x, 0, 1)
  return g.cast(g.equal(shift === 0 ? rows : g.add(rows, shift), placesAlong(g, x, 1)), dtype)
}

function trilu(site: Site): Value {
  const { graph: g, input, inputs, attributes } = site
  const x = input(0)
  const rank = x.shape.length
  const upper = attributes.int('upper', 1)
  const shift = inputs[1] === undefined ? g.constant(0, 'int64') : g.reshape(inputs[1], [])
  const diagonal = g.sub(placesAlong(g, x, rank - 1), shift)
  const rows = placesAlong(g, x, rank - 2, 1)
  // GreaterOrEqual and its kin as what is not less: of int64 that is one comparison everywhere
  const kept = g.not(upper === 1 ? g.less(diagonal, rows) : g.greater(diagonal, rows))
  return x.dtype === 'bool' ? g.and(x, kept) : g.where(kept, x, 0)
}
