// examples → batch, without padding
import { refuseArguments } from '../options'
import type { Batch } from '../tensor'
import type { Collator, Examples } from './Collator'
import { labelColumns } from '../labelColumn'
import { batchOf } from './batch'
import { checkExamples, checkIndices } from './examples'

/**
 * Stacks the examples' columns as they are, so lists have to have one length; `label` and `label_ids` become `labels`.
 * Columns whose first cell is text or null are left out, as in Hugging Face's default collator.
 * @throws TrainerError naming the column and row that cannot be stacked; text labels cannot.
 */
export function defaultDataCollator(examples: Examples, indices?: readonly number[]): Batch {
  checkIndices(indices, 'defaultDataCollator')
  const isLeftOut = (name: string): boolean =>
    !labelColumns.includes(name) && (typeof examples[0]![name] === 'string' || examples[0]![name] === null)
  const names = checkExamples(examples, indices).filter(name => !isLeftOut(name))
  return batchOf(Object.fromEntries(names.map(name => [name, examples.map(example => example[name])])), indices)
}

/**
 * Hugging Face's class of this name: with or without `new` it returns {@link defaultDataCollator}.
 * @throws TrainerError (`argument`) for options: it has none.
 */
export const DefaultDataCollator = function DefaultDataCollator(...options: unknown[]): Collator {
  refuseArguments(options, 'DefaultDataCollator')
  return defaultDataCollator
} as unknown as { (): Collator; new (): Collator }
