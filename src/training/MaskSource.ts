import type { AttentionMask, DenseMask, FusedEngine, MaskKey } from '../engine/fused/FusedEngine'
import { Scratch } from '../engine/fused/scratch'
import { TrainerError } from '../errors'
import type { Feed } from '../feeds/FeedLayout'
import type { RowNumbers } from '../feeds/rowNumbers'
import type { DropoutSite, Trial } from '../models/Model'
import { maskShapes } from '../models/trial'
import { type DataType, sizeOf, Tensor } from '../tensor'
import type { LabelledFeed } from './LabelledFeed'

/**
 * Draws a model's dropout masks: a function of (seed, step, site in the model, row and token of the update), whatever
 * the threads, the micro-batches and processes that an update is divided into, and the groups that attention is computed
 * in. A padded layout counts its padding as tokens, so that its masks are others than those of a packed one.
 */
export class MaskSource {
  readonly #sites: readonly DropoutSite[]
  /** The sites' names in the model, whose order numbers them. */
  readonly #places: readonly string[]
  readonly #fused: FusedEngine
  readonly #scratch: Scratch
  readonly #trial: Trial | undefined
  /** The shapes of masks by those of batches, where lengths of masks are others than those of inputs. */
  readonly #shapes = new Map<string, ReadonlyMap<string, readonly (number | string)[]>>()

  /** @param trial the graph that they are masks of, where it was made elsewhere. */
  constructor(sites: readonly DropoutSite[], fused: FusedEngine, trial?: Trial) {
    this.#sites = sites
    this.#trial = trial
    this.#places = [...new Set(sites.map(({ place }) => place))]
    this.#fused = fused
    this.#scratch = new Scratch(fused.arena)
  }

  /**
   * The masks of a feed, by the names of the inputs that they are; each call overwrites the last one's.
   * @param numbers of the rows of its batch.
   */
  async draw(
    feed: Feed & Partial<Pick<LabelledFeed, 'labels'>>,
    numbers: RowNumbers,
    key: { readonly seed: number; readonly step: number },
  ): Promise<Record<string, Tensor>> {
    const drawn: Record<string, Tensor> = {}
    const masks = this.#sites.flatMap(site => {
      const dims = this.#dimsOf(site, feed)
      const into = this.#scratch.take(site.input, sizeOf(dims), site.dtype === 'bool' ? 'uint8' : 'float32')
      drawn[site.input] = new Tensor<DataType>(site.dtype, into, dims)
      const mask = { into, p: site.probability, key: { ...key, site: this.#places.indexOf(site.place) } }
      return partsOf(site, dims, feed, numbers, mask)
    })
    await this.#fused.dropoutMasks(masks)
    return drawn
  }

  dispose(): void {
    this.#scratch.dispose()
  }

  /** @throws TrainerError ('graph') for a length that the values of a batch decide. */
  #dimsOf({ input, place, shape }: DropoutSite, feed: Parameters<MaskSource['draw']>[0]): readonly number[] {
    const known = shape.map(length => (typeof length === 'number' ? length : feed.lengths[length]))
    if (areNumbers(known)) return known
    const found = this.#shapesFor(feed)?.get(input)
    if (found !== undefined && areNumbers(found)) return found
    const open = (found ?? shape).find(length => typeof length === 'string')
    throw new TrainerError(
      'graph',
      `The mask of the dropout "${place}" has the length "${open}", which is not known.`,
      {
        fix: 'Export the model with its lengths fixed, or in evaluation mode, without its dropout.',
      },
    )
  }

  #shapesFor({ inputs, labels }: Parameters<MaskSource['draw']>[0]): ReturnType<typeof maskShapes> | undefined {
    if (this.#trial === undefined) return undefined
    const given = { ...inputs, ...labels?.inputs }
    const key = Object.entries(given)
      .map(([name, { dims }]) => `${name}[${dims.join()}]`)
      .join()
    const found = this.#shapes.get(key) ?? maskShapes(this.#trial, given)
    this.#shapes.set(key, found)
    return found
  }
}

function areNumbers(lengths: readonly (number | string | undefined)[]): lengths is readonly number[] {
  return lengths.every(length => typeof length === 'number')
}

interface WholeMask {
  readonly into: Float32Array | Uint8Array
  readonly p: number
  readonly key: MaskKey
}

/** A mask in parts that can each be drawn at once. */
function partsOf(
  { over }: DropoutSite,
  dims: readonly number[],
  { places }: Feed,
  numbers: RowNumbers,
  mask: WholeMask,
): readonly (DenseMask | AttentionMask)[] {
  const { order, lengths } = places
  if (over === 'rows') {
    const elements = Array.from(order, row => ({ length: 1, number: numbers.rows[row]! }))
    return runsOf(elements, dims[1]!, mask)
  }
  if (over === 'tokens') {
    const elements = Array.from(order, (row, i) => ({ length: lengths[i]!, number: numbers.tokens[row]! }))
    return runsOf(elements, dims[1]!, mask)
  }
  // a table is the same in all micro-batches of an update
  if (over === 'table') return [{ ...mask, first: 0 }]
  if (over === 'elements') {
    // by rows where the batch's rows come first; else micro-batches differ by the number of their first row
    const size = mask.into.length
    if (dims[0] !== order.length) return [{ ...mask, first: (numbers.rows[order[0] ?? 0] ?? 0) * size }]
    const elements = Array.from(order, row => ({ length: 1, number: numbers.rows[row]! }))
    return runsOf(elements, size / dims[0], mask)
  }
  // attention: a padded query's row is zero, so that it passes no gradient back
  const { firstRow, lengths: groupLengths, width } = places.groups[over.group]!
  const rows = Array.from(order.subarray(firstRow, firstRow + groupLengths.length), row => numbers.rows[row]!)
  return [{ ...mask, heads: dims[1]!, queries: dims[2]!, width, lengths: groupLengths, rows }]
}

/**
 * A mask [tokens or rows, width] in runs of those that follow one another in the update too. What comes after the last
 * of them, to round their number, belongs to its run.
 */
function runsOf(
  elements: readonly { readonly length: number; readonly number: number }[],
  width: number,
  { into, ...mask }: WholeMask,
): DenseMask[] {
  const runs: { from: number; number: number }[] = []
  let at = 0
  let next = -1
  for (const { length, number } of elements) {
    if (number !== next) runs.push({ from: at, number })
    next = number + length
    at += length
  }
  return runs.map(({ from, number }, i) => {
    const end = runs[i + 1]?.from
    return { ...mask, into: into.subarray(from * width, end && end * width), first: number * width }
  })
}
