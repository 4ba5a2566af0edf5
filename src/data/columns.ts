// values → columns: how a dataset keeps its cells, compactly where they are numbers
import { TrainerError } from '../errors'

/** One column of a dataset: values by row number. */
export interface Column {
  readonly length: number
  get(row: number): unknown
  /** The lengths of the lists in a column of lists of numbers; undefined for any other column. */
  readonly listLengths?: () => Int32Array
}

/** A column over an array, which it keeps: the array must not change afterwards. */
function valuesColumn(values: ArrayLike<unknown>): Column {
  return { length: values.length, get: row => values[row] }
}

/**
 * A column of values in the most compact form that gives them back unchanged: numbers in one typed array, lists of
 * numbers in one flat typed array with offsets (a token id takes 4 bytes, a mask's element 1), anything else as it is.
 */
export function compactColumn(values: ArrayLike<unknown>): Column {
  if (values.length === 0) return valuesColumn([])
  const first = values[0]
  if (typeof first === 'number') return compactNumbers(values) ?? valuesColumn(values)
  if (isNumberList(first)) return compactLists(values) ?? valuesColumn(values)
  return valuesColumn(values)
}

/** The cells of a column at some rows; a selection of a selection composes its indices. */
export function selectCells(column: Column, indices: Int32Array): Column {
  const selected = column as SelectedColumn
  if (selected.selection === undefined) return selection(column, indices)
  return selection(selected.selection.source, composeIndices(selected.selection.indices, indices))
}

/** Columns one after another. */
export function concatColumns(columns: readonly Column[]): Column {
  if (columns.length === 1) return columns[0]!
  const packed = columns.map(column => (column as PackedColumn).packed)
  if (packed.every(part => part?.offsets !== undefined)) return concatLists(packed as PackedLists[])
  const values: unknown[] = []
  for (const column of columns) for (let row = 0; row < column.length; row++) values.push(column.get(row))
  return compactColumn(values)
}

/** All values of a column, or those of the rows from `start` to before `end`, in a new array. */
export function columnValues(column: Column, start = 0, end = column.length): unknown[] {
  const values: unknown[] = []
  for (let row = start; row < end; row++) values.push(column.get(row))
  return values
}

/**
 * A cell in which every 64-bit integer is a number, also in lists and objects; undefined is null there.
 * @param place names the column in the error.
 * @param others the other columns of the file, if it is one.
 * @throws TrainerError (`data`) for an integer beyond 2⁵³, which a number cannot hold exactly.
 */
export function exactCell(value: unknown, place: string, others?: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return exactNumber(value, place, others)
  if (value instanceof BigInt64Array || value instanceof BigUint64Array || Array.isArray(value))
    return Array.from(value, item => exactCell(item, place, others) ?? null)
  if (value instanceof Uint8Array) return Array.from(value) // bytes: a list of numbers, in a compact column or not
  if (ArrayBuffer.isView(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, exactCell(item, place, others) ?? null]))
}

/** A 64-bit integer as a number; any other value as it is. */
export function exactNumber(value: unknown, place: string, others?: readonly string[]): unknown {
  if (typeof value !== 'bigint') return value
  if (Number.isSafeInteger(Number(value))) return Number(value)
  throw tooLarge(value, place, others)
}

/** The error for an integer that a number cannot hold exactly: the same for every format, and for rows in memory. */
export function tooLarge(value: bigint, place: string, others?: readonly string[]): TrainerError {
  return new TrainerError('data', `${place} holds ${value}, an integer too large to be kept exactly as a number.`, {
    fix:
      others === undefined || others.length === 0
        ? 'Remove that column, or turn it into text.'
        : `Leave that column out before it is read: ${columnsOption(others)}.`,
  })
}

/** The option that reads some columns alone, as it is written. */
export function columnsOption(names: readonly string[]): string {
  return `columns: [${names.map(name => `'${name}'`).join(', ')}]`
}

/** Whether a value is an array of numbers, typed or not. */
function isNumberList(value: unknown): value is ArrayLike<number> {
  if (ArrayBuffer.isView(value))
    return !(value instanceof DataView) && !(value instanceof BigInt64Array) && !(value instanceof BigUint64Array)
  return Array.isArray(value) && value.every(item => typeof item === 'number')
}

