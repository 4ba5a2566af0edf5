// rows → examples: an immutable table that is mapped, filtered, shuffled and split
import { TrainerError, nearest, refuseUnknown } from '../errors'
import { MersenneTwister, randperm } from '../random'
import { columnValues, compactColumn, selectRows, type Column } from './columns'
import { DatasetDict } from './datasetDict'
import { classLabel, classNames, inferFeature, type Feature, type Features } from './features'
import { filterRows, mapRows, type FilterOptions, type MapOptions } from './mapping'
import type {
  Awaitable,
  ColumnOf,
  ColumnsInput,
  LooseColumns,
  LooseRow,
  Merge,
  RowInput,
  RowOfColumns,
  Without,
} from './rows'
import { sequentialOrder } from './sampler'
import { splitRows } from './split'

/** Options of {@link Dataset.shuffle}. */
export interface ShuffleOptions {
  /** The same seed gives the same order; 42 by default. */
  readonly seed?: number
}

/** Options of {@link Dataset.trainTestSplit}. */
export interface SplitOptions extends ShuffleOptions {
  /** Rows to test on: a share below 1 or a number of rows; 0.25 by default. */
  readonly testSize?: number
  /** false keeps the order: the last rows are the test rows. */
  readonly shuffle?: boolean
  /** A column of classes, which then are as frequent in both parts as in the whole. */
  readonly stratifyByColumn?: string
}

/**
 * A table of rows that never changes: every method that alters it gives a new one, which shares what is the same.
 *
 * Cells of numbers and lists of numbers are kept compactly and come back as numbers and arrays of numbers.
 */
export class Dataset<Row extends object = LooseRow> {
  readonly #columns: ReadonlyMap<string, Column>
  readonly #features: Features
  /** The number of rows. */
  readonly length: number

  /** Most easily made by {@link Dataset.fromRows}, {@link Dataset.fromColumns} or `loadDataset`. */
  constructor(
    columns: ReadonlyMap<string, Column>,
    features: Features = {},
    length = columns.values().next().value?.length ?? 0,
  ) {
    this.#columns = columns
    this.#features = features
    this.length = length
  }

  /** A dataset of plain objects; its columns are all names that occur, and a cell that a row lacks is undefined. */
  static fromRows<Row extends object>(rows: readonly Row[]): Dataset<Row> {
    const names = new Set<string>()
    for (const [index, row] of rows.entries()) {
      if (typeof row !== 'object' || row === null) {
        throw new TrainerError('data', `Row ${index} is ${String(row)}, not an object of named cells.`, {
          fix: "Write { text: '…', label: 0 }.",
        })
      }
      for (const name of Object.keys(row)) names.add(name)
    }
    const cells = (name: string): unknown[] => rows.map(row => safeNumber((row as Record<string, unknown>)[name], name))
    return new Dataset<Row>(new Map([...names].map(name => [name, compactColumn(cells(name))])), {}, rows.length)
  }

  /** A dataset of named columns, arrays or typed arrays of one length. */
  static fromColumns<Batch extends object>(batch: Batch, features: Features = {}): Dataset<RowOfColumns<Batch>> {
    const columns = new Map<string, Column>()
    let length: number | undefined
    for (const [name, values] of Object.entries(batch) as [string, ArrayLike<unknown>][]) {
      length ??= values.length
      if (values.length !== length) {
        throw new TrainerError(
          'data',
          `Column '${name}' has ${values.length} values, the columns before it have ${length}.`,
        )
      }
      columns.set(name, compactColumn(Array.from(values, value => safeNumber(value, name))))
    }
    return new Dataset(columns, features, length ?? 0)
  }

