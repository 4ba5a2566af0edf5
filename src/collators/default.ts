// examples → batch, without padding
import { refuseArguments } from '../options'
import { labelColumn } from '../labelColumn'
import type { Collate, Collator } from './Collator'
import { batchOf } from './batch'
import { checkExamples, checkIndices } from './examples'

/**
 * Stacks the examples' columns as they are, so lists have to have one length; `label` and `label_ids` become `labels`.
 * Columns whose first cell is text or null are left out, as in Hugging Face's default collator.
 * @throws TrainerError naming the column and row that cannot be stacked; text labels cannot.
 */
export const defaultDataCollator: Collate = (examples, indices, _epoch, labelNames) => {
  checkIndices(indices, 'defaultDataCollator')
  const columns = checkExamples(examples, indices)
  const label = labelColumn(columns, labelNames)
  const isLeftOut = (name: string): boolean =>
    name !== label && (typeof examples[0]![name] === 'string' || examples[0]![name] === null)
  const names = columns.filter(name => !isLeftOut(name))
  const values = names.map(name => [name, examples.map(example => example[name])] as const)
  return batchOf(Object.fromEntries(values), indices, labelNames)
}

/**
 * Hugging Face's class of this name: with or without `new` it returns {@link defaultDataCollator}.
 * @throws TrainerError (`argument`) for options: it has none.
 */
export const DefaultDataCollator = function DefaultDataCollator(...options: unknown[]): Collator {
  refuseArguments(options, 'DefaultDataCollator')
  return defaultDataCollator
} as unknown as { (): Collator; new (): Collator }
