import { reshapedTo } from '../autodiff/shapes'
import { TrainerError } from '../errors'
import { positive } from '../onnx/shapes'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { merged, placesAlong } from './axes'
import { numberedRows } from './cutting'
import type { LoweringTable, Site } from './Lowering'
import { native } from './native'
import { affordable } from './writing'

/** What takes elements from one place to another. */
export const movement: LoweringTable = {
  TopK: { how: 'as it is', carries: [0], lower: topK },
  OneHot: { how: 'Where(index = 0, 1, 2 …, on, off)', carries: [], lower: oneHot },
  ReverseSequence: { how: 'GatherElements by places counted back from each end', carries: [0], lower: reverseSequence },
  Scatter: {
    how: 'ScatterElements',
    lower: ({ graph: g, input, attributes }) =>
      g.node('ScatterElements', [input(0), input(1), input(2)], { axis: attributes.int('axis', 0) }),
  },
  ScatterND: {
    how: 'as it is; an index of several numbers as one, of rows that are numbered through',
    lower: scatterND,
  },
  DepthToSpace: { how: 'Reshape, Transpose, Reshape', lower: depthToSpace },
  SpaceToDepth: { how: 'Reshape, Transpose, Reshape', lower: spaceToDepth },
}

/** Before opset 10 the number of elements was an attribute. */
function topK({ graph: g, inputs, input, attributes, numbers }: Site): readonly Value[] {
  const x = input(0)
  const k = inputs[1] === undefined ? attributes.int('k') : numbers(1, 'numbers of elements')[0]
  if (k === undefined) throw new TrainerError('file', 'it has no number of elements k.')
  const axis = positive(attributes.int('axis', -1), x.shape.length)
  const given = { axis, largest: attributes.int('largest', 1), sorted: attributes.int('sorted', 1) }
  return g.node('TopK', [x, g.integers([k])], given, 2)
}

/** An index below 0 counts from the end; one out of range is nowhere on. */
function oneHot({ graph: g, input, numbers, attributes }: Site): Value {
  const [given, values] = [input(0), input(2)]
  const depth = affordable(numbers(1, 'depth')[0]!, 'its classes')
  const rank = given.shape.length + 1
  const axis = positive(attributes.int('axis', -1), rank)
  const index = given.dtype === 'int64' ? given : g.cast(given, 'int64')
  const counted = g.unsqueeze(g.where(g.less(index, 0), g.add(index, depth), index), [axis])
  const places = Tensor.from(
    'int64',
    Array.from({ length: depth }, (_, i) => i),
  )
  const row = g.constant(places.reshape(Array.from({ length: rank }, (_, i) => (i === axis ? depth : 1))))
  const [off, on] = g.split(values, 0, [1, 1])
  return g.where(g.equal(counted, row), g.squeeze(on!, [0]), g.squeeze(off!, [0]))
}

function reverseSequence({ graph: g, input, attributes }: Site): Value {
  const [x, given] = [input(0), input(1)]
  const batch = positive(attributes.int('batch_axis', 1), x.shape.length)
  const time = positive(attributes.int('time_axis', 0), x.shape.length)
  const others = x.shape.flatMap((_, i) => (i === batch ? [] : [i]))
  const lengths = g.unsqueeze(given, others)
  const place = placesAlong(g, x, time, x.shape.length - time - 1)
  const back = g.where(g.less(place, lengths), g.sub(g.sub(lengths, 1), place), place)
  return g.gatherElements(x, g.expand(back, x), time)
}

/**
 * An index of several numbers that is known only when the graph runs becomes one of a single number, along the axes that it names
 * as one: so the gradient of the updates is a Gather.
 */
function scatterND(site: Site): Value {
  const { graph: g, input, attributes } = site
  const [data, index, updates] = [input(0), input(1), input(2)]
  const depth = index.shape.at(-1)
  const isKnown =
    g.constantOf(index) !== undefined && data.shape.slice(0, Number(depth)).every(length => typeof length === 'number')
  if (typeof depth !== 'number' || depth < 2 || isKnown) return native(site)[0]!
  const reduction = attributes.text('reduction', 'none') as Reduction
  const [rows, place] = numberedRows(g, data, index, 0)
  const single = g.unsqueeze(place, [index.shape.length - 1])
  const [put] = g.node('ScatterND', [rows, single, updates], { reduction })
  return reshapedTo(g, put!, data.shape, [data])
}

type Reduction = 'none' | 'add' | 'mul' | 'max' | 'min'

/** The block's edge, and the lengths of an image [rows, channels, height, width]. */
function blocks({ input, attributes }: Site): { x: Value; block: number; channels: number } {
  const x = input(0)
  const block = attributes.int('blocksize')
  const channels = x.shape[1]
  if (block === undefined || block < 1) throw new TrainerError('file', 'it needs a blocksize of at least 1.')
  if (x.shape.length !== 4 || typeof channels !== 'number')
    throw new TrainerError('graph', `it takes images [rows, channels, height, width], not [${x.shape.join(', ')}].`)
  return { x, block, channels }
}

function depthToSpace(site: Site): Value {
  const { graph: g, attributes } = site
  const { x, block, channels } = blocks(site)
  const mode = attributes.text('mode', 'DCR')
  if (mode !== 'DCR' && mode !== 'CRD')
    throw new TrainerError('file', `its attribute mode is "${mode}", but should be "DCR" or "CRD".`)
  const left = channels / (block * block)
  if (!Number.isInteger(left))
    throw new TrainerError('file', `its ${channels} channels are not a multiple of ${block * block}.`)
  const [rows, , height, width] = x.shape
  const depth = mode === 'DCR' ? [block, block, left] : [left, block, block]
  const parted = reshapedTo(g, x, [rows!, ...depth, height!, width!], [x])
  const spread = g.transpose(parted, mode === 'DCR' ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3])
  return merged(g, merged(g, spread, 4), 2)
}

function spaceToDepth(site: Site): Value {
  const { graph: g } = site
  const { x, block, channels } = blocks(site)
  const [rows, , height, width] = x.shape
  if (typeof height !== 'number' || typeof width !== 'number' || height % block !== 0 || width % block !== 0)
    throw new TrainerError('graph', `its height and width, [${height}, ${width}], have to be multiples of ${block}.`)
  const parted = [channels, height / block, block, width / block, block]
  const split = reshapedTo(g, x, [rows!, ...parted], [x])
  const moved = g.transpose(split, [0, 3, 5, 1, 2, 4])
  return reshapedTo(g, moved, [rows!, channels * block * block, height / block, width / block], [x])
}
