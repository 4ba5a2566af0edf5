// columns → batch
import { labelColumn, labelColumns } from '../labelColumn'
import type { Batch } from '../tensor'
import { advisedCollator } from './advised'
import { labelTensor } from './labels'
import { columnTensor } from './tensors'

/**
 * Columns as a batch: tensors under the columns' names. The label, whichever of its names it has, becomes `labels`, and
 * other columns with such a name are left out.
 * @param labelNames columns of which the first that is there is the label.
 * @throws TrainerError (`data`) naming the column and row that cannot be in a tensor.
 */
export function batchOf(
  columns: Readonly<Record<string, readonly unknown[]>>,
  indices?: readonly number[],
  labelNames?: readonly string[],
): Batch {
  const label = labelColumn(Object.keys(columns), labelNames)
  const advised = () => advisedCollator(columns, label)
  const batch: Batch = {}
  for (const [name, values] of Object.entries(columns)) {
    if (name !== label && !labelColumns.includes(name)) batch[name] = columnTensor(name, values, indices, advised)
    const labels = name === label ? labelTensor(name, values, indices, advised) : undefined
    if (labels !== undefined) batch.labels = labels
  }
  return batch
}
