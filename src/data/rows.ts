// the types of rows and of batches of columns

/**
 * What a cell of a loosely typed dataset can hold. Missing cells are null (or undefined). Rows with objects in them
 * want a type of their own.
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

/** A row of which only the run knows the columns: what a file gives. */
export interface LooseRow {
  readonly [column: string]: Cell
}

/**
 * A column of a loosely typed batch. It passes for texts where texts are wanted (`tokenizer(rows.sentence1)`) and for
 * numbers where numbers are (`rows.label.map((label: number) => …)`): what it really holds shows when it is used.
 */
export type LooseColumn = readonly string[] & readonly number[]

/** A batch of rows as columns, of a loosely typed dataset. Asking for a column that does not exist is an error. */
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

/** What a row function is given: the row, or, of a loosely typed row, whatever the function says it expects. */
export type RowInput<Row, Expected> = IsLoose<Row> extends true ? Expected : Row

/** What a batch function is given: as {@link RowInput}, for columns. */
export type ColumnsInput<Row, Expected> = IsLoose<Row> extends true ? Expected : Columns<Row>

/** A row with columns added or replaced. */
export type Merge<Row, Added> = IsLoose<Row> extends true ? LooseRow : Omit<Row, keyof Added> & Added

/** The row that a batch of columns is made of. */
export type RowOfColumns<Batch> = {
  [Name in keyof Batch]: Batch[Name] extends ArrayLike<infer Value> | undefined ? Value : unknown
}

/** A row without some columns. */
export type Without<Row, Name extends PropertyKey> = IsLoose<Row> extends true ? LooseRow : Omit<Row, Name>

/** The value that a function gives, now or later. */
export type Awaitable<Value> = Value | Promise<Value>

const origins = new WeakMap<object, { readonly column: string; readonly firstRow: number }>()

/** Notes which column and rows of a dataset an array was taken from, for whoever has to say what is wrong with it. */
export function markOrigin(values: object, column: string, firstRow: number): void {
  origins.set(values, { column, firstRow })
}

/** The column and the first row of a dataset that an array was taken from by `map`, if it was. */
export function originOf(values: object): { readonly column: string; readonly firstRow: number } | undefined {
  return origins.get(values)
}
