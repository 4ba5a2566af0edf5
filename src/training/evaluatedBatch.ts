import type { EvaluatedBatch } from '../callbacks/EvaluatedBatch'
import { type LoaderRows, rowAt, rowCount, type RowSource } from '../data/loader'
import type { Tensor } from '../tensor'
import type { LoadedBatch } from './LoadedBatch'

type Row = Readonly<Record<string, unknown>>

/** A batch of a dataset with what is predicted for it, as callbacks get it. */
export function evaluatedBatch(
  { batch, rows, whole }: LoadedBatch,
  predictions: Readonly<Record<string, Tensor>>,
  of: { readonly dataset: LoaderRows<object>; readonly prefix: string; readonly labelNames: readonly string[] },
): EvaluatedBatch {
  const { dataset, prefix, labelNames } = of
  const labels = labelNames.flatMap(name => (batch[name] === undefined ? [] : [[name, batch[name]] as const]))
  const wholeRow = async (row: number): Promise<Row> =>
    whole?.[row] ?? ((rowCount(dataset) === undefined ? {} : await rowAt(dataset as RowSource<Row>, rows[row]!)) as Row)
  return { prefix, batch, rows, predictions, labels: Object.fromEntries(labels), wholeRow }
}
