// examples with a label for each token → batch, padded by the tokenizer
import { LabelError, TrainerError } from '../errors'
import { ignoredIndex, labelColumn } from '../labelColumn'
import { isList, Tensor } from '../tensor'
import { batchOf } from './batch'
import type { Examples } from './Collator'
import { checkExamples, checkIndices, rowName } from './examples'
import { adviceForNames } from './labels'
import { checkPadOptions } from './padExamples'
import { padValues } from './padding'
import { type MakeCollator, type Padder, tokenizerCollator } from './tokenizerCollator'
import { type DataCollatorWithPaddingOptions, paddingOptions } from './withPadding'

/** Options of {@link DataCollatorForTokenClassification}. */
export interface DataCollatorForTokenClassificationOptions extends DataCollatorWithPaddingOptions {
  /** The label of padding; -100, which does not count, by default. */
  readonly labelPadTokenId?: number
}

/**
 * A collator that pads the examples with the tokenizer, and the list of labels of each on the same side with -100.
 * With or without `new`; the tokenizer first, or among the options as `{ tokenizer }`.
 * @throws TrainerError as {@link DataCollatorWithPadding}, and naming the row that has not one label for each token.
 */
export const DataCollatorForTokenClassification: MakeCollator<Padder, DataCollatorForTokenClassificationOptions> =
  tokenizerCollator('DataCollatorForTokenClassification', (tokenizer, options) => {
    checkPadOptions(options, 'DataCollatorForTokenClassification', [...paddingOptions, 'labelPadTokenId'])
    const { labelPadTokenId = ignoredIndex, ...padding } = options
    if (!Number.isInteger(labelPadTokenId))
      throw new TrainerError('argument', `labelPadTokenId is ${labelPadTokenId}; a whole number was expected.`)
    return (examples, indices, _epoch, labelNames) => {
      checkIndices(indices, 'DataCollatorForTokenClassification')
      const label = labelColumn(checkExamples(examples, indices), labelNames)
      const inputs = label === undefined ? examples : examples.map(({ [label]: _label, ...others }) => others)
      const batch = batchOf(tokenizer.pad(inputs, padding), indices)
      if (label === undefined) return batch
      const { dims } = batch.input_ids!
      const labels = labelsOf(examples, label, indices).map(row =>
        padValues(row, dims[1]!, labelPadTokenId, tokenizer.paddingSide ?? 'right'),
      )
      return { ...batch, labels: Tensor.from('int32', labels) }
    }
  })

/** The labels of each row: as many as it has tokens. */
function labelsOf(examples: Examples, column: string, indices: readonly number[] | undefined): number[][] {
  return examples.map((example, row) => {
    const labels = example[column]
    const tokens = (example.input_ids as ArrayLike<number>).length
    const place = `Column '${column}' of ${rowName(row, indices)}`
    const fix = 'In map, give each token a label: that of its word, or -100, which does not count.'
    if (!isList(labels)) throw new LabelError(`${place} is ${JSON.stringify(labels)}, not a list of labels.`, fix)
    const list = Array.from(labels, Number)
    if (list.length !== tokens)
      throw new LabelError(`${place} has ${list.length} labels, but the row has ${tokens} tokens.`, fix)
    if (list.every(Number.isInteger)) return list
    const text = Array.from(labels as ArrayLike<unknown>).find(value => typeof value === 'string')
    if (text === undefined) throw new LabelError(`${place} has labels that are no whole numbers.`, fix)
    throw new LabelError(`${place} has names for labels ("${text}").`, adviceForNames(column, [labels]))
  })
}
