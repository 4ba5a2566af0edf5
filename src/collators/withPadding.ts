// examples of different lengths → batch, padded by the tokenizer
import { batchOf } from './batch'
import { checkExamples, checkIndices } from './examples'
import { checkPadOptions, type PadOptions } from './padExamples'
import { type MakeCollator, type Padder, tokenizerCollator } from './tokenizerCollator'

/** Options of {@link DataCollatorWithPadding}: to the longest row of the batch by default. */
export type DataCollatorWithPaddingOptions = Pick<PadOptions, 'padding' | 'maxLength' | 'padToMultipleOf'>

/** The options of padding that collators have. */
export const paddingOptions = ['padding', 'maxLength', 'padToMultipleOf'] as const

/**
 * A collator that pads the examples with the tokenizer and makes tensors of their columns; `label` and `label_ids`
 * become `labels`. With or without `new`; the tokenizer first, or among the options as `{ tokenizer }`.
 * @throws TrainerError without a tokenizer, for an option that it does not have, and for a value that an option cannot
 * have; later, for examples, naming the column and row that cannot be in a tensor.
 */
export const DataCollatorWithPadding: MakeCollator<Padder, DataCollatorWithPaddingOptions> = tokenizerCollator(
  'DataCollatorWithPadding',
  (tokenizer, options) => {
    checkPadOptions(options, 'DataCollatorWithPadding', paddingOptions)
    return (examples, indices, _epoch, labelNames) => {
      checkIndices(indices, 'DataCollatorWithPadding')
      checkExamples(examples, indices)
      return batchOf(tokenizer.pad(examples, options), indices, labelNames)
    }
  },
)
