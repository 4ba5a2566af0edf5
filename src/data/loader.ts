// order → batches: the next one is collated while the last one is at work, and any batch can be the first
import { TrainerError } from '../errors'
import { logOnce } from '../logging'
import { nextTurn } from '../turns'
import type { Awaitable } from './rows'
import { sequentialOrder } from './sampler'

/** Rows by number: a Dataset, or anything else with a length. */
export interface RowSource<Row = unknown> {
  readonly length: number
  get(index: number): Awaitable<Row>
}

/** What a loader reads: rows by number, an array of them, or a stream of rows. */
export type LoaderRows<Row = unknown> = RowSource<Row> | readonly Row[] | Iterable<Row> | AsyncIterable<Row>

/** Makes a batch of rows; `indices` are their numbers in the dataset or stream. */
export type Collate<Row, Batch> = (rows: Row[], indices: readonly number[], epoch: number) => Awaitable<Batch>

/** Options of {@link createLoader}. */
export interface LoaderOptions<Row, Batch> {
  readonly rows: LoaderRows<Row>
  readonly batchSize: number
  readonly collate: Collate<Row, Batch>
  /** The numbers of an epoch's rows, in order; 0, 1, 2, … by default. A stream keeps its own order. */
  readonly order?: (epoch: number) => ArrayLike<number>
  /** Leave out a last batch that is short; false by default. A stream gives it all the same, as in Hugging Face. */
  readonly dropLast?: boolean
  /** Batches made ahead of the one at work; 1 by default, 0 makes each on request. */
  readonly prefetch?: number
}

