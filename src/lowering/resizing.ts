import { TrainerError } from '../errors'
import { positive } from '../onnx/shapes'
import type { Dimension, Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { merged } from './axes'
import type { LoweringTable, Site } from './Lowering'
import { affordable } from './writing'

/** What makes pictures larger or smaller. */
export const resizing: LoweringTable = {
  Resize: {
    how: 'axis by axis: copies where each element is repeated, Gather else; linear and cubic as a product with weights',
    carries: [0],
    lower: resize,
  },
  Upsample: { how: 'the same', carries: [0], lower: upsample },
}

/** Where an element of the result lies in what is resized. */
type Coordinate = (at: number, scale: number, length: number, resized: number) => number

const halfPixel: Coordinate = (at, scale) => (at + 0.5) / scale - 0.5
const coordinates: Readonly<Record<string, Coordinate>> = {
  asymmetric: (at, scale) => at / scale,
  half_pixel: halfPixel,
  pytorch_half_pixel: (at, scale, length, resized) => (resized > 1 ? halfPixel(at, scale, length, resized) : 0),
  half_pixel_symmetric(at, scale, length, resized) {
    const adjustment = resized / (scale * length)
    const centre = length / 2
    return centre * (1 - adjustment) + halfPixel(at, scale, length, resized)
  },
  align_corners: (at, _, length, resized) => (resized === 1 ? 0 : (at * (length - 1)) / (resized - 1)),
  tf_half_pixel_for_nn: (at, scale) => (at + 0.5) / scale,
}

const rounding: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: x => Math.ceil(x - 0.5),
  round_prefer_ceil: x => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
}

/** What each element of the result is made of: places, which may lie beyond the ends, and their weights. */
type Taps = (place: number) => readonly (readonly [place: number, weight: number])[]

/** How an axis is resized. */
interface Resizing {
  readonly coordinate: Coordinate
  readonly round: (x: number) => number
  /** What is weighed; undefined where the nearest element is taken. */
  readonly taps: Taps | undefined
}

/** The two elements beside a place. */
const linear: Taps = place => {
  const before = Math.floor(place)
  return [
    [before, 1 - (place - before)],
    [before + 1, place - before],
  ]
}

/** The four elements beside a place, by the kernel of Keys 1981. */
function cubic(a: number): Taps {
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1
  const far = (x: number): number => ((x - 5) * x + 8) * x * a - 4 * a
  return place => {
    const before = Math.floor(place)
    const t = place - before
    return [
      [before - 1, far(t + 1)],
      [before, near(t)],
      [before + 1, near(1 - t)],
      [before + 2, far(2 - t)],
    ]
  }
}

function upsample(site: Site): Value {
  const { attributes, input, opset } = site
  const scales = opset < 9 ? attributes.numbers('scales') : site.numbers(1, 'scales')
  if (scales === undefined) throw new TrainerError('file', 'its attribute scales is missing.')
  const resizing = {
    coordinate: coordinates.asymmetric!,
    round: Math.floor,
    taps: interpolation(attributes.text('mode', 'nearest'), -0.75),
  }
  return scales.reduce((x, scale, axis) => resizedAxis(site, x, axis, scale, undefined, resizing), input(0))
}

function resize(site: Site): Value {
  const { attributes, input, inputs, opset, node } = site
  const x = input(0)
  const old = opset < 11
  const resizing = {
    taps: interpolation(attributes.text('mode', 'nearest'), attributes.float('cubic_coeff_a', -0.75)),
    coordinate: old
      ? coordinates.asymmetric!
      : chosen(site, 'coordinate_transformation_mode', 'half_pixel', coordinates),
    round: old ? Math.floor : chosen(site, 'nearest_mode', 'round_prefer_floor', rounding),
  }
  refuseOthers(site)
  const axes = attributes.numbers('axes')?.map(axis => positive(axis, x.shape.length))
  const each = axes ?? x.shape.map((_, i) => i)
  const sizes = inputs[3] === undefined ? undefined : site.lengths(inputs[3])
  if (inputs[3] !== undefined && sizes === undefined)
    throw new TrainerError('graph', `its sizes ("${node.inputs[3]}") are known only when the graph runs.`, {
      fix: fixed,
    })
  const scales = sizes === undefined ? site.numbers(old ? 1 : 2, 'scales') : undefined
  return each.reduce((made, axis, i) => resizedAxis(site, made, axis, scales?.[i], sizes?.[i], resizing), x)
}

const fixed = 'Export the model with its lengths fixed.'

