import { TrainerError } from '../errors'
import { asRows, reshapedTo } from '../autodiff/shapes'
import type { Dimension, Value } from '../onnx/types'
import { attributesOf, spatialAxes, span, windowCount, withoutCeil } from '../onnx/windows'
import { Tensor } from '../tensor'
import type { LoweringTable, Site } from './Lowering'
import { type KnownWindow, windowsAt } from './windows'
import { affordable, known } from './writing'

/** Pooling. */
export const pooling: LoweringTable = {
  MaxPool: { how: 'as it is, with the padding that auto_pad means', lower: maxPool },
  AveragePool: {
    how: 'as it is; dilated as a Conv by equal weights; each mean over its own count',
    lower: averagePool,
  },
  LpPool: { how: 'the mean of |x|ᵖ times its count, to the power of 1 / p', lower: lpPool },
  GlobalAveragePool: {
    how: 'ReduceMean',
    lower: ({ graph: g, input }) => g.reduceMean(input(0), spatialAxes(input(0).shape.length), true),
  },
  GlobalMaxPool: { how: 'MaxPool over all, ReduceMax where lengths are not known', lower: globalMaxPool },
  GlobalLpPool: {
    how: 'the sum of |x|ᵖ to the power of 1 / p',
    lower({ graph: g, input, attributes }) {
      const p = attributes.int('p', 2)
      const sums = g.reduceSum(power(g, input(0), p), spatialAxes(input(0).shape.length), true)
      return root(g, sums, p)
    },
  },
}

function maxPool(site: Site): readonly (Value | undefined)[] {
  const { graph: g, input, attributes, isRead } = site
  const x = input(0)
  const windows = windowsAt(site, x)
  const byColumns = attributes.int('storage_order', 0) === 1
  if (byColumns && isRead(1))
    throw new TrainerError('graph', 'places counted by columns (storage_order = 1) are not supported.', {
      fix: 'Export the model with storage_order = 0.',
    })
  const isCeil = attributes.int('ceil_mode', 0) === 1
  const settled = isCeil ? withoutCeil(x.shape.slice(2), windows) : windows
  const given = {
    kernel_shape: windows.map(({ kernel }) => kernel),
    ...attributesOf(settled ?? windows),
    ...(settled === undefined && { ceil_mode: 1 }),
  }
  return g.node('MaxPool', [x], given, isRead(1) ? 2 : 1)
}

function globalMaxPool({ graph: g, input }: Site): Value {
  const x = input(0)
  const kernel: readonly Dimension[] = x.shape.slice(2)
  if (!known(kernel)) return g.reduceMax(x, spatialAxes(x.shape.length), true)
  return g.node('MaxPool', [x], { kernel_shape: kernel })[0]!
}

function averagePool(site: Site): Value {
  const { graph: g, input, attributes } = site
  const x = input(0)
  const windows = windowsAt(site, x)
  const included = attributes.int('count_include_pad', 0) === 1
  const hanging = attributes.int('ceil_mode', 0) === 1 ? overhang(x, windows) : windows.map(() => 0)
  const isDilated = windows.some(({ dilation }) => dilation !== 1)
  const isPadded = windows.some(({ before, after }) => before + after > 0)
  if (!isDilated && hanging.every(n => n === 0)) return means(site, x, windows, included && isPadded)
  const wider = windows.map((window, i) => ({ ...window, after: window.after + hanging[i]! }))
  const sums = isDilated ? dilatedMeans(site, x, wider) : means(site, x, wider, true)
  if (wider.every(({ before, after }) => before + after === 0)) return sums
  // what hangs over the padding never counts
  const counted = included ? windows : windows.map(window => ({ ...window, before: 0, after: 0 }))
  return g.mul(sums, shareOfCounted(site, x, wider, counted))
}

/** How far the last window of each axis hangs over, where ceil_mode has one more. */
function overhang(x: Value, windows: readonly KnownWindow[]): readonly number[] {
  return windows.map((window, i) => {
    const length = x.shape[i + 2]!
    if (typeof length === 'string') {
      throw new TrainerError('graph', `its ceil_mode depends on the length "${length}", which is not known.`, {
        fix: 'Export the model with that length fixed.',
      })
    }
    const more = windowCount(length, window, true) - windowCount(length, window)
    if (more === 0) return 0
    const room = length + window.before + window.after - span(window.kernel, window.dilation)
    return window.stride - (room % window.stride)
  })
}

