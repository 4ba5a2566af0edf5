// the attributes by which files say where windows stand
import { TrainerError } from '../errors'
import type { Dimension, Value } from '../onnx/types'
import { span, type Window, windowsOf } from '../onnx/windows'
import type { Site } from './Lowering'
import { known } from './writing'

/** A window whose kernel is known. */
export interface KnownWindow extends Window {
  readonly kernel: number
}

/** How auto_pad spreads what is needed. */
export type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER'

/**
 * The windows of a node over an input, auto_pad worked out.
 * @param weight what the kernel's lengths are those of, where it is not the attribute that says them.
 * @throws TrainerError where the padding depends on a length that is not known.
 */
export function windowsAt(site: Site, x: Value, weight?: Value): readonly KnownWindow[] {
  const windows = statedWindows(site, x, weight)
  const mode = autoPad(site)
  if (mode === 'NOTSET') return windows
  const lengths = x.shape.slice(2)
  return windows.map((window, i): KnownWindow => {
    if (mode === 'VALID') return { ...window, before: 0, after: 0 }
    return { ...window, ...shared(samePadding(lengths[i]!, window), mode === 'SAME_UPPER') }
  })
}

/** The same as the attributes have it. */
export function statedWindows({ attributes, node }: Site, x: Value, weight: Value | undefined): readonly KnownWindow[] {
  const stated = attributes.numbers('kernel_shape')
  const kernel: readonly Dimension[] | undefined = stated ?? weight?.shape.slice(2)
  if (kernel === undefined || !known(kernel))
    throw new TrainerError('graph', `the lengths of the kernel of ${node.op} are not known.`)
  if (kernel.length !== x.shape.length - 2)
    throw new TrainerError('file', `a kernel over ${kernel.length} axes does not fit the rank ${x.shape.length}.`)
  const [strides, dilations, pads] = ['strides', 'dilations', 'pads'].map(name => attributes.numbers(name))
  const given = { ...(strides && { strides }), ...(dilations && { dilations }), ...(pads && { pads }) }
  return windowsOf(kernel, given) as readonly KnownWindow[]
}

/** @throws TrainerError for another word. */
export function autoPad({ attributes }: Site): AutoPad {
  const mode = attributes.text('auto_pad', 'NOTSET')
  if (mode === 'NOTSET' || mode === 'VALID' || mode === 'SAME_UPPER' || mode === 'SAME_LOWER') return mode
  throw new TrainerError('file', `auto_pad is "${mode}", not NOTSET, VALID, SAME_UPPER or SAME_LOWER.`)
}

/** Padding in two: of an odd one, the larger half at the end or at the beginning. */
export function shared(total: number, moreAtEnd: boolean): { before: number; after: number } {
  const less = Math.floor(total / 2)
  return moreAtEnd ? { before: less, after: total - less } : { before: total - less, after: less }
}

/** The padding by which there are length / stride windows, rounded up. */
function samePadding(length: Dimension, { kernel, stride, dilation }: KnownWindow): number {
  if (stride === 1) return span(kernel, dilation) - 1
  if (typeof length === 'string') {
    throw new TrainerError('graph', `its auto_pad depends on the length "${length}", which is not known.`, {
      fix: 'Export the model with that length fixed, or with pads.',
    })
  }
  return Math.max(0, (Math.ceil(length / stride) - 1) * stride + span(kernel, dilation) - length)
}