type Flat = Uint8Array | Int32Array | Float64Array
interface PackedLists {
  readonly flat: Flat
  readonly offsets: Int32Array
}
interface PackedColumn extends Column {
  readonly packed?: PackedLists
}
interface SelectedColumn extends Column {
  readonly selection?: { readonly source: Column; readonly indices: Int32Array }
}

function compactNumbers(values: ArrayLike<unknown>): Column | undefined {
  const flat = new (narrowest(values))(values.length)
  for (let row = 0; row < values.length; row++) {
    if (typeof values[row] !== 'number') return undefined
    flat[row] = values[row] as number
  }
  return valuesColumn(flat)
}

function compactLists(values: ArrayLike<unknown>): Column | undefined {
  const offsets = new Int32Array(values.length + 1)
  let kind: FlatType = Uint8Array
  for (let row = 0; row < values.length; row++) {
    const list = values[row]
    if (!isNumberList(list)) return undefined
    offsets[row + 1] = offsets[row]! + list.length
    kind = wider(kind, narrowest(list))
  }
  const flat = new kind(offsets[values.length]!)
  for (let row = 0; row < values.length; row++) flat.set(values[row] as ArrayLike<number>, offsets[row])
  return listColumn({ flat, offsets })
}

function listColumn(packed: PackedLists): PackedColumn {
  const { flat, offsets } = packed
  return {
    packed,
    length: offsets.length - 1,
    get: row =>
      row < 0 || row >= offsets.length - 1 ? undefined : Array.from(flat.subarray(offsets[row], offsets[row + 1])),
    listLengths: () => Int32Array.from({ length: offsets.length - 1 }, (_, row) => offsets[row + 1]! - offsets[row]!),
  }
}

function concatLists(parts: readonly PackedLists[]): Column {
  let rows = 0
  let size = 0
  let kind: FlatType = Uint8Array
  for (const { flat, offsets } of parts) {
    rows += offsets.length - 1
    size += flat.length
    kind = wider(kind, flat.constructor as FlatType)
  }
  const flat = new kind(size)
  const offsets = new Int32Array(rows + 1)
  let row = 0
  let at = 0
  for (const part of parts) {
    flat.set(part.flat, at)
    for (let i = 1; i < part.offsets.length; i++) offsets[++row] = at + part.offsets[i]!
    at += part.flat.length
  }
  return listColumn({ flat, offsets })
}

function selection(source: Column, indices: Int32Array): SelectedColumn {
  return {
    selection: { source, indices },
    length: indices.length,
    get: row => source.get(indices[row]!),
    ...(source.listLengths && { listLengths: () => selectLengths(source, indices) }),
  }
}

function selectLengths(source: Column, indices: Int32Array): Int32Array {
  const lengths = source.listLengths!()
  return indices.map(index => lengths[index]!)
}

const composed = new WeakMap<Int32Array, WeakMap<Int32Array, Int32Array>>()

/** `inner[outer[row]]`, computed once for all columns that share both. */
function composeIndices(inner: Int32Array, outer: Int32Array): Int32Array {
  const known = composed.get(inner) ?? new WeakMap<Int32Array, Int32Array>()
  const indices = known.get(outer) ?? outer.map(index => inner[index]!)
  composed.set(inner, known.set(outer, indices))
  return indices
}

type FlatType = Uint8ArrayConstructor | Int32ArrayConstructor | Float64ArrayConstructor
const widths: readonly FlatType[] = [Uint8Array, Int32Array, Float64Array]

function wider(a: FlatType, b: FlatType): FlatType {
  return widths[Math.max(widths.indexOf(a), widths.indexOf(b))]!
}

/** The narrowest of the three types that keeps every number exactly (-0 counts as a fraction). */
function narrowest(values: ArrayLike<unknown>): FlatType {
  let narrow: FlatType = Uint8Array
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (value !== (value | 0) || Object.is(value, -0)) return Float64Array
    if (value < 0 || value > 255) narrow = Int32Array
  }
  return narrow
}
