// slices of several splits → one table
import { TrainerError } from '../errors'
import { joinFiles } from './joinFiles'
import { isWhole, rowsOf, type Slice } from './slices'
import { selectRows, type Table } from './table'

/**
 * The rows of slices, one after the other, as Python has them for 'train+test[:10]'.
 * @throws TrainerError (`data`) where the splits differ in their columns.
 */
export function joinSlices(slices: readonly Slice[], tables: Readonly<Record<string, Table>>): Table {
  const parts = slices.map(slice => {
    const table = tables[slice.name]!
    return isWhole(slice) ? table : selectRows(table, rowsOf(slice, table.length))
  })
  if (parts.length === 1) return parts[0]!
  const named = parts.map((part, at) => ({ ...part, file: `split '${slices[at]!.name}'` }))
  const columns = parts.map(part => [...part.columns.keys()].sort().join(', '))
  const other = columns.findIndex(names => names !== columns[0])
  if (other > 0)
    throw new TrainerError(
      'data',
      `${named[0]!.file} has the columns ${columns[0]}, ${named[other]!.file} has ${columns[other]}: they are not one Dataset.`,
      { fix: 'Load each by itself, or leave split out.' },
    )
  return joinFiles(named, {})
}
