// rows → examples: an immutable table that is mapped, filtered, shuffled and split; and such tables by split. The two
// classes stand together because each gives the other.
import { alignLabels, commonClasses, encodeClasses, removeColumns, renameColumn, selectColumns } from './changeColumns'
import { columnValues, type Column } from './columns'
import type { Features } from './features'
import { filterRows, type AsyncPredicate, type FilterOptions, type Predicate } from './filtering'
import { madeHere, type DatasetInfo } from './info'
import { checkMapping, mapRows, type BatchFunction, type MapOptions, type RowFunction } from './mapping'
import type { UploadedCommit } from '../hub/upload'
import { pushSplit, pushSplits } from './pushDataset'
import type { PushSplitOptions, PushSplitsOptions } from './pushOptions'
import { checkFunction, refuseArguments } from '../options'
import type { Awaitable, ColumnOf, LooseColumns, LooseRow, Merge, RowOfColumns, Without } from './rows'
import { unfitName } from './splitNames'
import { shuffledOrder, splitTable, type ShuffleOptions, type SplitOptions } from './split'
import { columnOf, featuresOf, lengthsOf, rowOf, selectRows, tableOfArrays, tableOfRows, type Table } from './table'
import { writeParquet, type ParquetOptions } from './writeParquet'

/** The parts of a dataset, for a DatasetDict. */
let tableOf: <Row extends object>(dataset: Dataset<Row>) => Table

/**
 * A table of rows that never changes: every method that alters it returns a new one, which shares what is the same.
 *
 * Cells of numbers and lists of numbers are kept compactly and come back as numbers and arrays of numbers.
 */
export class Dataset<Row extends object = LooseRow> {
  readonly #table: Table
  /** The number of rows. */
  readonly length: number
  /** Where the rows came from; what is made of them keeps it. */
  readonly info: DatasetInfo

  /** {@link Dataset.fromRows}, {@link Dataset.fromColumns} and `loadDataset` are the easy ways to make one. */
  constructor(
    columns: ReadonlyMap<string, Column>,
    features: Features = {},
    length = columns.values().next().value?.length ?? 0,
    info: DatasetInfo = madeHere,
  ) {
    this.#table = { columns, features, length }
    this.length = length
    this.info = info
  }

  /** A dataset of plain objects; its columns are all names that occur, and a cell that a row lacks is undefined. */
  static fromRows<Row extends object>(rows: readonly Row[]): Dataset<Row>
  static fromRows<Row extends object>(rows: readonly Row[], ...extra: readonly unknown[]): Dataset<Row> {
    refuseArguments(extra, 'Dataset.fromRows()')
    return datasetOf(tableOfRows(rows))
  }

  /** A dataset of named columns, arrays or typed arrays of one length. */
  static fromColumns<Named extends object>(columns: Named, features?: Features): Dataset<RowOfColumns<Named>> {
    return datasetOf(tableOfArrays(columns, features))
  }

