import type { GraphBuilder } from '../onnx/builder'
import type { Attributes } from '../onnx/operators'
import type { Dimension, Value } from '../onnx/types'
import { attributesOf, coveredLength, spatialAxes, type Window, windowsOf } from '../onnx/windows'
import { convTranspose } from './convTranspose'
import { cutTo } from './movement'
import { asRows, expand, lengths, reshaped, reshapedTo } from './shapes'

/** What the gradients of convolutions are written from. */
interface Convolution {
  readonly graph: GraphBuilder
  readonly windows: readonly Window[]
  readonly group: number
}

/** A site of Conv or ConvTranspose. */
interface Site<Op extends 'Conv' | 'ConvTranspose'> {
  readonly graph: GraphBuilder
  readonly x: readonly [Value, Value, Value?, ...(Value | undefined)[]]
  readonly dy: readonly [Value, ...(Value | undefined)[]]
  readonly attributes: Readonly<Attributes[Op]>
  readonly asked: readonly boolean[]
}

/**
 * y[n, m, o] = Σ x[n, c, o s + k d - p] w[m, c, k] + b[m]: x gets the transposed convolution of dy, w the convolution of
 * x by dy, b the sum of dy.
 */
export function convGradient(site: Site<'Conv'>): readonly (Value | undefined)[] {
  const { graph: g, x, dy, attributes, asked } = site
  const [input, w] = x
  const windows = windowsOf(w.shape.slice(2), attributes)
  const convolution: Convolution = { graph: g, windows, group: attributes.group ?? 1 }
  return [
    asked[0] ? inputGradient(convolution, dy[0], w, input) : undefined,
    asked[1] ? weightGradient(convolution, input, dy[0], w) : undefined,
    asked[2] ? biasGradient(g, dy[0]) : undefined,
  ]
}

/** y is what a convolution would have as the gradient of its input: so x gets the convolution of dy. */
export function convTransposeGradient(site: Site<'ConvTranspose'>): readonly (Value | undefined)[] {
  const { graph: g, x, dy, attributes, asked } = site
  const [input, w] = x
  const windows = windowsOf(w.shape.slice(2), attributes)
  const { group = 1 } = attributes
  const back = (): Value => {
    const made = g.node('Conv', [dy[0], w], { ...attributesOf(windows), ...(group !== 1 && { group }) })[0]!
    return { ...made, shape: made.shape.map((length, axis) => (axis < 2 ? length : input.shape[axis]!)) }
  }
  return [
    asked[0] ? back() : undefined,
    asked[1] ? weightGradient({ graph: g, windows, group }, dy[0], input, w) : undefined,
    asked[2] ? biasGradient(g, dy[0]) : undefined,
  ]
}

function biasGradient(g: GraphBuilder, d: Value): Value {
  return g.reduceSum(d, [0, ...spatialAxes(d.shape.length)])
}

/** dx[n, c, i] = Σ dy[n, m, o] w[m, c, k] over all o and k with o s + k d - p = i. */
function inputGradient(convolution: Convolution, d: Value, w: Value, x: Value): Value {
  const { graph: g, windows, group } = convolution
  const fits = windows.map((window, i) => fitted(window, d.shape[i + 2]!, x.shape[i + 2]!))
  const extra = fits.map(fit => fit.extra)
  const made = convTranspose(g, d, w, undefined, {
    ...attributesOf(windows.map((window, i) => ({ ...window, after: fits[i]!.after }))),
    ...(extra.some(n => n > 0) && { output_padding: extra }),
    ...(group !== 1 && { group }),
  })
  return cutTo(g, made, x)
}

/** What has to be cut off or added at the end so that windows cover a length, or at least that length. */
function fitted(window: Window, count: Dimension, length: Dimension): { after: number; extra: number } {
  const { kernel, stride, after } = window
  if (typeof kernel === 'number' && typeof count === 'number' && typeof length === 'number') {
    const short = length - coveredLength(count, { ...window, kernel, after: 0 }, 0)
    return { after: Math.max(0, -short), extra: Math.max(0, short) }
  }
  // up to stride - 1 elements at the end were read by no window
  return stride === 1 ? { after, extra: 0 } : { after: 0, extra: stride - 1 }
}

/**
 * dw[m, c, k] = Σ x[n, c, o s + k d - p] dy[n, m, o]: the convolution of x by dy over rows, in which strides and
 * dilations change places. Groups stay groups: [groups · c, m] of each.
 */
function weightGradient({ graph: g, windows, group }: Convolution, x: Value, d: Value, w: Value): Value {
  const swapped = windows.map((window, i): Window => ({
    ...window,
    kernel: d.shape[i + 2]!,
    stride: window.dilation,
    dilation: window.stride,
  }))
  const rank = w.shape.length
  const byRows = [1, 0, ...spatialAxes(rank)]
  const made = g.node('Conv', [foldedRows(g, x, group), g.transpose(d, byRows)], {
    ...attributesOf(swapped),
    ...(group !== 1 && { group }),
  })[0]!
  return g.transpose(cutTo(g, made, { ...w, shape: byRows.map(axis => w.shape[axis]!) }), byRows)
}

/** [rows, groups · c, …] → [c, groups · rows, …] */
function foldedRows(g: GraphBuilder, x: Value, group: number): Value {
  const [rows, channels, ...rest] = x.shape as [Dimension, number, ...Dimension[]]
  if (group === 1) return g.transpose(x, [1, 0, ...spatialAxes(x.shape.length)])
  const each = channels / group
  const divided = reshapedTo(g, x, [rows, group, each, ...rest], [x])
  const turned = g.transpose(divided, [2, 1, 0, ...rest.map((_, i) => i + 3)])
  if (typeof rows === 'number') return reshapedTo(g, turned, [each, group * rows, ...rest], [x])
  const made = g.reshape(turned, g.concat([g.integers([each, -1]), lengths(g, rest, [x])], 0))
  return { ...made, shape: [each, made.shape[1]!, ...rest] }
}

/** Each window's gradient is shared among its elements: those of x alone, or with what was thought around it. */
export function averagePoolGradient(g: GraphBuilder, x: Value, d: Value, attributes: Attributes['AveragePool']): Value {
  const { kernel_shape: kernel, count_include_pad: included } = attributes
  const windows = windowsOf(kernel, attributes)
  const size = kernel.reduce((a, b) => a * b, 1)
  const isPadded = included !== 1 && windows.some(({ before, after }) => before + after > 0)
  const share = isPadded ? { ...g.div(d, insideShares(g, x, attributes)), shape: d.shape } : d
  // all channels alike: each is a picture of its own
  const [outer, inner] = [d.shape.slice(2), x.shape.slice(2)]
  const pictures = g.unsqueeze(asRows(g, share, outer), [1])
  const even = expand(g, g.constant(1 / size, d.dtype), [1, 1, ...kernel], [])
  const like: Value = { ...x, shape: [pictures.shape[0]!, 1, ...inner] }
  return reshaped(g, inputGradient({ graph: g, windows, group: 1 }, pictures, even, like), x)
}

/** The share of each window that lies inside of x: [1, 1, …]. */
function insideShares(g: GraphBuilder, x: Value, attributes: Attributes['AveragePool']): Value {
  const shape = [1, 1, ...x.shape.slice(2)]
  const ones = expand(g, g.constant(1, x.dtype), shape, [x])
  return g.node('AveragePool', [ones], { ...attributes, count_include_pad: 1 })[0]!
}