  /** The names of the columns, in order. */
  get columnNames(): string[] {
    return [...this.#columns.keys()]
  }

  /** What each column holds; `features.label?.names` are the names of the classes. */
  get features(): Features {
    const known = (name: string, column: Column): Feature =>
      this.#features[name] ?? inferFeature(columnValues(column, 0, Math.min(column.length, 100)))
    return Object.fromEntries([...this.#columns].map(([name, column]) => [name, known(name, column)]))
  }

  /**
   * One row as a plain object.
   * @throws TrainerError when there is no such row.
   */
  get(index: number): Row {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw new TrainerError('data', `There is no row ${index}: the dataset has ${this.length} rows, counted from 0.`)
    }
    const row: Record<string, unknown> = {}
    for (const [name, column] of this.#columns) row[name] = column.get(index)
    return row as Row
  }

  /** One row, counted from the end when the index is negative; undefined outside, as of an array. */
  at(index: number): Row | undefined {
    const row = index < 0 ? index + this.length : index
    return row >= 0 && row < this.length ? this.get(row) : undefined
  }

  /** The rows in order. `for await` takes it as well. */
  *[Symbol.iterator](): IterableIterator<Row> {
    for (let index = 0; index < this.length; index++) yield this.get(index)
  }

  /** All rows as plain objects. */
  toArray(): Row[] {
    return [...this]
  }

  /**
   * All values of a column.
   * @throws TrainerError when there is none of that name.
   */
  column<Name extends keyof Row & string>(name: Name): ColumnOf<Row, Name> {
    return columnValues(this.#columnNamed(name)) as ColumnOf<Row, Name>
  }

  /** The different values of a column, in the order in which they first occur. */
  unique<Name extends keyof Row & string>(name: Name): ColumnOf<Row, Name> {
    return [...new Set(columnValues(this.#columnNamed(name)))] as ColumnOf<Row, Name>
  }

  /** The lengths of the lists (or texts) of a column, without making them: what length grouping reads. */
  lengths(name: string): Int32Array {
    const column = this.#columnNamed(name)
    const length = (row: number): number => (column.get(row) as ArrayLike<unknown> | undefined)?.length ?? 0
    return column.listLengths?.() ?? Int32Array.from({ length: this.length }, (_, row) => length(row))
  }

  /** The rows at some indices, in that order; an index may occur more than once. */
  select(indices: Iterable<number>): Dataset<Row> {
    if (typeof indices !== 'object' || !(Symbol.iterator in indices)) {
      throw new TrainerError('argument', `select() takes the numbers of rows, not ${String(indices)}.`, {
        fix: 'Give a list: select([0, 1, 2]).',
      })
    }
    const chosen = Int32Array.from(indices)
    const outside = chosen.find(index => index < 0 || index >= this.length)
    if (outside !== undefined)
      throw new TrainerError(
        'data',
        `There is no row ${outside} to select: the dataset has ${this.length} rows, counted from 0.`,
      )
    return this.#with(name => selectRows(this.#columns.get(name)!, chosen), this.columnNames, chosen.length)
  }

  /**
   * The dataset with the columns that a function makes of each row (or of each batch of rows, as columns, with
   * `batched: true`): new columns are added, columns of the same name replaced. The function may be asynchronous; a row
   * function that returns nothing changes nothing.
   * @throws TrainerError naming the row when the function's result is no set of columns.
   */
  map<Added extends object, Expected = LooseColumns>(
    batchFunction: (columns: ColumnsInput<Row, Expected>, indices: readonly number[]) => Awaitable<Added>,
    options: MapOptions & { batched: true },
  ): Promise<Dataset<Merge<Row, RowOfColumns<Added>>>>
  map<Added extends object | void, Expected = LooseRow>(
    rowFunction: (row: RowInput<Row, Expected>, index: number) => Awaitable<Added>,
    options?: MapOptions & { batched?: false },
  ): Promise<Dataset<Merge<Row, Added>>>
  async map(mapper: (input: never, index: never) => unknown, options: MapOptions = {}): Promise<unknown> {
    const { columns, features, length } = await mapRows(
      { columns: this.#columns, features: this.#features, length: this.length },
      mapper,
      options,
    )
    return new Dataset(columns, features, length)
  }

  /** The rows that a predicate keeps. With an asynchronous predicate the dataset comes as a promise. */
  filter<Expected = LooseRow>(
    keep: (row: RowInput<Row, Expected>, index: number) => boolean,
    options?: FilterOptions,
  ): Dataset<Row>
  filter<Expected = LooseRow>(
    keep: (row: RowInput<Row, Expected>, index: number) => Promise<boolean>,
    options?: FilterOptions,
  ): Promise<Dataset<Row>>
  filter(
    keep: (row: never, index: number) => Awaitable<boolean>,
    options: FilterOptions = {},
  ): Awaitable<Dataset<Row>> {
    const kept = filterRows(this.length, index => keep(this.get(index) as never, index), options)
    return kept instanceof Promise ? kept.then(indices => this.select(indices)) : this.select(kept)
  }

  /** The rows in a random order, PyTorch's `randperm` of that seed. */
  shuffle(options: ShuffleOptions | number = {}): Dataset<Row> {
    const { seed = 42 } = typeof options === 'number' ? { seed: options } : options
    return this.select(randperm(this.length, new MersenneTwister(seed)))
  }

  /** The columns and the number of rows: what a template and `console.log` show. */
  toString(): string {
    return `Dataset({ features: [${this.columnNames.map(name => `'${name}'`).join(', ')}], numRows: ${this.length} })`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  /**
   * Splits the rows in two: `{ train, test }`.
   * @throws TrainerError when either would be empty; with `stratifyByColumn` also when a class has a single row, or a
   * part fewer rows than there are classes.
   */
  trainTestSplit(options: SplitOptions = {}): DatasetDict<Row> {
    refuseUnknown(options, ['testSize', 'seed', 'shuffle', 'stratifyByColumn'], 'trainTestSplit()')
    const { testSize = 0.25, seed = 42, shuffle = true, stratifyByColumn } = options
    const order = shuffle ? randperm(this.length, new MersenneTwister(seed)) : sequentialOrder(this.length)
    const { train, test } = splitRows(
      order,
      testSize,
      stratifyByColumn === undefined ? undefined : columnValues(this.#columnNamed(stratifyByColumn)),
    )
    return new DatasetDict({ train: this.select(train), test: this.select(test) })
  }

  /** The dataset with one column under another name. */
  renameColumn<From extends keyof Row & string, To extends string>(
    from: From,
    to: To,
  ): Dataset<Without<Row, From> & Record<To, Row[From]>> {
    const column = this.#columnNamed(from)
    if (from !== (to as string) && this.#columns.has(to))
      throw new TrainerError('data', `There is a column '${to}' already, besides '${from}'.`)
    const renamed = (name: string): string => (name === from ? to : name)
    const columns = new Map(
      [...this.#columns].map(([name, values]) => [renamed(name), name === from ? column : values]),
    )
    const features = Object.fromEntries(
      Object.entries(this.#features).map(([name, feature]) => [renamed(name), feature]),
    )
    return new Dataset(columns, features, this.length)
  }

  /** The dataset without some columns. */
  removeColumns<Name extends keyof Row & string>(names: Name | readonly Name[]): Dataset<Without<Row, Name>> {
    const removed = new Set<string>(typeof names === 'string' ? [names] : names)
    for (const name of removed) this.#columnNamed(name)
    return this.#with<Without<Row, Name>>(
      name => this.#columns.get(name)!,
      this.columnNames.filter(name => !removed.has(name)),
    )
  }

  /** The dataset with only some columns, in that order. */
  selectColumns<Name extends keyof Row & string>(names: Name | readonly Name[]): Dataset<Pick<Row, Name>> {
    return this.#with<Pick<Row, Name>>(name => this.#columnNamed(name), typeof names === 'string' ? [names] : names)
  }

  /**
   * Turns a column of names (text labels, …) into a ClassLabel: the names sorted, each cell its name's number. A
   * ClassLabel stays as it is.
   * @param among the values to number, where other splits have more of them than this one; the column's own by default.
   */
  classEncodeColumn<Name extends keyof Row & string>(
    name: Name,
    among?: Iterable<unknown>,
  ): Dataset<Merge<Row, Record<Name, number>>> {
    const values = columnValues(this.#columnNamed(name))
    if (this.#features[name]?.type === 'ClassLabel') return this as unknown as Dataset<Merge<Row, Record<Name, number>>>
    const names = classNames(among ?? values, name)
    const numbers = new Map(names.map((label, index) => [label, index]))
    const encoded = compactColumn(
      values.map(value => (value === null || value === undefined ? value : numbers.get(String(value)))),
    )
    const columns = new Map([...this.#columns].map(([key, column]) => [key, key === name ? encoded : column]))
    return new Dataset<Merge<Row, Record<Name, number>>>(
      columns,
      { ...this.#features, [name]: classLabel(names) },
      this.length,
    )
  }

  #columnNamed(name: string): Column {
    const column = this.#columns.get(name)
    if (column !== undefined) return column
    const close = nearest(name, this.#columns.keys())
    throw new TrainerError(
      'data',
      `There is no column '${name}'; the columns are ${this.columnNames.join(', ') || 'none'}.`,
      {
        ...(close !== undefined && { fix: `Did you mean '${close}'?` }),
      },
    )
  }

  #with<Result extends object = Row>(
    column: (name: string) => Column,
    names: readonly string[],
    length = this.length,
  ): Dataset<Result> {
    const features = Object.fromEntries(Object.entries(this.#features).filter(([name]) => names.includes(name)))
    return new Dataset<Result>(new Map(names.map(name => [name, column(name)])), features, length)
  }
}

/** A 64-bit integer as a number; anything else as it is. */
function safeNumber(value: unknown, column: string): unknown {
  if (typeof value !== 'bigint') return value
  if (Number.isSafeInteger(Number(value))) return Number(value)
  throw new TrainerError(
    'data',
    `Column '${column}' holds ${value}, an integer too large to be kept exactly as a number.`,
    {
      fix: 'Remove that column, or turn it into text.',
    },
  )
}
