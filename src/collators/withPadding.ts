// examples of different lengths → batch, padded by the tokenizer
import { TrainerError } from '../errors'
import { checkOptions, refuseArguments } from '../options'
import type { Batch } from '../tensor'
import type { Collator, Examples } from './Collator'
import { batchOf } from './batch'
import { checkExamples, checkIndices } from './examples'
import { checkPadOptions, type PadOptions } from './padExamples'
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

const collatorOptions = ['padding', 'maxLength', 'padToMultipleOf'] as const

/**
 * A collator that pads the examples with the tokenizer and makes tensors of their columns; `label` and `label_ids`
 * become `labels`. With or without `new`; the tokenizer first, or among the options as `{ tokenizer }`.
 * @throws TrainerError without a tokenizer, for an option that it does not have, and for a value that an option cannot
 * have; later, for examples, naming the column and row that cannot be in a tensor.
 */
export const DataCollatorWithPadding = function DataCollatorWithPadding(
  first: Padder | (DataCollatorWithPaddingOptions & { readonly tokenizer: Padder }),
  options?: DataCollatorWithPaddingOptions,
  ...extra: unknown[]
): Collator {
  const { tokenizer, padding } = partsOf(first, options)
  if (typeof tokenizer?.pad !== 'function') {
    throw new TrainerError('argument', 'DataCollatorWithPadding needs a tokenizer.', {
      fix: 'Write DataCollatorWithPadding(tokenizer).',
    })
  }
  checkPadOptions(padding, 'DataCollatorWithPadding', collatorOptions)
  refuseArguments(extra, 'DataCollatorWithPadding, beside its tokenizer and its options,')

  const dataCollatorWithPadding = (examples: Examples, indices?: readonly number[]): Batch => {
    checkIndices(indices, 'DataCollatorWithPadding')
    checkExamples(examples, indices)
    return batchOf(tokenizer.pad(examples, padding), indices)
  }
  return Object.defineProperty(dataCollatorWithPadding, 'paddingSide', { get: () => tokenizer.paddingSide })
} as unknown as MakeCollator

/** The tokenizer and the options, however they were given. */
function partsOf(
  first: Padder | (DataCollatorWithPaddingOptions & { readonly tokenizer: Padder }) | undefined,
  options: DataCollatorWithPaddingOptions | undefined,
): { tokenizer: Padder | undefined; padding: DataCollatorWithPaddingOptions | undefined } {
  if (typeof first !== 'object' || first === null || !('tokenizer' in first))
    return { tokenizer: first, padding: options }
  if (options !== undefined) checkOptions(options, [], 'DataCollatorWithPadding({ tokenizer, … })')
  const { tokenizer, ...padding } = first
  return { tokenizer, padding }
}