/** Options of other results than these. */
function refuseOthers({ attributes }: Site): void {
  const neutral = { antialias: 0, exclude_outside: 0, keep_aspect_ratio_policy: 'stretch' } as const
  for (const [name, wanted] of Object.entries(neutral)) {
    const given = typeof wanted === 'number' ? attributes.int(name, wanted) : attributes.text(name, wanted)
    if (given !== wanted) throw new TrainerError('graph', `${name} = ${given} is not supported.`)
  }
  attributes.ignore('extrapolation_value') // of another mode
}

function interpolation(mode: string, coefficient: number): Taps | undefined {
  if (mode === 'nearest') return undefined
  if (mode === 'linear' || mode === 'bilinear') return linear
  if (mode === 'cubic') return cubic(coefficient)
  throw new TrainerError('graph', `mode "${mode}" is not supported.`, { fix: 'Use mode nearest, linear or cubic.' })
}

function chosen<T>({ attributes }: Site, name: string, otherwise: string, known: Readonly<Record<string, T>>): T {
  const given = attributes.text(name, otherwise)
  if (Object.hasOwn(known, given)) return known[given]!
  throw new TrainerError('graph', `${name} "${given}" is not one of ${Object.keys(known).join(', ')}.`)
}

function resizedAxis(
  site: Site,
  x: Value,
  axis: number,
  stated: number | undefined,
  size: Dimension | undefined,
  resizing: Resizing,
): Value {
  const length = x.shape[axis]!
  if (stated === 1 || (size !== undefined && size === length)) return x
  if (typeof length === 'string') {
    const copies = stated !== undefined && isRepetition(4, stated, resizing)
    if (copies) return repeated(site, x, axis, stated)
    throw new TrainerError('graph', `the axis ${axis} cannot be resized, whose length "${length}" is not known.`, {
      fix: fixed,
    })
  }
  const scale = stated ?? Number(size) / length
  const resized = size ?? Math.floor(length * scale)
  if (typeof resized !== 'number' || Number.isNaN(scale))
    throw new TrainerError('graph', `the size of axis ${axis} is known only when the graph runs.`, { fix: fixed })
  if (isRepetition(length, scale, resizing)) return repeated(site, x, axis, scale)
  return resizing.taps !== undefined
    ? interpolated(site, x, axis, [length, resized, scale], resizing.coordinate, resizing.taps)
    : site.graph.gather(x, site.graph.integers(placesOf(length, resized, scale, resizing)), axis)
}

/** Which element each of the result is. */
function placesOf(length: number, resized: number, scale: number, { coordinate, round }: Resizing): readonly number[] {
  return Array.from({ length: affordable(resized, 'the places of what is resized') }, (_, at) =>
    Math.min(length - 1, Math.max(0, round(coordinate(at, scale, length, resized)))),
  )
}

/** Whether each element is repeated, all as many times. */
function isRepetition(length: number, scale: number, resizing: Resizing): boolean {
  if (resizing.taps !== undefined || !Number.isInteger(scale)) return false
  return placesOf(length, length * scale, scale, resizing).every((place, at) => place === Math.floor(at / scale))
}

/** By copies along an axis of its own: their gradient is a sum, and no scatter. */
function repeated({ graph: g }: Site, x: Value, axis: number, times: number): Value {
  const stretch = g.integers([...x.shape.map(() => 1), 1].with(axis + 1, times))
  const copies = g.node('Expand', [g.unsqueeze(x, [axis + 1]), stretch], {})[0]!
  return merged(g, copies, axis)
}

/** A product with the weights of the elements beside each, [resized, length]; beyond the ends is the last one. */
function interpolated(
  { graph: g }: Site,
  x: Value,
  axis: number,
  [length, resized, scale]: readonly [number, number, number],
  coordinate: Coordinate,
  taps: Taps,
): Value {
  const weights = new Float32Array(affordable(resized * length, 'the weights of what is resized'))
  for (let at = 0; at < resized; at++) {
    for (const [place, weight] of taps(coordinate(at, scale, length, resized)))
      weights[at * length + Math.min(length - 1, Math.max(0, place))]! += weight
  }
  const rank = x.shape.length
  const turned = g.constant(new Tensor('float32', weights, [resized, length]))
  if (axis === rank - 2) return g.matMul(turned, x)
  const last = g.transpose(turned, [1, 0])
  if (axis === rank - 1) return g.matMul(x, last)
  const order = x.shape.map((_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i))
  return g.transpose(g.matMul(g.transpose(x, order), last), order)
}
