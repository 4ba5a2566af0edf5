// the gradient of MaxPool, by comparisons: not every provider can say which element was the largest
import type { GraphBuilder } from '../onnx/builder'
import type { Attributes } from '../onnx/operators'
import { toEnd } from '../onnx/shapes'
import type { Value } from '../onnx/types'
import { attributesOf, spatialAxes, span, type Window, windowsOf } from '../onnx/windows'
import { Tensor } from '../tensor'
import { cutTo, merged } from './movement'
import { reshapedTo, zeros } from './shapes'

/** Pooling along one axis. */
interface Pooling {
  readonly graph: GraphBuilder
  readonly axis: number
  readonly window: Window & { readonly kernel: number }
  readonly ceil: boolean
}

/** What is thought to lie around: the least number. */
function leastOf({ dtype }: Value): number {
  return dtype === 'float16' ? -65504 : -3.4028234663852886e38
}

/**
 * Each window's gradient goes to the element that is its largest; of equal ones to the first, as in PyTorch. The largest
 * of a window is the largest of its rows' largest, and the first of them lies in the first such row: so it goes along one
 * axis after the other.
 */
export function maxPoolGradient(
  g: GraphBuilder,
  x: Value,
  y: Value,
  d: Value,
  attributes: Attributes['MaxPool'],
): Value {
  const windows = windowsOf(attributes.kernel_shape, attributes) as readonly Pooling['window'][]
  const poolings = spatialAxes(x.shape.length).flatMap((axis): readonly Pooling[] => {
    const window = windows[axis - 2]!
    const isStill = window.kernel === 1 && window.stride === 1 && window.before + window.after === 0
    return isStill ? [] : [{ graph: g, axis, window, ceil: attributes.ceil_mode === 1 }]
  })
  // what each of them has pooled: along the axes after its own
  const pooled = poolings.slice(1).reduceRight((values, one) => [pool(one, values[0]!), ...values], [x])
  return poolings.reduce(
    ([largest, gradient], one, i) => [pooled[i]!, gradientAlong(one, pooled[i]!, largest, gradient)] as const,
    [y, d] as const,
  )[1]
}

function pool({ graph: g, axis, window, ceil }: Pooling, x: Value): Value {
  const still: Pooling['window'] = { kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 }
  const windows = spatialAxes(x.shape.length).map(other => (other === axis ? window : still))
  const given = { kernel_shape: windows.map(({ kernel }) => kernel), ...attributesOf(windows) }
  return g.node('MaxPool', [x], { ...given, ...(ceil && { ceil_mode: 1 }) })[0]!
}

function gradientAlong(pooling: Pooling, x: Value, y: Value, d: Value): Value {
  const { graph: g, axis, window } = pooling
  const [length, count] = [x.shape[axis]!, y.shape[axis]!]
  const isKnown = typeof length === 'number' && typeof count === 'number'
  const doMeet = window.dilation === 1 && (window.stride === window.kernel || count === 1)
  if (isKnown && doMeet && window.kernel > fewElements) return gradientOfBlocks(pooling, [x, length], [y, count], d)
  const parts = elements(pooling, x, y)
  let rest = d
  const shares = parts.map((part, k) => {
    if (k === parts.length - 1) return rest
    const isLargest = g.equal(part, y)
    const share = g.where(isLargest, rest, 0)
    rest = g.where(isLargest, 0, rest)
    return { ...share, shape: y.shape }
  })
  return putBack(pooling, shares, x, y)
}

/**
 * Up to so many elements of a window are compared one after the other, also where windows meet: of short axes, ONNX
 * Runtime's processor is slow at comparing all at once (docs/log.md).
 */
const fewElements = 8

/** Where windows meet, they are an axis of their own: so many nodes, however long they are. */
function gradientOfBlocks(
  { graph: g, axis, window: { kernel, before } }: Pooling,
  [x, length]: readonly [Value, number],
  [y, count]: readonly [Value, number],
  d: Value,
): Value {
  const [ahead, behind] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)]
  const whole = count * kernel
  const after = whole - before - length
  const around = before > 0 || after > 0 ? pad(g, x, axis, [before, Math.max(0, after)], leastOf(x)) : x
  const read = after < 0 ? g.slice(around, [0], [whole], [axis]) : around
  const blocks = reshapedTo(g, read, [...ahead, count, kernel, ...behind], [x])
  const isLargest = g.equal(blocks, g.unsqueeze(y, [axis + 1]))
  // no two of a window have the same: the first of the largest has the most
  const column = [kernel, ...behind.map(() => 1)]
  const numbered = (from: number): Value =>
    g.constant(
      new Tensor(
        'float32',
        Float32Array.from({ length: kernel }, (_, k) => from - k),
        column,
      ),
    )
  const score = g.where(isLargest, numbered(kernel), numbered(0))
  const isFirst = g.equal(score, g.reduceMax(score, [axis + 1], true))
  const shares = g.where(isFirst, g.unsqueeze(d, [axis + 1]), 0)
  const back = reshapedTo(g, shares, [...ahead, whole, ...behind], [x])
  const inside = before > 0 || after > 0 ? g.slice(back, [before], [before + length], [axis]) : back
  const padded = after < 0 ? pad(g, inside, axis, [0, -after], 0) : inside
  return { ...padded, shape: x.shape }
}

