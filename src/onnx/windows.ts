// the arithmetic of windows that move over axes: what convolutions and pooling have in common
import { TrainerError } from '../errors'
import type { WindowAttributes } from './operators'
import type { Dimension } from './types'

/** A window along one axis. */
export interface Window {
  /** Its number of elements; a name where that is known only when the graph runs. */
  readonly kernel: Dimension
  readonly stride: number
  readonly dilation: number
  /** What is thought to lie before the first element and after the last. */
  readonly before: number
  readonly after: number
}

/**
 * The windows along all axes.
 * @throws TrainerError for attributes of another number of axes, and for numbers that cannot be.
 */
export function windowsOf(kernel: readonly Dimension[], attributes: WindowAttributes): readonly Window[] {
  const axes = kernel.length
  const { strides, dilations, pads } = attributes
  const least = { strides: 1, dilations: 1, pads: 0 }
  for (const [name, given] of Object.entries({ strides, dilations, pads })) {
    const wanted = name === 'pads' ? 2 * axes : axes
    if (given !== undefined && given.length !== wanted)
      throw new TrainerError('graph', `${name} must have ${wanted} entries, not ${given.length}.`)
    const bad = given?.find(n => !Number.isInteger(n) || n < least[name as keyof typeof least])
    if (bad !== undefined) throw new TrainerError('graph', `${name} has the entry ${bad}.`)
  }
  return kernel.map((length, i) => ({
    kernel: length,
    stride: strides?.[i] ?? 1,
    dilation: dilations?.[i] ?? 1,
    before: pads?.[i] ?? 0,
    after: pads?.[i + axes] ?? 0,
  }))
}

/** The attributes that say the same; those without effect are left out. */
export function attributesOf(windows: readonly Window[]): WindowAttributes {
  const strides = windows.map(({ stride }) => stride)
  const dilations = windows.map(({ dilation }) => dilation)
  const pads = [...windows.map(({ before }) => before), ...windows.map(({ after }) => after)]
  return {
    ...(strides.some(n => n !== 1) && { strides }),
    ...(dilations.some(n => n !== 1) && { dilations }),
    ...(pads.some(n => n !== 0) && { pads }),
  }
}

/** From the first element that a window reads to the last, both included. */
export function span(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1
}

/**
 * How many windows fit.
 * @param ceil whether one more counts that hangs over the end, if it starts before it.
 * @throws TrainerError where not even one does.
 */
export function windowCount(length: number, window: Window & { readonly kernel: number }, ceil = false): number {
  const { kernel, stride, dilation, before, after } = window
  const room = length + before + after - span(kernel, dilation)
  if (room < 0 && !ceil)
    throw new TrainerError('graph', `a window over ${span(kernel, dilation)} does not fit a length of ${length}.`)
  const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
  return ceil && (count - 1) * stride >= length + before ? count - 1 : count
}

/**
 * The windows that ceil_mode means, by padding alone; undefined where a length is not known, or ONNX Runtime allows no
 * such padding. What ONNX infers of ceil_mode has a window too many where the last would start behind the end.
 */
export function withoutCeil<One extends Window & { readonly kernel: number }>(
  lengths: readonly Dimension[],
  windows: readonly One[],
): readonly One[] | undefined {
  const settled = windows.map((window, i) => {
    const { kernel, stride, dilation, before } = window
    const length = lengths[i]!
    const count = typeof length === 'number' ? windowCount(length, window, true) : NaN
    const after = Math.max(0, (count - 1) * stride + span(kernel, dilation) - before - Number(length))
    return { ...window, after }
  })
  return settled.every(({ after, kernel }) => after < kernel) ? settled : undefined // NaN is not
}

/** How many windows fit along each axis, where a length may have a name; a length that stays as it is keeps its name. */
export function windowCounts(
  lengths: readonly Dimension[],
  windows: readonly Window[],
  unknown: () => Dimension,
  ceil = false,
): readonly Dimension[] {
  return windows.map((window, i) => {
    const { kernel, stride, dilation, before, after } = window
    const length = lengths[i]!
    if (typeof kernel === 'string') return unknown()
    if (typeof length === 'number') return windowCount(length, { ...window, kernel }, ceil)
    return stride === 1 && before + after === span(kernel, dilation) - 1 ? length : unknown()
  })
}

/** The length that windows put in place of each element cover, after what lies outside is cut off. */
export function coveredLength(count: number, window: Window & { readonly kernel: number }, extra: number): number {
  const { kernel, stride, dilation, before, after } = window
  return (count - 1) * stride + span(kernel, dilation) + extra - before - after
}

/** The axes behind the first two: those that windows move over. */
export function spatialAxes(rank: number): readonly number[] {
  return Array.from({ length: rank - 2 }, (_, i) => i + 2)
}
