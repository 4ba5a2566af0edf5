// examples of different lengths → batch, padded by the tokenizer
import { TrainerError } from '../errors'
import type { Batch } from '../tensor'
import type { Collator, Examples } from './Collator'
import { batchOf } from './batch'
import { checkExamples } from './examples'
import type { PadOptions } from './padExamples'
import type { Side } from './padding'

/** Options of {@link DataCollatorWithPadding}: to the longest row of the batch by default. */
export type DataCollatorWithPaddingOptions = Pick<PadOptions, 'padding' | 'maxLength' | 'padToMultipleOf'>

/** The part of a tokenizer that pads. */
export interface Padder {
  pad(examples: Examples, options?: PadOptions): Record<string, unknown[]>
  readonly paddingSide?: Side
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
 * @throws TrainerError without a tokenizer; later, for examples, naming the column and row that cannot be in a tensor.
 */
export const DataCollatorWithPadding = function DataCollatorWithPadding(
  first: Padder | (DataCollatorWithPaddingOptions & { readonly tokenizer: Padder }),
  options?: DataCollatorWithPaddingOptions,
): Collator {
  const { tokenizer, ...padding } = 'tokenizer' in first ? first : { ...options, tokenizer: first }
  if (typeof tokenizer?.pad !== 'function') {
    throw new TrainerError('argument', 'DataCollatorWithPadding needs a tokenizer.', {
      fix: 'Write DataCollatorWithPadding(tokenizer).',
    })
  }

  function dataCollatorWithPadding(examples: Examples, indices?: readonly number[]): Batch {
    checkExamples(examples, indices)
    return batchOf(tokenizer.pad(examples, padding), indices)
  }
  return Object.defineProperty(dataCollatorWithPadding, 'paddingSide', { get: () => tokenizer.paddingSide })
} as unknown as MakeCollator