  /** The names of the columns, in order. */
  get columnNames(): string[] {
    return [...this.#table.columns.keys()]
  }

  /** What each column holds; `features.label?.names` are the names of the classes. */
  get features(): Features {
    return featuresOf(this.#table)
  }

  /**
   * One row as a plain object.
   * @throws TrainerError when there is no such row.
   */
  get(index: number): Row {
    return rowOf(this.#table, index) as Row
  }

  /** One row, counted from the end if the index is negative; undefined outside, as for an array. */
  at(index: number): Row | undefined {
    const row = index < 0 ? index + this.length : index
    return row >= 0 && row < this.length ? this.get(row) : undefined
  }

  /** The rows in order. `for await` works as well. */
  *[Symbol.iterator](): IterableIterator<Row> {
    for (let index = 0; index < this.length; index++) yield this.get(index)
  }

  /** All rows as plain objects. */
  toArray(): Row[] {
    return [...this]
  }

  /**
   * All values of a column.
   * @throws TrainerError when there is no column of that name.
   */
  column<Name extends keyof Row & string>(name: Name): ColumnOf<Row, Name> {
    return columnValues(columnOf(this.#table, name)) as ColumnOf<Row, Name>
  }

  /** The different values of a column, in the order in which they first occur. */
  unique<Name extends keyof Row & string>(name: Name): ColumnOf<Row, Name> {
    return [...new Set(columnValues(columnOf(this.#table, name)))] as ColumnOf<Row, Name>
  }

  /** The lengths of a column's lists or texts; lists of numbers are not made for it. Length grouping reads this. */
  lengths(name: string): Int32Array {
    return lengthsOf(this.#table, name)
  }

  /** The rows at some indices, in that order; an index may occur more than once. */
  select(indices: Iterable<number>): Dataset<Row>
  select(indices: Iterable<number>, ...extra: readonly unknown[]): Dataset<Row> {
    refuseArguments(extra, 'select()')
    return this.#made(selectRows(this.#table, indices))
  }

  /**
   * The dataset with the columns that a function makes of each row (or of each batch of rows, as columns, with
   * `batched: true`): new columns are added, columns of the same name replaced. The function may be asynchronous; a row
   * function that returns nothing changes nothing.
   * @throws TrainerError naming the row when the function's result is not a set of columns.
   */
  map<Added extends object, Expected = LooseColumns>(
    batchFunction: BatchFunction<Row, Expected, Added>,
    options: MapOptions & { batched: true },
  ): Promise<Dataset<Merge<Row, RowOfColumns<Added>>>>
  map<Added extends object | void, Expected = LooseRow>(
    rowFunction: RowFunction<Row, Expected, Added>,
    options?: MapOptions & { batched?: false },
  ): Promise<Dataset<Merge<Row, Added>>>
  async map(mapper: (input: never, index: never) => unknown, options: MapOptions = {}): Promise<unknown> {
    return this.#made(await mapRows(this.#table, mapper, options))
  }

  /** The rows that a predicate keeps. With an asynchronous predicate the dataset comes as a promise. */
  filter<Expected = LooseRow>(keep: Predicate<Row, Expected>, options?: FilterOptions): Dataset<Row>
  filter<Expected = LooseRow>(keep: AsyncPredicate<Row, Expected>, options?: FilterOptions): Promise<Dataset<Row>>
  filter(keep: (row: never, index: number) => Awaitable<boolean>, options?: FilterOptions): Awaitable<Dataset<Row>> {
    checkFunction(keep, 'filter()')
    const kept = filterRows(this.length, index => keep(this.get(index) as never, index), options)
    return kept instanceof Promise ? kept.then(indices => this.select(indices)) : this.select(kept)
  }

  /** The rows in a random order: that in which Python's `datasets` shuffles with this seed. */
  shuffle(options: ShuffleOptions | number = {}): Dataset<Row> {
    return this.select(shuffledOrder(this.length, options))
  }

  /** The columns and the number of rows: what a template and `console.log` show. */
  toString(): string {
    return `Dataset({ features: [${this.columnNames.map(name => `'${name}'`).join(', ')}], numRows: ${this.length} })`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  /**
   * Splits the rows in two, `{ train, test }`: the very rows of Python's `datasets` with this seed.
   * @throws TrainerError when either would be empty; with `stratifyByColumn` also when a class has a single row, or a
   * part has fewer rows than there are classes.
   */
  trainTestSplit(options: SplitOptions = {}): DatasetDict<Row> {
    const { train, test } = splitTable(this.#table, options)
    return new DatasetDict({ train: this.select(train), test: this.select(test) })
  }

  /** The dataset with one column under another name. */
  renameColumn<From extends keyof Row & string, To extends string>(
    from: From,
    to: To,
  ): Dataset<Without<Row, From> & Record<To, Row[From]>>
  renameColumn(from: string, to: string, ...extra: readonly unknown[]): unknown {
    refuseArguments(extra, 'renameColumn()')
    return this.#made(renameColumn(this.#table, from, to))
  }

  /** The dataset without some columns. */
  removeColumns<Name extends keyof Row & string>(...names: (Name | readonly Name[])[]): Dataset<Without<Row, Name>> {
    return this.#made(removeColumns(this.#table, names.flat()))
  }

  /** The dataset with only some columns, in that order. */
  selectColumns<Name extends keyof Row & string>(...names: (Name | readonly Name[])[]): Dataset<Pick<Row, Name>> {
    return this.#made(selectColumns(this.#table, names.flat()))
  }

  /**
   * Turns a column of names (text labels, …) into a ClassLabel: each cell becomes its name's number. A ClassLabel stays
   * as it is.
   * @param names the classes, in the order of their numbers; by default the column's own, spelt and sorted as in Python.
   * @throws TrainerError naming the row whose value is not among the names.
   */
  classEncodeColumn<Name extends keyof Row & string>(
    name: Name,
    names?: readonly unknown[],
  ): Dataset<Merge<Row, Record<Name, number>>>
  classEncodeColumn(name: string, names?: readonly unknown[], ...extra: readonly unknown[]): unknown {
    refuseArguments(extra, 'classEncodeColumn()')
    return this.#made(encodeClasses(this.#table, name, names))
  }

  /**
   * Numbers the classes of a ClassLabel as a model does: Python's `align_labels_with_mapping`. Names are compared
   * without regard to case; -1, which marks a hidden label, and missing cells stay.
   * @param label2id the numbers from 0 by name: `model.config.label2id`.
   * @param labelColumn the column's name.
   * @throws TrainerError for a column that is no ClassLabel, numbers with gaps, and a row whose class has no number.
   *
   * @example
   * const aligned = dataset.alignLabelsWithMapping({ CONTRADICTION: 0, NEUTRAL: 1, ENTAILMENT: 2 }, 'label')
   */
  alignLabelsWithMapping<Name extends keyof Row & string>(
    label2id: Readonly<Record<string, number>>,
    labelColumn: Name,
  ): Dataset<Row> {
    return this.#made(alignLabels(this.#table, label2id, labelColumn))
  }

  #made<Made extends object>({ columns, features, length }: Table): Dataset<Made> {
    return new Dataset<Made>(columns, features, length, this.info)
  }

  /**
   * Writes the rows as a parquet file, with their features, as Python's `to_parquet` does: `loadDataset(path)` and
   * Python's `load_dataset` read the same from it. The file is written beside its place and renamed.
   * @returns the file's bytes.
   * @throws TrainerError (`data`) naming the row that is not what its column holds, (`file`) when it cannot be written.
   *
   * @example
   * await dataset.toParquet('reviews/train.parquet')
   */
  toParquet(path: string, options: ParquetOptions = {}): Promise<number> {
    return writeParquet(this.#table, path, options)
  }

  /**
   * Pushes the rows to the Hub as one split of a dataset: parquet files, and a card (README.md) with their features, as
   * Python's `push_to_hub` does. The repository is made if it is missing; other splits, other configurations and what
   * else its card says stay.
   * @param id NAME (of the token's account) or ORGANIZATION/NAME.
   * @throws TrainerError (`data`) when the other splits of the configuration have other columns, (`hub`) without a token
   * that may write there.
   *
   * @example
   * await dataset.pushToHub('reviews', { split: 'validation', private: true })
   */
  async pushToHub(id: string, options: PushSplitOptions = {}): Promise<UploadedCommit> {
    return pushSplit(this.#table, id, options, /^[\w.-]+(?=\[[^+]*$|$)/.exec(this.info.split ?? '')?.[0])
  }

  static {
    tableOf = <Row extends object>(dataset: Dataset<Row>): Table => dataset.#table
  }
}

function datasetOf<Row extends object>({ columns, features, length }: Table): Dataset<Row> {
  return new Dataset<Row>(columns, features, length)
}

/**
 * Datasets by the names of their splits, each a property: `dataset.train`, `dataset.validation`. A split that does not
 * exist is undefined; `Object.keys(dataset)` lists those that do. Methods do the same to every split and return a new
 * DatasetDict.
 */
export class DatasetDict<Row extends object = LooseRow> {
  declare readonly train: Dataset<Row>
  declare readonly validation: Dataset<Row>
  declare readonly test: Dataset<Row>
  declare readonly validation_matched: Dataset<Row>
  declare readonly validation_mismatched: Dataset<Row>
  declare readonly test_matched: Dataset<Row>
  declare readonly test_mismatched: Dataset<Row>

  /** @throws TrainerError for a split with the name of a method, which it would replace. */
  constructor(splits: Readonly<Record<string, Dataset<Row>>>) {
    const taken = Object.keys(splits).find(name => name in DatasetDict.prototype)
    if (taken !== undefined) throw unfitName(taken)
    Object.assign(this, splits)
  }

  /** The splits as a plain record, whatever their names. */
  get splits(): Record<string, Dataset<Row>> {
    return { ...this } as unknown as Record<string, Dataset<Row>>
  }

  /** The number of rows of each split. */
  get numRows(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.splits).map(([name, split]) => [name, split.length]))
  }

  /** The columns of each split. */
  get columnNames(): Record<string, string[]> {
    return Object.fromEntries(Object.entries(this.splits).map(([name, split]) => [name, split.columnNames]))
  }

  /** {@link Dataset.map} of every split. */
  map<Added extends object, Expected = LooseColumns>(
    batchFunction: BatchFunction<Row, Expected, Added>,
    options: MapOptions & { batched: true },
  ): Promise<DatasetDict<Merge<Row, RowOfColumns<Added>>>>
  map<Added extends object | void, Expected = LooseRow>(
    rowFunction: RowFunction<Row, Expected, Added>,
    options?: MapOptions & { batched?: false },
  ): Promise<DatasetDict<Merge<Row, Added>>>
  async map(mapper: (input: never, index: never) => unknown, options: MapOptions = {}): Promise<unknown> {
    checkMapping(mapper, options)
    const splits: Record<string, Dataset<object>> = {}
    for (const [name, split] of Object.entries(this.splits)) {
      const named = { ...options, desc: options.desc ?? `Map (${name})` }
      splits[name] = (await split.map(mapper as () => object, named as { batched: true })) as Dataset<object>
    }
    return new DatasetDict(splits)
  }

  /** {@link Dataset.filter} of every split. */
  filter<Expected = LooseRow>(keep: Predicate<Row, Expected>, options?: FilterOptions): DatasetDict<Row>
  filter<Expected = LooseRow>(keep: AsyncPredicate<Row, Expected>, options?: FilterOptions): Promise<DatasetDict<Row>>
  filter(
    keep: (row: never, index: number) => Awaitable<boolean>,
    options?: FilterOptions,
  ): Awaitable<DatasetDict<Row>> {
    const names = Object.keys(this.splits)
    const kept: Awaitable<Dataset<Row>>[] = Object.values(this.splits).map(split =>
      split.filter(keep as () => boolean, options),
    )
    const dictOf = (splits: readonly Dataset<Row>[]): DatasetDict<Row> =>
      new DatasetDict(Object.fromEntries(names.map((name, at) => [name, splits[at]!])))
    return kept.some(split => split instanceof Promise)
      ? Promise.all(kept).then(dictOf)
      : dictOf(kept as readonly Dataset<Row>[])
  }

  /** {@link Dataset.shuffle} of every split. */
  shuffle(options: ShuffleOptions | number = {}): DatasetDict<Row> {
    return this.#each(split => split.shuffle(options))
  }

  /** {@link Dataset.renameColumn} in every split. */
  renameColumn<From extends keyof Row & string, To extends string>(
    from: From,
    to: To,
  ): DatasetDict<Without<Row, From> & Record<To, Row[From]>>
  renameColumn(from: never, to: string, ...extra: []): unknown {
    return this.#each(split => split.renameColumn(from, to, ...extra))
  }

  /** {@link Dataset.removeColumns} in every split. */
  removeColumns<Name extends keyof Row & string>(
    ...names: (Name | readonly Name[])[]
  ): DatasetDict<Without<Row, Name>> {
    return this.#each(split => split.removeColumns(...names))
  }

  /** {@link Dataset.selectColumns} in every split. */
  selectColumns<Name extends keyof Row & string>(...names: (Name | readonly Name[])[]): DatasetDict<Pick<Row, Name>> {
    return this.#each(split => split.selectColumns(...names))
  }

  /**
   * {@link Dataset.classEncodeColumn} in every split, with one list of names for all of them; a split without that
   * column stays as it is.
   */
  classEncodeColumn<Name extends keyof Row & string>(
    name: Name,
    names?: readonly unknown[],
  ): DatasetDict<Merge<Row, Record<Name, number>>>
  classEncodeColumn(name: never, names?: readonly unknown[], ...extra: readonly unknown[]): unknown {
    refuseArguments(extra, 'classEncodeColumn()')
    const having = Object.values(this.splits).filter(split => split.columnNames.includes(name))
    const classes = names ?? (having.length > 0 ? commonClasses(having, name) : undefined)
    const encodes = (split: Dataset<Row>): boolean => having.length === 0 || having.includes(split)
    return this.#each(split => (encodes(split) ? split.classEncodeColumn(name, classes) : (split as never)))
  }

  /** {@link Dataset.alignLabelsWithMapping} in every split. */
  alignLabelsWithMapping<Name extends keyof Row & string>(
    label2id: Readonly<Record<string, number>>,
    labelColumn: Name,
  ): DatasetDict<Row> {
    return this.#each(split => split.alignLabelsWithMapping(label2id, labelColumn))
  }

  /**
   * Pushes all splits to the Hub as one configuration of a dataset, in one commit; see {@link Dataset.pushToHub}. Splits
   * that the configuration has there besides are removed, as in Python.
   *
   * @example
   * await dataset.pushToHub('acme/reviews')
   */
  async pushToHub(id: string, options: PushSplitsOptions = {}): Promise<UploadedCommit> {
    const tables = Object.entries(this.splits).map(([name, split]) => [name, tableOf(split)] as const)
    return pushSplits(new Map(tables), id, options)
  }

  #each<Result extends object>(change: (split: Dataset<Row>) => Dataset<Result>): DatasetDict<Result> {
    const changed = Object.entries(this.splits).map(([name, split]) => [name, change(split)] as const)
    return new DatasetDict(Object.fromEntries(changed))
  }
}
