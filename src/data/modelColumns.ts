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
 * @param accepted the names that the model takes: its inputs and its labels, `label` and `label_ids` among them.
 * @throws TrainerError with both lists of names when none but labels would be left (often because `map` was forgotten).
 */
export function selectModelColumns(rows: LoaderRows<object>, accepted: readonly string[]): SelectedColumns {
  const taken = new Set(accepted)
  if (rows instanceof Dataset) {
    const names = checkColumns(rows.columnNames, accepted)
    return {
      rows: rows.selectColumns(names.kept as never[]) as unknown as RowSource<Record<string, unknown>>,
      dropped: names.dropped,
    }
  }
  const pick = (row: object): Record<string, unknown> =>
    Object.fromEntries(Object.entries(row).filter(([name]) => taken.has(name)))
  const length = rowCount(rows)
  if (length === undefined) return { rows: picking(rows as AsyncIterable<object>, pick, accepted), dropped: [] }
  const source = rows as RowSource<object>
  const first = length === 0 ? undefined : rowAt(source, 0)
  const dropped =
    first === undefined || first instanceof Promise ? [] : checkColumns(Object.keys(first), accepted).dropped
  const get = (index: number): Record<string, unknown> | Promise<Record<string, unknown>> => {
    const row = rowAt(source, index)
    return row instanceof Promise ? row.then(pick) : pick(row)
  }
  return { rows: { length, get }, dropped }
}

function checkColumns(names: readonly string[], accepted: readonly string[]): { kept: string[]; dropped: string[] } {
  const kept = names.filter(name => accepted.includes(name))
  if (names.length > 0 && kept.every(name => labelColumns.includes(name))) {
    throw new TrainerError(
      'data',
      'The dataset has no column that the model takes: ' +
        `it has ${names.join(', ')}; the model takes ${accepted.join(', ')}.`,
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
  accepted: readonly string[],
): AsyncIterable<Record<string, unknown>> {
  return {
    async *[Symbol.asyncIterator]() {
      const stream = openStream(rows)
      for (let first = true; ; first = false) {
        const { done, value } = await stream.next()
        if (done === true) return
        if (first) checkColumns(Object.keys(value), accepted)
        yield pick(value)
      }
    },
  }
}
