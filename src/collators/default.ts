// examples → batch, without padding
import { checkExamples, columnTensor, type Batch, type Collator, type Examples } from './tensors'

/**
 * Stacks the examples' columns as they are, which takes rows of one length; `label` and `label_ids` become `labels`.
 * Columns whose first cell is text or empty are left out, as in Hugging Face's default collator.
 * @throws TrainerError naming the column and row that cannot be stacked; a text label too.
 */
export function defaultDataCollator(examples: Examples, indices?: readonly number[]): Batch {
  const batch: Batch = {}
  for (const name of checkExamples(examples, indices)) {
    const first = examples[0]![name]
    const isLabel = name === 'label' || name === 'label_ids'
    if (!isLabel && name !== 'labels' && (typeof first === 'string' || first === null)) continue
    if (isLabel && first === null) continue
    batch[isLabel ? 'labels' : name] = columnTensor(
      name,
      examples.map(example => example[name]),
      indices,
    )
  }
  return batch
}

/** Hugging Face's class of the same name: with or without `new`, a collator that is {@link defaultDataCollator}. */
export const DefaultDataCollator = function DefaultDataCollator(): Collator {
  return defaultDataCollator
} as unknown as { (): Collator; new (): Collator }
