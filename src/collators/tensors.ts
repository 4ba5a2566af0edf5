// columns of numbers → tensors
import { TrainerError } from '../errors'
import { isList, Tensor } from '../tensor'
import type { Collators } from './advised'
import { rowName } from './examples'

/** What to do about cells that cannot be in a tensor. */
export interface Advice {
  /** The error that says so. */
  refuse(problem: string, fix: string): TrainerError
  // asked for when there is a fault, not for every batch
  text(): string
  empty(): string
  ragged(): string
}

/**
 * A column as a tensor of shape [rows] or [rows, …]: int32, or float32 if there is a fraction or an array of floats.
 * @param advised the collator for such rows, asked for when they differ in length.
 * @throws TrainerError (`data`) naming the row that is text, missing, of another length or beyond 32 bits.
 */
export function columnTensor(
  name: string,
  values: readonly unknown[],
  indices: readonly number[] | undefined,
  advised: () => Collators,
): Tensor {
  return tensorOf(name, values, indices, {
    refuse: (problem, fix) => new TrainerError('data', problem, { fix }),
    text: () =>
      `If it is the label, number it: dataset.classEncodeColumn('${name}'). ` +
      `Else remove the column (dataset.removeColumns('${name}')), or tokenize it with map.`,
    empty: () => `Leave such rows out: dataset.filter(row => row.${name} !== null).`,
    ragged: () => (paddedColumns.includes(name) ? adviceForPadded(advised()) : adviceForOthers),
  })
}

const paddedColumns: readonly string[] = ['input_ids', 'attention_mask', 'token_type_ids', 'special_tokens_mask']

const adviceForOthers = `Only ${paddedColumns.join(', ')} are padded: pad others in map, or write a collator for them.`

/** What to do about rows of tokens that were not padded: the Trainer pads by itself where nothing else is to be. */
function adviceForPadded(collator: Collators): string {
  if (collator !== 'DataCollatorWithPadding') return `Nothing was padded: set dataCollator: ${collator}(tokenizer).`
  return (
    'Nothing was padded: give the Trainer processingClass: tokenizer and no dataCollator, or ' +
    'dataCollator: DataCollatorWithPadding(tokenizer).'
  )
}

/**
 * The same with advice of its own.
 * @throws TrainerError as the advice makes it.
 */
export function tensorOf(
  name: string,
  values: readonly unknown[],
  indices: readonly number[] | undefined,
  advice: Advice,
): Tensor {
  const shape = shapeOf(values[0])
  const size = shape.reduce((product, length) => product * length, 1)
  const flat = new Float64Array(values.length * size)
  let whole = true
  let at = 0
  const place = (row: number): string => `Column '${name}' of ${rowName(row, indices)}`
  const fill = (value: unknown, depth: number, row: number): void => {
    if (isList(value)) {
      if (depth >= shape.length || value.length !== shape[depth])
        throw ragged(advice, place(row), value.length, shape, depth)
      if (value instanceof Float32Array || value instanceof Float64Array) whole = false
      for (let i = 0; i < value.length; i++) fill(value[i], depth + 1, row)
      return
    }
    if (depth < shape.length) throw unlike(advice, value, place(row), `a list of ${shape[depth]} numbers`)
    const number =
      typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? Number(value) : undefined
    if (number === undefined) throw unlike(advice, value, place(row), 'a number')
    if (!Number.isInteger(number)) whole = false
    flat[at++] = number
  }
  for (let row = 0; row < values.length; row++) fill(values[row], 0, row)
  const dims = [values.length, ...shape]
  return whole
    ? new Tensor('int32', toInt32(advice, flat, size, name, indices), dims)
    : new Tensor('float32', Float32Array.from(flat), dims)
}

function shapeOf(value: unknown): number[] {
  return isList(value) ? [value.length, ...(value.length === 0 ? [] : shapeOf(value[0]))] : []
}

function toInt32(
  { refuse }: Advice,
  flat: Float64Array,
  size: number,
  name: string,
  indices: readonly number[] | undefined,
): Int32Array {
  const wrong = flat.findIndex(value => value !== (value | 0))
  if (wrong < 0) return Int32Array.from(flat)
  const row = rowName(Math.floor(wrong / size), indices)
  throw refuse(
    `Column '${name}' of ${row} holds ${flat[wrong]}, which does not fit into 32 bits.`,
    `Remove the column if the model does not take it: dataset.removeColumns('${name}').`,
  )
}

function ragged(
  { refuse, ragged: fix }: Advice,
  place: string,
  length: number,
  shape: readonly number[],
  depth: number,
): TrainerError {
  const wanted = depth < shape.length ? `${shape[depth]} are` : 'one number is'
  return refuse(`${place} has ${length} values where ${wanted} in the first row.`, fix())
}

function unlike({ refuse, text, empty }: Advice, value: unknown, place: string, wanted: string): TrainerError {
  if (typeof value === 'string') {
    const start = value.length > 40 ? `${value.slice(0, 40)}…` : value
    return refuse(`${place} is text ("${start}"), where ${wanted} was expected.`, text())
  }
  if (value === null || value === undefined) return refuse(`${place} is empty, where ${wanted} was expected.`, empty())
  return refuse(`${place} is of type ${typeof value}, where ${wanted} was expected.`, 'Make numbers of it in map.')
}