function means({ graph: g }: Site, x: Value, windows: readonly KnownWindow[], included: boolean): Value {
  const given = { kernel_shape: windows.map(({ kernel }) => kernel), ...attributesOf(windows) }
  return g.node('AveragePool', [x], { ...given, ...(included && { count_include_pad: 1 }) })[0]!
}

/** The sum of each window over its number of elements, each channel a picture of its own. */
function dilatedMeans({ graph: g }: Site, x: Value, windows: readonly KnownWindow[]): Value {
  const kernel = windows.map(({ kernel: length }) => length)
  const size = kernel.reduce((a, b) => a * b, 1)
  const weight = g.constant(
    new Tensor('float32', new Float32Array(affordable(size, 'the weights of a window')).fill(1 / size), [
      1,
      1,
      ...kernel,
    ]),
  )
  const pictures = g.unsqueeze(asRows(g, x, x.shape.slice(2)), [1])
  const made = g.node('Conv', [pictures, weight], attributesOf(windows))[0]!
  return reshapedTo(g, made, [...x.shape.slice(0, 2), ...made.shape.slice(2)], [x, made])
}

/** For each window, its number of elements over the number of those that count: [1, 1, …]. */
function shareOfCounted(
  { graph: g }: Site,
  x: Value,
  windows: readonly KnownWindow[],
  counted: readonly KnownWindow[],
): Value {
  const lengths: readonly Dimension[] = x.shape.slice(2)
  if (!known(lengths)) {
    throw new TrainerError('graph', `how many elements each mean is over is not known for [${lengths.join(', ')}].`, {
      fix: 'Export the model with its lengths fixed.',
    })
  }
  return lengths
    .map((length, axis) => {
      const window = windows[axis]!
      const { before, after } = counted[axis]!
      const count = windowCount(length, window)
      affordable(count * window.kernel, 'the places of its windows')
      const shares = Array.from({ length: count }, (_, o) => {
        const places = Array.from(
          { length: window.kernel },
          (_, k) => o * window.stride + k * window.dilation - window.before,
        )
        return window.kernel / places.filter(place => place >= -before && place < length + after).length
      })
      return g.constant(
        new Tensor('float32', Float32Array.from(shares), spatialDims(lengths.length, axis, shares.length)),
      )
    })
    .reduce((a, b) => g.mul(a, b))
}

function spatialDims(axes: number, axis: number, length: number): readonly number[] {
  return [1, 1, ...Array.from({ length: axes }, (_, i) => (i === axis ? length : 1))]
}

function lpPool(site: Site): Value {
  const { graph: g, input, attributes } = site
  const x = input(0)
  const p = attributes.int('p', 2)
  const windows = windowsAt(site, x)
  if (attributes.int('ceil_mode', 0) === 1 && overhang(x, windows).some(n => n > 0))
    throw new TrainerError('graph', 'windows that hang over the end (ceil_mode = 1) are not supported.')
  const powers = power(g, x, p)
  const isDilated = windows.some(({ dilation }) => dilation !== 1)
  const size = windows.reduce((product, { kernel }) => product * kernel, 1)
  return root(g, g.mul(isDilated ? dilatedMeans(site, powers, windows) : means(site, powers, windows, true), size), p)
}

/** |x|ᵖ */
function power(g: Site['graph'], x: Value, p: number): Value {
  return p === 1 ? g.abs(x) : p === 2 ? g.mul(x, x) : g.pow(g.abs(x), p)
}

/** The p-th root of sums, with a gradient of 0 where a sum is 0. */
export function root(g: Site['graph'], sums: Value, p: number): Value {
  if (p === 1) return sums
  const isZero = g.equal(sums, 0)
  const safe = g.where(isZero, 1, sums)
  return g.where(isZero, 0, p === 2 ? g.sqrt(safe) : g.pow(safe, 1 / p))
}
