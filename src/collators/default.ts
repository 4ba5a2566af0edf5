// examples → batch, without padding
import type { Batch } from '../tensor'
import type { Collator, Examples } from './Collator'
import { batchName, checkExamples } from './examples'
import { columnTensor } from './tensors'

/**
 * Stacks the examples' columns as they are, so lists have to have one length; `label` and `label_ids` become `labels`.
 * Columns whose first cell is text or null are left out, as in Hugging Face's default collator.
 * @throws TrainerError naming the column and row that cannot be stacked; text labels cannot.
 */
export function defaultDataCollator(examples: Examples, indices?: readonly number[]): Batch {
  const batch: Batch = {}
  for (const name of checkExamples(examples, indices)) {
    const first = examples[0]![name]
    const isText = typeof first === 'string' && batchName(name) !== 'labels'
    if (isText || (first === null && name !== 'labels')) continue
    const values = examples.map(example => example[name])
    batch[batchName(name)] = columnTensor(name, values, indices)
  }
  return batch
}

/** Hugging Face's class of this name: with or without `new` it returns {@link defaultDataCollator}. */
export const DefaultDataCollator = function DefaultDataCollator(): Collator {
  return defaultDataCollator
} as unknown as { (): Collator; new (): Collator }
