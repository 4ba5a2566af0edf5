// columns → batch
import { labelColumn, labelColumns } from '../labelColumn'
import type { Batch } from '../tensor'
import { labelTensor } from './labels'
import { columnTensor } from './tensors'

/**
 * Columns as a batch: tensors under the columns' names. The label, whichever of its names it has, becomes `labels`, and
 * other columns with such a name are left out.
 * @throws TrainerError (`data`) naming the column and row that cannot be in a tensor.
 */
export function batchOf(columns: Readonly<Record<string, readonly unknown[]>>, indices?: readonly number[]): Batch {
  const label = labelColumn(Object.keys(columns))
  const batch: Batch = {}
  for (const [name, values] of Object.entries(columns)) {
    if (!labelColumns.includes(name)) batch[name] = columnTensor(name, values, indices)
    const labels = name === label ? labelTensor(name, values, indices) : undefined
    if (labels !== undefined) batch.labels = labels
  }
  return batch
}