/** The first element of each window, the second, and so on: each as long as what was pooled. */
function elements({ graph: g, axis, window, ceil }: Pooling, x: Value, y: Value): readonly Value[] {
  const { kernel, stride, dilation, before } = window
  const [length, count] = [x.shape[axis]!, y.shape[axis]!]
  const isKnown = typeof length === 'number' && typeof count === 'number'
  const reach = span(kernel, dilation) - 1
  const after = isKnown
    ? Math.max(0, (count - 1) * stride + reach + 1 - before - length)
    : window.after + (ceil ? stride - 1 : 0)
  const around = before + after === 0 ? x : pad(g, x, axis, [before, after], leastOf(x))
  return Array.from({ length: kernel }, (_, k) => {
    const left = reach - k * dilation // behind the last one
    const [from, to] = [k * dilation, left === 0 ? toEnd : -left]
    if (from === 0 && left === 0 && stride === 1) return around
    const steps = stride === 1 ? [] : [g.integers([stride])]
    const part = g.node('Slice', [around, ...[from, to, axis].map(n => g.integers([n])), ...steps], {})[0]!
    return isKnown || !ceil ? { ...part, shape: y.shape } : cutTo(g, part, y)
  })
}

/** Sums of what the windows give each element: that with the number k of the window o is o · stride + k · dilation. */
function putBack(pooling: Pooling, shares: readonly Value[], x: Value, y: Value): Value {
  const { graph: g, axis, window } = pooling
  const { stride, dilation, before } = window
  const [length, count] = [x.shape[axis]!, y.shape[axis]!]
  const most = Math.floor(((window.kernel - 1) * dilation) / stride)
  const isKnown = typeof length === 'number' && typeof count === 'number'
  const more = isKnown ? Math.max(most, Math.ceil((before + length) / stride) - count) : most + (stride === 1 ? 0 : 1)
  // one lane for each remainder of the place by the stride
  const lanes: (Value | undefined)[] = Array.from({ length: stride })
  for (const [k, share] of shares.entries()) {
    const [lane, at] = [(k * dilation) % stride, Math.floor((k * dilation) / stride)]
    const moved = more === 0 ? share : pad(g, share, axis, [at, more - at], 0)
    // padded to one length, whatever its name
    lanes[lane] = lanes[lane] === undefined ? moved : g.add(lanes[lane], { ...moved, shape: lanes[lane].shape })
  }
  return cut(pooling, interleaved(g, lanes, axis), x)
}

function interleaved(g: GraphBuilder, lanes: readonly (Value | undefined)[], axis: number): Value {
  const { shape, dtype } = lanes[0]!
  if (lanes.length === 1) return lanes[0]!
  const all = lanes.map(lane => g.unsqueeze({ ...(lane ?? zeros(g, dtype, shape, [lanes[0]!])), shape }, [axis + 1]))
  const stacked = g.concat(all, axis + 1)
  const [ahead, length, behind] = [shape.slice(0, axis), shape[axis]!, shape.slice(axis + 1)]
  return typeof length === 'number'
    ? reshapedTo(g, stacked, [...ahead, length * lanes.length, ...behind], [lanes[0]!])
    : merged(g, stacked, ahead, behind)
}

/** Without what lies before x and after it. */
function cut({ graph: g, axis, window }: Pooling, whole: Value, x: Value): Value {
  const { before, after, stride } = window
  const [made, length] = [whole.shape[axis]!, x.shape[axis]!]
  const isExact = typeof made !== 'number' && stride === 1
  const end = typeof length === 'number' ? before + length : isExact && after > 0 ? -after : toEnd
  const inside = before === 0 && (end === toEnd || end === made) ? whole : g.slice(whole, [before], [end], [axis])
  return isExact || typeof length === 'number' ? { ...inside, shape: x.shape } : cutTo(g, inside, x)
}

function pad(g: GraphBuilder, x: Value, axis: number, amounts: readonly [number, number], value: number): Value {
  const all = amounts.flatMap(amount => x.shape.map((_, i) => (i === axis ? amount : 0)))
  const filler = value === 0 ? [] : [g.constant(value, x.dtype)]
  return g.node('Pad', [x, g.integers(all), ...filler], { mode: 'constant' })[0]!
}
