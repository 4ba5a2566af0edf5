import { convTranspose as transposed } from '../autodiff/convTranspose'
import { TrainerError } from '../errors'
import type { Dimension, Value } from '../onnx/types'
import { attributesOf, coveredLength, spatialAxes } from '../onnx/windows'
import type { LoweringTable, Site } from './Lowering'
import { autoPad, type KnownWindow, shared, statedWindows, windowsAt } from './windows'

/** Convolutions. */
export const convolution: LoweringTable = {
  Conv: { how: 'as it is, with the padding that auto_pad means', lower: conv },
  ConvTranspose: {
    how: 'as it is, with the padding that auto_pad and output_shape mean; channels of a group that become one, one by one',
    lower: convTranspose,
  },
}

function conv(site: Site): Value {
  const { graph: g, inputs, input, attributes } = site
  const [x, w] = [input(0), input(1)]
  const group = attributes.int('group', 1)
  const given = { ...attributesOf(windowsAt(site, x, w)), ...(group !== 1 && { group }) }
  return g.node('Conv', inputs[2] === undefined ? [x, w] : [x, w, inputs[2]], given)[0]!
}

/** A window, and how many elements more its axis has at the end than the windows cover. */
interface Transposed {
  readonly window: KnownWindow
  readonly extra: number
}

function convTranspose(site: Site): Value {
  const { graph: g, inputs, input, attributes } = site
  const [x, w, bias] = [input(0), input(1), inputs[2]]
  const group = attributes.int('group', 1)
  const axes = transposedAxes(site, x, w).map(trimmed)
  // of what has to be added, the runtime adds less than a stride itself
  const extra = axes.map(({ extra: n, window }) => Math.min(n, window.stride - 1))
  const rest = axes.map(({ extra: n }, i) => n - extra[i]!)
  const given = {
    ...attributesOf(axes.map(({ window }) => window)),
    ...(extra.some(n => n > 0) && { output_padding: extra }),
    ...(group !== 1 && { group }),
  }
  if (rest.every(n => n === 0)) return transposed(g, x, w, bias, given)
  const made = transposed(g, x, w, undefined, given)
  const amounts = [0, 0, ...axes.map(() => 0), 0, 0, ...rest]
  const grown = g.node('Pad', [made, g.integers(amounts)], { mode: 'constant' })[0]!
  return bias === undefined ? grown : g.add(grown, alongChannels(site, bias, x.shape.length))
}

/** What is cut off and what is added at the end, against each other. */
function trimmed({ window, extra }: Transposed): Transposed {
  const net = extra - window.after
  return { window: { ...window, after: Math.max(0, -net) }, extra: Math.max(0, net) }
}

function transposedAxes(site: Site, x: Value, w: Value): readonly Transposed[] {
  const { attributes } = site
  const windows = statedWindows(site, x, w)
  const mode = autoPad(site)
  const extra = attributes.numbers('output_padding') ?? windows.map(() => 0)
  const wanted = attributes.numbers('output_shape')?.slice(-windows.length)
  if (extra.length !== windows.length || (wanted ?? extra).length !== windows.length)
    throw new TrainerError('file', `output_padding and output_shape should have ${windows.length} entries.`)
  return windows.map((stated, i): Transposed => {
    const [count, more] = [x.shape[i + 2]!, extra[i]!]
    if (wanted === undefined && mode === 'NOTSET') return { window: stated, extra: more }
    const window = { ...stated, before: 0, after: 0 }
    if (wanted === undefined && mode === 'VALID') return { window, extra: more }
    const over = wanted === undefined ? overStrides(window, more) : overLength(count, window, more, wanted[i]!)
    const padding = shared(Math.max(0, over), mode === 'SAME_UPPER')
    return { window: { ...window, ...padding }, extra: more + Math.max(0, -over) }
  })
}

/** How much longer what is made is than the input's length times the stride. */
function overStrides(window: KnownWindow, extra: number): number {
  return coveredLength(1, window, extra) - window.stride
}

function overLength(count: Dimension, window: KnownWindow, extra: number, wanted: number): number {
  if (typeof count === 'number') return coveredLength(count, window, extra) - wanted
  throw new TrainerError('graph', `its output_shape is fixed, but the length "${count}" of its input is not known.`, {
    fix: 'Export the model with that length fixed, or with pads.',
  })
}

/** One number for each channel as what is broadcast over an image of that rank: [channels, 1, …]. */
export function alongChannels({ graph: g }: Pick<Site, 'graph'>, value: Value, rank: number): Value {
  return rank === 2
    ? value
    : g.unsqueeze(
        value,
        spatialAxes(rank).map(axis => axis - 1),
      )
}
