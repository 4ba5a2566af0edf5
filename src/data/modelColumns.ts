// which columns of a dataset the model takes
import { TrainerError } from '../errors'
import { Dataset } from './dataset'
import { inEpoch, openStream, rowAt, rowCount, type LoaderRows, type RowSource } from './loader'

/** The names of the columns that are kept of those that there are, in the same order. */
export type ChooseColumns = (names: readonly string[]) => readonly string[]

/** A dataset with only some columns. */
export interface SelectedColumns {
  readonly rows: LoaderRows<Readonly<Record<string, unknown>>>
  /** The columns that were left out; of rows that are read one by one it grows with them. */
  readonly dropped: readonly string[]
}

/**
 * Leaves out the columns that the model does not take: of a Dataset at once, of any other rows as they are read.
 * @param rows the dataset.
 * @param choose which are kept; asked once for a Dataset, for other rows where their columns are not those of the row
 *   before.
 */
export function selectModelColumns(rows: LoaderRows<object>, choose: ChooseColumns): SelectedColumns {
  if (rows instanceof Dataset) {
    const kept = choose(rows.columnNames)
    return {
      rows: rows.selectColumns(kept as never[]) as unknown as RowSource<Record<string, unknown>>,
      dropped: without(rows.columnNames, kept),
    }
  }
  const dropped: string[] = []
  const pick = picker(names => {
    const kept = choose(names)
    dropped.push(...without(names, [...kept, ...dropped]))
    return kept
  })
  const length = rowCount(rows)
  if (length === undefined) return { rows: picking(rows as AsyncIterable<object>, pick), dropped }
  const source = rows as RowSource<object>
  const first = length === 0 ? undefined : rowAt(source, 0)
  if (first !== undefined && !(first instanceof Promise)) pick(first)
  const get = (index: number): Record<string, unknown> | Promise<Record<string, unknown>> => {
    const row = rowAt(source, index)
    return row instanceof Promise ? row.then(pick) : pick(row)
  }
  return { rows: { length, get }, dropped }
}

/**
 * The columns that a model takes: its inputs, and the labels.
 * @throws TrainerError with both lists of names when none but labels would be left (often because `map` was forgotten).
 */
export function modelColumns(
  names: readonly string[],
  inputs: readonly string[],
  labels: readonly string[],
): readonly string[] {
  if (names.length > 0 && !names.some(name => inputs.includes(name))) {
    throw new TrainerError(
      'data',
      'The dataset has no column that the model takes: ' +
        `it has ${names.join(', ')}; the model takes ${[...inputs, ...labels].join(', ')}.`,
      {
        fix:
          'Was map forgotten? dataset.map(rows => tokenizer(rows.text, { truncation: true }), { batched: true }) ' +
          'returns a new dataset; pass that one. A data collator that makes inputs of other columns needs ' +
          'removeUnusedColumns: false.',
      },
    )
  }
  return names.filter(name => inputs.includes(name) || labels.includes(name))
}

function without(names: readonly string[], left: readonly string[]): string[] {
  return names.filter(name => !left.includes(name))
}

/** The rows that others were picked of, for as long as those are held. */
const pickedOf = new WeakMap<object, object>()

/** A row with all its columns, of one that {@link selectModelColumns} has left some of. */
export function wholeRow(row: object): Readonly<Record<string, unknown>> {
  return (pickedOf.get(row) ?? row) as Readonly<Record<string, unknown>>
}

/** Picks a row's cells; what is kept is chosen anew where the columns are not those of the row before. */
function picker(choose: ChooseColumns): (row: object) => Record<string, unknown> {
  let known: string | undefined
  let kept: readonly string[] = []
  return row => {
    const names = Object.keys(row)
    const key = names.join('\n')
    if (key !== known) [known, kept] = [key, choose(names)]
    const picked = Object.fromEntries(kept.map(name => [name, (row as Record<string, unknown>)[name]]))
    pickedOf.set(picked, row)
    return picked
  }
}

function picking(
  rows: AsyncIterable<object> | Iterable<object>,
  pick: (row: object) => Record<string, unknown>,
): AsyncIterable<Record<string, unknown>> {
  const stream = {
    async *[Symbol.asyncIterator]() {
      const opened = openStream(rows)
      try {
        for (;;) {
          const { done, value } = await opened.next()
          if (done === true) return
          yield pick(value)
        }
      } finally {
        await opened.return?.()
      }
    },
  }
  return { ...stream, setEpoch: (epoch: number) => void inEpoch(rows, epoch) } as typeof stream
}
