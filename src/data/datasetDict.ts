// splits by name, and what can be done to all of them at once
import type { Dataset } from './dataset'
import type { FilterOptions, MapOptions } from './mapping'
import type { Awaitable, ColumnsInput, LooseColumns, LooseRow, Merge, RowInput, RowOfColumns, Without } from './rows'

/**
 * Datasets by the names of their splits, each a property: `dataset.train`, `dataset.validation`. A split that is not
 * there is undefined; `Object.keys(dataset)` lists those that are. Methods do the same to every split and give a new
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

  constructor(splits: Readonly<Record<string, Dataset<Row>>>) {
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
    batchFunction: (columns: ColumnsInput<Row, Expected>, indices: readonly number[]) => Awaitable<Added>,
    options: MapOptions & { batched: true },
  ): Promise<DatasetDict<Merge<Row, RowOfColumns<Added>>>>
  map<Added extends object | void, Expected = LooseRow>(
    rowFunction: (row: RowInput<Row, Expected>, index: number) => Awaitable<Added>,
    options?: MapOptions & { batched?: false },
  ): Promise<DatasetDict<Merge<Row, Added>>>
  async map(mapper: (input: never, index: never) => unknown, options: MapOptions = {}): Promise<unknown> {
    const splits: Record<string, Dataset<LooseRow>> = {}
    for (const [name, split] of Object.entries(this.splits)) {
      const description = options.desc ?? `Map (${name})`
      splits[name] = await (split as unknown as Dataset<LooseRow>).map(
        mapper as () => object,
        { ...options, desc: description } as { batched: true },
      )
    }
    return new DatasetDict(splits)
  }

  /** {@link Dataset.filter} of every split. */
  filter<Expected = LooseRow>(
    keep: (row: RowInput<Row, Expected>, index: number) => boolean,
    options?: FilterOptions,
  ): DatasetDict<Row>
  filter<Expected = LooseRow>(
    keep: (row: RowInput<Row, Expected>, index: number) => Promise<boolean>,
    options?: FilterOptions,
  ): Promise<DatasetDict<Row>>
  filter(
    keep: (row: never, index: number) => Awaitable<boolean>,
    options: FilterOptions = {},
  ): Awaitable<DatasetDict<Row>> {
    const kept = Object.entries(this.splits).map(
      ([name, split]) => [name, split.filter(keep as () => boolean, options) as Awaitable<Dataset<Row>>] as const,
    )
    if (!kept.some(([, split]) => split instanceof Promise))
      return new DatasetDict(Object.fromEntries(kept) as Record<string, Dataset<Row>>)
    const settled = Promise.all(kept.map(async ([name, split]) => [name, await split] as const))
    return settled.then(splits => new DatasetDict(Object.fromEntries(splits)))
  }

  /** {@link Dataset.shuffle} of every split. */
  shuffle(options: { readonly seed?: number } | number = {}): DatasetDict<Row> {
    return this.#each(split => split.shuffle(options))
  }

  /** {@link Dataset.renameColumn} in every split. */
  renameColumn<From extends keyof Row & string, To extends string>(
    from: From,
    to: To,
  ): DatasetDict<Without<Row, From> & Record<To, Row[From]>> {
    return this.#each(split => split.renameColumn(from, to))
  }

  /** {@link Dataset.removeColumns} in every split. */
  removeColumns<Name extends keyof Row & string>(names: Name | readonly Name[]): DatasetDict<Without<Row, Name>> {
    return this.#each(split => split.removeColumns(names))
  }

  /** {@link Dataset.selectColumns} in every split. */
  selectColumns<Name extends keyof Row & string>(names: Name | readonly Name[]): DatasetDict<Pick<Row, Name>> {
    return this.#each(split => split.selectColumns(names))
  }

  /**
   * {@link Dataset.classEncodeColumn} in every split, with one list of names for all of them; a split without that
   * column stays as it is.
   */
  classEncodeColumn<Name extends keyof Row & string>(name: Name): DatasetDict<Merge<Row, Record<Name, number>>> {
    type Encoded = Dataset<Merge<Row, Record<Name, number>>>
    const splits = Object.values(this.splits)
    const having = splits.filter(split => split.columnNames.includes(name))
    const names = (having.length > 0 ? having : splits).flatMap(split => split.unique(name) as readonly unknown[])
    return this.#each(split =>
      having.includes(split) ? split.classEncodeColumn(name, names) : (split as unknown as Encoded),
    )
  }

  #each<Result extends object>(change: (split: Dataset<Row>) => Dataset<Result>): DatasetDict<Result> {
    return new DatasetDict(
      Object.fromEntries(Object.entries(this.splits).map(([name, split]) => [name, change(split)])),
    )
  }
}
