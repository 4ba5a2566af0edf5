// the types of rows and of batches of columns

/**
 * What a cell of a loosely typed dataset can hold. Missing cells are null or undefined. Rows that hold objects need a
 * type of their own.
 */
export type Cell =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Int32Array
  | Uint8Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | readonly Cell[]

/** A row whose columns are known only at run time: what a file gives. */
export interface LooseRow {
  readonly [column: string]: Cell
}

/**
 * A column of a loosely typed batch. It passes as texts (`tokenizer(rows.sentence1)`) and as numbers
 * (`rows.label.map((label: number) => …)`); what it holds shows at run time.
 */
export type LooseColumn = readonly string[] & readonly number[]

/** A batch of rows of a loosely typed dataset, as columns. Reading a column that does not exist throws. */
export interface LooseColumns {
  readonly [column: string]: LooseColumn
}

/** Whether nothing is known of a row's columns. */
type IsLoose<Row> = string extends keyof Row ? true : false

/** A batch of rows as columns: `{ name: values[] }`. */
export type Columns<Row> =
  IsLoose<Row> extends true ? LooseColumns : { readonly [Name in keyof Row]: readonly Row[Name][] }

/** The values of one column. */
export type ColumnOf<Row, Name> =
  IsLoose<Row> extends true ? string[] & number[] : Name extends keyof Row ? Row[Name][] : never

/** What a row function is given: the row; for a loosely typed row, the type that the function declares. */
export type RowInput<Row, Expected> = IsLoose<Row> extends true ? Expected : Row

/** What a batch function is given: {@link RowInput} for columns. */
export type ColumnsInput<Row, Expected> = IsLoose<Row> extends true ? Expected : Columns<Row>

/** A row with columns added or replaced. */
export type Merge<Row, Added> = IsLoose<Row> extends true ? LooseRow : Omit<Row, keyof Added> & Added

/** The row that named columns hold. */
export type RowOfColumns<Named> = {
  [Name in keyof Named]: Named[Name] extends ArrayLike<infer Value> | undefined ? Value : unknown
}

/** A row without some columns. */
export type Without<Row, Name extends PropertyKey> = IsLoose<Row> extends true ? LooseRow : Omit<Row, Name>

/** A value, or a promise of it. */
export type Awaitable<Value> = Value | Promise<Value>
