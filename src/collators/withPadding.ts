// examples of different lengths → batch, padded by the tokenizer
import { TrainerError } from '../errors'
import type { PadOptions } from './padExamples'
import { checkExamples, columnTensor, type Batch, type Collator, type Examples } from './tensors'

/** Options of {@link DataCollatorWithPadding}: to the longest row of the batch by default. */
export type DataCollatorWithPaddingOptions = Pick<PadOptions, 'padding' | 'maxLength' | 'padToMultipleOf'>

/** What pads: a tokenizer. */
export interface Padder {
  pad(examples: Examples, options?: PadOptions): Record<string, unknown[]>
}

interface MakeCollator {
  (tokenizer: Padder, options?: DataCollatorWithPaddingOptions): Collator
  (options: DataCollatorWithPaddingOptions & { readonly tokenizer: Padder }): Collator
  new (tokenizer: Padder, options?: DataCollatorWithPaddingOptions): Collator
  new (options: DataCollatorWithPaddingOptions & { readonly tokenizer: Padder }): Collator
}

/**
 * A collator that pads the examples with the tokenizer and makes tensors of their columns; `label` and `label_ids`
 * become `labels`. With or without `new`; the tokenizer first, or among the options as `{ tokenizer }`.
 * @throws TrainerError (when it collates) naming the column and row that make no tensor.
 */
export const DataCollatorWithPadding = function DataCollatorWithPadding(
  first: Padder | (DataCollatorWithPaddingOptions & { readonly tokenizer: Padder }),
  options?: DataCollatorWithPaddingOptions,
): Collator {
  const { tokenizer, ...padding } = 'tokenizer' in first ? first : { ...options, tokenizer: first }
  if (typeof tokenizer?.pad !== 'function') {
    throw new TrainerError('argument', 'DataCollatorWithPadding was given no tokenizer.', {
      fix: 'Write DataCollatorWithPadding(tokenizer).',
    })
  }

  return function dataCollatorWithPadding(examples: Examples, indices?: readonly number[]): Batch {
    checkExamples(examples, indices)
    const batch: Batch = {}
    for (const [name, values] of Object.entries(tokenizer.pad(examples, padding))) {
      batch[name === 'label' || name === 'label_ids' ? 'labels' : name] = columnTensor(name, values, indices)
    }
    return batch
  }
} as unknown as MakeCollator
