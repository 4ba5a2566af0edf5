// examples with several texts each → batch [rows, choices, length], padded by the tokenizer
import { TrainerError } from '../errors'
import { labelColumn } from '../labelColumn'
import { type Batch, isList, Tensor } from '../tensor'
import { batchOf } from './batch'
import type { Example, Examples } from './Collator'
import { checkExamples, checkIndices, rowName } from './examples'
import { checkPadOptions } from './padExamples'
import { type MakeCollator, type Padder, tokenizerCollator } from './tokenizerCollator'
import { type DataCollatorWithPaddingOptions, paddingOptions } from './withPadding'

/**
 * A collator for rows whose columns of tokens have a list for each choice: all are padded with the tokenizer to one
 * length, [rows, choices, length]; `label` and `label_ids` become `labels` [rows].
 * With or without `new`; the tokenizer first, or among the options as `{ tokenizer }`.
 * @throws TrainerError as {@link DataCollatorWithPadding}, and naming the row that has another number of choices.
 */
export const DataCollatorForMultipleChoice: MakeCollator<Padder, DataCollatorWithPaddingOptions> = tokenizerCollator(
  'DataCollatorForMultipleChoice',
  (tokenizer, options) => {
    checkPadOptions(options, 'DataCollatorForMultipleChoice', paddingOptions)
    return (examples, indices, _epoch, labelNames) => {
      checkIndices(indices, 'DataCollatorForMultipleChoice')
      const label = labelColumn(checkExamples(examples, indices), labelNames)
      const inputs = examples.map(({ [label ?? '']: _label, ...others }) => others)
      const flat = batchOf(tokenizer.pad(choicesOf(inputs, indices), options))
      const rows = examples.length
      const batch: Batch = {}
      for (const [name, { dtype, data, dims }] of Object.entries(flat))
        batch[name] = new Tensor(dtype, data as never, [rows, dims[0]! / rows, ...dims.slice(1)])
      const labels = label === undefined ? {} : { [label]: examples.map(row => row[label]) }
      return { ...batch, ...batchOf(labels, indices, labelNames) }
    }
  },
)

/** Each choice as a row of its own. */
function choicesOf(examples: Examples, indices: readonly number[] | undefined): Example[] {
  const names = Object.keys(examples[0]!)
  const first = (examples[0]![names[0]!] as ArrayLike<unknown> | undefined)?.length
  return examples.flatMap((example, row) => {
    const columns = names.map(name => {
      const choices = example[name]
      const isNested = Array.isArray(choices) && choices.every(isList)
      if (isNested && choices.length === first) return [name, choices as unknown[]] as const
      const found = isNested
        ? `${choices.length} choices, where the first row has ${first}`
        : 'not a list for each choice'
      throw new TrainerError('data', `Column '${name}' of ${rowName(row, indices)} has ${found}.`, {
        fix: 'In map, tokenize each choice, and give a row the lists of all of them.',
      })
    })
    return Array.from({ length: first ?? 0 }, (_, i) =>
      Object.fromEntries(columns.map(([name, choices]) => [name, choices[i]])),
    )
  })
}
