// rows that are read while they are used: a stream that starts over each time, with the methods of a dataset
import { TrainerError } from '../errors'
import { checkFlag, checkOptions, refuseArguments, shown } from '../options'
import type { Predicate, AsyncPredicate } from './filtering'
import { listOf, type Features } from './features'
import { derivedStage, shuffledStage, windowStage, type Stage } from './iterableStages'
import { batched, filtered, mapped, removed, renamed, selected } from './iterableSteps'
import type { BatchFunction, RowFunction } from './mapping'
import { NumpyGenerator } from './numpyGenerator'
import type { LooseColumns, LooseRow, Merge, RowOfColumns, Without } from './rows'
import { noColumn, takenName } from './table'

/** Options of {@link IterableDataset.map}. */
export interface StreamedMapOptions {
  /** true gives the function batches of rows, as columns; it returns columns. */
  readonly batched?: boolean
  /** Rows in a batch; 1000 by default. */
  readonly batchSize?: number
  /** Columns to leave out of the result; the function still sees them. */
  readonly removeColumns?: string | readonly string[]
}

/** Options of {@link IterableDataset.shuffle}. */
export interface StreamedShuffleOptions {
  /** The same seed gives the same order; 42 by default. */
  readonly seed?: number | undefined
  /** Rows that are held to choose among; 1000 by default. */
  readonly bufferSize?: number | undefined
  /** Files that fill the buffer at a time; 10 by default. */
  readonly maxBufferInputShards?: number | undefined
}

/** Options of {@link IterableDataset.batch}. */
export interface StreamedBatchOptions {
  /** Whether a last batch with fewer rows is left out; false by default. */
  readonly dropLastBatch?: boolean | undefined
}

/**
 * Rows that are read while they are used, as `loadDataset(…, { streaming: true })` gives them. Iterating it starts from
 * the beginning each time; nothing is kept but what a method needs.
 *
 * @example
 * const dataset = await loadDataset('acme/web', { split: 'train', streaming: true })
 * for await (const row of dataset.shuffle({ seed: 42, bufferSize: 10_000 }).take(3)) console.log(row)
 */
export class IterableDataset<Row extends object = LooseRow> {
  readonly #stage: Stage
  #epoch = 0

  /** `loadDataset(…, { streaming: true })` makes one. */
  constructor(stage: Stage) {
    this.#stage = stage
  }

  /** What each column holds; undefined where that is known only when rows are read: of CSV, JSON and after `map`. */
  get features(): Features | undefined {
    return this.#stage.features
  }

  /** The names of the columns; undefined where `features` is. */
  get columnNames(): string[] | undefined {
    return this.features && Object.keys(this.features)
  }

  /** How many files the rows are read from. */
  get numShards(): number {
    return this.#stage.fileCount([])
  }

  /** Chooses the order of shuffled rows: another one for each epoch. The Trainer calls it. */
  setEpoch(epoch: number): void {
    if (!Number.isInteger(epoch) || epoch < 0)
      throw new TrainerError('argument', `setEpoch() takes the number of an epoch, not ${shown(epoch)}.`)
    this.#epoch = epoch
  }

  /** The rows, from the first one on. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Row> {
    const epoch = this.#epoch
    const shuffles = epoch === 0 ? [] : [() => new NumpyGenerator(epoch)]
    const rows = this.#stage.open({ epoch, shuffles, parts: [] })
    return rows[Symbol.asyncIterator]() as unknown as AsyncIterableIterator<Row>
  }

  /**
   * The rows with the columns that a function makes of each row (or of each batch of rows, as columns, with
   * `batched: true`), when they are read. The function may be asynchronous.
   */
  map<Added extends object, Expected = LooseColumns>(
    batchFunction: BatchFunction<Row, Expected, Added>,
    options: StreamedMapOptions & { batched: true },
  ): IterableDataset<Merge<Row, RowOfColumns<Added>>>
  map<Added extends object | void, Expected = LooseRow>(
    rowFunction: RowFunction<Row, Expected, Added>,
    options?: StreamedMapOptions & { batched?: false },
  ): IterableDataset<Merge<Row, Added>>
  map(mapper: (input: never, index: never) => unknown, options: StreamedMapOptions = {}): unknown {
    checkOptions(options, ['batched', 'batchSize', 'removeColumns'], 'map()')
    const { batched: isBatched = false, batchSize = 1000, removeColumns = [] } = options
    checkCount(batchSize, 'batchSize', 1)
    const names = [removeColumns].flat()
    this.#check(names)
    const how = { batched: isBatched, batchSize, removed: names }
    return this.#derived(rows => mapped(rows, mapper, how), undefined)
  }

  /** The rows that a predicate keeps; it may be asynchronous. */
  filter<Expected = LooseRow>(keep: Predicate<Row, Expected> | AsyncPredicate<Row, Expected>): IterableDataset<Row>
  filter(keep: (row: never, index: number) => unknown, ...extra: readonly unknown[]): IterableDataset<Row> {
    refuseArguments(extra, 'filter() of a stream')
    return this.#derived(rows => filtered(rows, keep), this.features)
  }

