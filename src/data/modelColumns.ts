// which columns of a dataset the model takes
import { TrainerError } from '../errors'
import { Dataset } from './dataset'
import { openStream, rowAt, rowCount, type LoaderRows, type RowSource } from './loader'

/** Hugging Face's names of a row's label. */
export const labelColumns: readonly string[] = ['label', 'label_ids', 'labels']

/** A dataset with only the columns that the model takes. */
export interface SelectedColumns {
  readonly rows: LoaderRows<Readonly<Record<string, unknown>>>
  /** The columns that were left out, for a line in the log; empty for a stream, whose columns are not known yet. */
  readonly dropped: readonly string[]
}

/**
 * Leaves out the columns that the model does not take: of a Dataset at once, of any other rows as they are read.
 * @param rows the dataset.
 * @param inputs the names that the model takes.
 * @param labels the names that labels may have.
 * @throws TrainerError with both lists of names when none but labels would be left (often because `map` was forgotten).
 */
export function selectModelColumns(
  rows: LoaderRows<object>,
  inputs: readonly string[],
  labels: readonly string[],
): SelectedColumns {
  const taken = new Set([...inputs, ...labels])
  if (rows instanceof Dataset) {
    const names = checkColumns(rows.columnNames, inputs, labels)
    return {
      rows: rows.selectColumns(names.kept as never[]) as unknown as RowSource<Record<string, unknown>>,
      dropped: names.dropped,
    }
  }
  const pick = (row: object): Record<string, unknown> =>
    Object.fromEntries(Object.entries(row).filter(([name]) => taken.has(name)))
  const length = rowCount(rows)
  if (length === undefined)
    return {
      rows: picking(rows as AsyncIterable<object>, pick, names => checkColumns(names, inputs, labels)),
      dropped: [],
    }
  const source = rows as RowSource<object>
  const first = length === 0 ? undefined : rowAt(source, 0)
  const dropped =
    first === undefined || first instanceof Promise ? [] : checkColumns(Object.keys(first), inputs, labels).dropped
  const get = (index: number): Record<string, unknown> | Promise<Record<string, unknown>> => {
    const row = rowAt(source, index)
    return row instanceof Promise ? row.then(pick) : pick(row)
  }
  return { rows: { length, get }, dropped }
}

function checkColumns(
  names: readonly string[],
  inputs: readonly string[],
  labels: readonly string[],
): { kept: string[]; dropped: string[] } {
  const kept = names.filter(name => inputs.includes(name) || labels.includes(name))
  if (names.length > 0 && kept.every(name => labels.includes(name))) {
    throw new TrainerError(
      'data',
      'The dataset has no column that the model takes: ' +
        `it has ${names.join(', ')}; the model takes ${[...inputs, ...labels].join(', ')}.`,
      {
        fix:
          'Was map forgotten? dataset.map(rows => tokenizer(rows.text, { truncation: true }), { batched: true }) ' +
          'returns a new dataset; pass that one.',
      },
    )
  }
  return { kept, dropped: names.filter(name => !kept.includes(name)) }
}

function picking(
  rows: AsyncIterable<object> | Iterable<object>,
  pick: (row: object) => Record<string, unknown>,
  check: (names: readonly string[]) => void,
): AsyncIterable<Record<string, unknown>> {
  return {
    async *[Symbol.asyncIterator]() {
      const stream = openStream(rows)
      for (let first = true; ; first = false) {
        const { done, value } = await stream.next()
        if (done === true) return
        if (first) check(Object.keys(value))
        yield pick(value)
      }
    },
  }
}
