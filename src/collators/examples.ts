// what collators ask of examples, and how errors name them
import { LabelError, TrainerError } from '../errors'
import { labelColumns } from '../labelColumn'
import { shown } from '../options'
import type { Examples } from './Collator'

/** The name of a batch's row in an error. `indices` are the numbers of the rows in the dataset, if they are known. */
export function rowName(row: number, indices?: readonly number[]): string {
  return indices?.[row] === undefined ? `row ${row} of the batch` : `row ${indices[row]} of the dataset`
}

/**
 * Refuses what is not the rows' numbers, such as `return_tensors` of Python's collators, which return tensors here.
 * @throws TrainerError (`argument`) that shows it.
 */
export function checkIndices(indices: unknown, where: string): void {
  if (indices === undefined || Array.isArray(indices) || ArrayBuffer.isView(indices)) return
  throw new TrainerError(
    'argument',
    `${where} takes rows, and the list of their numbers, but was given ${shown(indices)}.`,
    {
      fix: 'Leave it out: collators have no options when they are called, and return tensors.',
    },
  )
}

/**
 * The names of the first example's columns, which the others have to have too.
 * @throws TrainerError (`data`) naming the row that lacks one of them, or if there are no rows.
 */
export function checkExamples(examples: Examples, indices?: readonly number[]): string[] {
  if (examples.length === 0) throw new TrainerError('data', 'A batch cannot be made without rows.')
  const names = Object.keys(examples[0]!)
  for (const [row, example] of examples.entries()) {
    const missing = names.find(name => example[name] === undefined)
    if (missing === undefined) continue
    const problem = `Column '${missing}' is missing in ${rowName(row, indices)}, though ${rowName(0, indices)} has it.`
    if (labelColumns.includes(missing))
      throw new LabelError(problem, `Leave rows without a label out: filter(row => row.${missing} !== undefined).`)
    throw new TrainerError('data', problem, {
      fix: `Give every row the same columns, or leave this one out: dataset.removeColumns('${missing}').`,
    })
  }
  return names
}