  /** The first rows. */
  take(count: number): IterableDataset<Row> {
    checkCount(count, 'take()', 0)
    return this.#next(windowStage(this.#stage, 0, count))
  }

  /** The rows behind the first ones. */
  skip(count: number): IterableDataset<Row> {
    checkCount(count, 'skip()', 0)
    return this.#next(windowStage(this.#stage, count, Infinity))
  }

  /**
   * The rows in a random order: a buffer is filled with rows, of which the next ones are chosen. It is the order of
   * Python's `datasets` with this seed, and another one in each epoch.
   */
  shuffle(options: StreamedShuffleOptions = {}): IterableDataset<Row> {
    checkOptions(options, ['seed', 'bufferSize', 'maxBufferInputShards'], 'shuffle() of a stream')
    const { seed = 42, bufferSize = 1000, maxBufferInputShards = 10 } = options
    checkCount(seed, 'seed', 0)
    checkCount(bufferSize, 'bufferSize', 1)
    checkCount(maxBufferInputShards, 'maxBufferInputShards', 1)
    return this.#next(shuffledStage(this.#stage, seed, bufferSize, maxBufferInputShards))
  }

  /** Rows of lists: each holds the cells of so many rows. */
  batch(batchSize: number, options: StreamedBatchOptions = {}): IterableDataset<{ [Name in keyof Row]: Row[Name][] }> {
    checkCount(batchSize, 'batch()', 1)
    checkOptions(options, ['dropLastBatch'], 'batch()')
    const { dropLastBatch = false } = options
    checkFlag(dropLastBatch, 'dropLastBatch')
    const { features } = this
    const lists = features && Object.entries(features).map(([name, feature]) => [name, listOf(feature)] as const)
    return this.#derived(rows => batched(rows, batchSize, dropLastBatch), lists && Object.fromEntries(lists))
  }

  /** The rows with only some columns, in that order. */
  selectColumns<Name extends keyof Row & string>(
    ...names: (Name | readonly Name[])[]
  ): IterableDataset<Pick<Row, Name>> {
    const wanted = names.flat()
    this.#check(wanted)
    const { features } = this
    const left = features && Object.fromEntries(wanted.map(name => [name, features[name]!]))
    return this.#derived(rows => selected(rows, wanted), left, this.#stage.isTabular)
  }

  /** The rows without some columns. */
  removeColumns<Name extends keyof Row & string>(
    ...names: (Name | readonly Name[])[]
  ): IterableDataset<Without<Row, Name>> {
    const unwanted: readonly string[] = names.flat()
    this.#check(unwanted)
    const left = this.features && Object.entries(this.features).filter(([name]) => !unwanted.includes(name))
    return this.#derived(rows => removed(rows, unwanted), left && Object.fromEntries(left))
  }

  /** The rows with one column under another name. */
  renameColumn<From extends keyof Row & string, To extends string>(
    from: From,
    to: To,
  ): IterableDataset<Without<Row, From> & Record<To, Row[From]>>
  renameColumn(from: string, to: string, ...extra: readonly unknown[]): unknown {
    refuseArguments(extra, 'renameColumn()')
    this.#check([from])
    const { features } = this
    if (from !== to && features?.[to] !== undefined) throw takenName(to, from)
    const entries = features && Object.entries(features).map(([name, is]) => [name === from ? to : name, is] as const)
    return this.#derived(rows => renamed(rows, from, to), entries && Object.fromEntries(entries))
  }

  /** The columns and the number of files: what a template and `console.log` show. */
  toString(): string {
    const names = this.columnNames?.map(name => `'${name}'`).join(', ')
    return `IterableDataset({ features: ${names === undefined ? 'unknown' : `[${names}]`}, numShards: ${this.numShards} })`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  #derived<Result extends object>(
    rows: Parameters<typeof derivedStage>[1],
    features: Features | undefined,
    isTabular = false,
  ): IterableDataset<Result> {
    return this.#next(derivedStage(this.#stage, rows, features, isTabular))
  }

  #next<Result extends object>(stage: Stage): IterableDataset<Result> {
    const next = new IterableDataset<Result>(stage)
    next.#epoch = this.#epoch
    return next
  }

  /** @throws TrainerError (`data`) for a column that there is not, where the columns are known. */
  #check(names: readonly string[]): void {
    const there = this.columnNames
    const missing = there && names.find(name => !there.includes(name))
    if (missing !== undefined) throw noColumn(missing, there!)
  }
}

function checkCount(value: unknown, name: string, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return
  throw new TrainerError('argument', `${name} must be a whole number, ${least} or above, not ${shown(value)}.`)
}

/** Streams by the names of their splits, each a property: `dataset.train`, `dataset.validation`. */
export class IterableDatasetDict<Row extends object = LooseRow> {
  declare readonly train: IterableDataset<Row>
  declare readonly validation: IterableDataset<Row>
  declare readonly test: IterableDataset<Row>

  constructor(splits: Readonly<Record<string, IterableDataset<Row>>>) {
    Object.assign(this, splits)
  }

  /** The splits as a plain record, whatever their names. */
  get splits(): Record<string, IterableDataset<Row>> {
    return { ...this } as unknown as Record<string, IterableDataset<Row>>
  }
}