/** Gives the batches of epochs. */
export interface Loader<Batch> {
  /** Batches in an epoch; undefined for a stream. */
  readonly length: number | undefined
  /** Rows in the dataset; undefined for a stream. */
  readonly rows: number | undefined
  readonly batchSize: number
  /**
   * The batches of an epoch from number `start` on. The rows of those before are not read; a stream has to be read past
   * them.
   */
  batches(epoch?: number, start?: number): AsyncIterableIterator<Batch>
  /** The batches of the first epoch. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Batch>
}

/**
 * A loader of batches.
 * @throws TrainerError unless the batch size is a whole number above 0 and the rows can be read.
 */
export function createLoader<Row, Batch>(options: LoaderOptions<Row, Batch>): Loader<Batch> {
  const { batchSize, dropLast = false } = options
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new TrainerError('argument', `batchSize must be a whole number above 0, not ${batchSize}.`)
  const rows = rowCount(options.rows)
  if (rows === undefined && dropLast)
    logOnce('warning', 'dataloaderDropLast has no effect on a stream of rows: its last batch may be a short one.')
  const make =
    rows === undefined ? streamedBatches(options.rows as Iterable<Row>, options) : orderedBatches(options, rows)
  const batches = (epoch = 0, start = 0): AsyncIterableIterator<Batch> =>
    ahead(make(epoch, start), options.prefetch ?? 1)
  const length = rows === undefined ? undefined : dropLast ? Math.floor(rows / batchSize) : Math.ceil(rows / batchSize)
  return { length, rows, batchSize, batches, [Symbol.asyncIterator]: () => batches() }
}

/** The number of rows; undefined for a stream. @throws TrainerError for what does not hold rows. */
export function rowCount(rows: LoaderRows): number | undefined {
  if (typeof rows === 'object' && rows !== null) {
    if ('length' in rows && typeof rows.length === 'number') return rows.length
    if (Symbol.iterator in rows || Symbol.asyncIterator in rows) return undefined
  }
  throw new TrainerError(
    'data',
    'A dataset has to be a Dataset, an array of rows, an object with length and get(i), or (asynchronously) iterable.',
  )
}

/** One row of a source. */
export function rowAt<Row>(rows: RowSource<Row> | readonly Row[], index: number): Awaitable<Row> {
  return Array.isArray(rows) ? (rows as readonly Row[])[index]! : (rows as RowSource<Row>).get(index)
}

/** Gives batch after batch, then undefined; called again only when its promise is settled. */
interface NextBatch<Batch> {
  (): Promise<Batch | undefined>
  /** Ends the stream that rows come from: it may have a file open. */
  close?(): Promise<unknown>
}

function orderedBatches<Row, Batch>(
  options: LoaderOptions<Row, Batch>,
  length: number,
): (epoch: number, start: number) => NextBatch<Batch> {
  const { rows, batchSize, collate, order, dropLast = false } = options
  return (epoch, start) => {
    let indices: ArrayLike<number> | undefined
    let at = start * batchSize
    return async () => {
      indices ??= order?.(epoch) ?? sequentialOrder(length)
      const end = Math.min(at + batchSize, indices.length)
      if (at >= end || (dropLast && end - at < batchSize)) return undefined
      const chosen = Array.from({ length: end - at }, (_, i) => indices![at + i]!)
      at = end
      const found = chosen.map(index => rowAt(rows as RowSource<Row>, index))
      return collate(
        found.some(row => row instanceof Promise) ? await Promise.all(found) : (found as Row[]),
        chosen,
        epoch,
      )
    }
  }
}

function streamedBatches<Row, Batch>(
  rows: Iterable<Row> | AsyncIterable<Row>,
  options: LoaderOptions<Row, Batch>,
): (epoch: number, start: number) => NextBatch<Batch> {
  const { batchSize, collate } = options
  return (epoch, start) => {
    let stream: Iterator<Row> | AsyncIterator<Row> | undefined
    let at = -start * batchSize
    const next = async (): Promise<Batch | undefined> => {
      stream ??= openStream(inEpoch(rows, epoch))
      const batch: Row[] = []
      while (batch.length < batchSize) {
        const { done, value } = await stream.next()
        if (done === true) break
        if (at++ >= 0) batch.push(value)
      }
      if (batch.length === 0) return undefined
      return collate(
        batch,
        batch.map((_, i) => start * batchSize + at - batch.length + i),
        epoch,
      )
    }
    return Object.assign(next, { close: async () => stream?.return?.() })
  }
}

/** A stream that is told its epoch, where it has an order for each. */
export function inEpoch<Stream extends object>(rows: Stream, epoch: number): Stream {
  if ('setEpoch' in rows && typeof rows.setEpoch === 'function') rows.setEpoch(epoch)
  return rows
}

const opened = new WeakSet<object>()

/**
 * The iterator of a stream of rows. It remembers those that it has opened.
 * @throws TrainerError when the stream gives the same iterator again: a generator, for one, can be read only once.
 */
export function openStream<Row>(rows: Iterable<Row> | AsyncIterable<Row>): Iterator<Row> | AsyncIterator<Row> {
  const stream = Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]()
  if (opened.has(stream)) {
    throw new TrainerError(
      'data',
      'The dataset is a stream that can be read only once, but a second pass over it is needed.',
      {
        fix:
          'Give an object whose [Symbol.asyncIterator] starts over each time, ' +
          'or a maxSteps that one pass is enough for.',
      },
    )
  }
  opened.add(stream)
  return stream
}

/**
 * The batches, up to `count` of them made ahead: while the consumer waits for its device, the event loop makes the
 * next.
 */
async function* ahead<Batch>(next: NextBatch<Batch>, count: number): AsyncGenerator<Batch, void, undefined> {
  const waiting: Promise<Batch | undefined>[] = []
  let chain: Promise<unknown> = Promise.resolve()
  const prepare = (): void => {
    // One after another, and a turn of the event loop later: the consumer starts its work on the batch before first.
    const batch = chain.then(nextTurn).then(next)
    chain = batch
    batch.catch(() => undefined) // thrown where it is awaited, or never if the consumer has left
    waiting.push(batch)
  }
  try {
    for (;;) {
      if (waiting.length === 0) prepare()
      const batch = await waiting.shift()!
      if (batch === undefined) return
      while (waiting.length < count) prepare()
      yield batch
    }
  } finally {
    const close = (): unknown => next.close?.()
    chain.then(close, close).catch(() => undefined) // the consumer has left, maybe for an error of its own
  }
}
