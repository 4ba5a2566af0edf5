// a batch for the head of each task, with a model
import {
  AutoModelForMaskedLM,
  AutoModelForMultipleChoice,
  AutoModelForQuestionAnswering,
  AutoModelForTokenClassification,
  type Batch,
  Dataset,
  type ModelConfig,
  type PreTrainedModel,
  Tensor,
} from '../../src/index'
import type { Head } from '../../src/heads/Head'
import { multipleChoice } from '../../src/heads/multipleChoice'
import { questionAnswering } from '../../src/heads/questionAnswering'
import { maskedLanguageModel, tokenClassification } from '../../src/heads/tokenClassification'
import { randomBatch } from '../helpers/batches'
import { tinyConfig } from '../helpers/tinyModel'

export const config = {
  ...tinyConfig,
  vocab_size: 23,
  num_hidden_layers: 2,
  id2label: { 0: 'a', 1: 'b', 2: 'c' },
} satisfies ModelConfig
const lengths = [6, 2, 9, 1, 5, 3, 7, 4]
const none = Tensor.from('int32', [0])

/** Tokens of eight rows, padded to 9, with some labels by a rule of row and column. */
export function tokens(label: (row: number, column: number) => number): Batch {
  const batch = randomBatch(lengths, none, { seed: 5 })
  const labels = lengths.map((length, row) =>
    Array.from({ length: 9 }, (_, column) => (column < length && (row + column) % 3 !== 0 ? label(row, column) : -100)),
  )
  return { ...batch, labels: Tensor.from('int32', labels) }
}

/** Two rows of four choices. */
function choices(): Batch {
  const { labels: _, ...flat } = randomBatch(lengths, none, { seed: 6 })
  const columns = Object.entries(flat).map(([name, { data }]) => [
    name,
    new Tensor('int32', data as Int32Array, [2, 4, 9]),
  ])
  return { ...Object.fromEntries(columns), labels: Tensor.from('int32', [2, 0]) } as Batch
}

function answers(): Batch {
  const { labels: _, ...columns } = randomBatch(lengths, none, { seed: 7 })
  return {
    ...columns,
    start_positions: Tensor.from('int32', [1, 0, 4, 0, 2, 9, 3, 0]),
    end_positions: Tensor.from('int32', [3, 0, 8, 0, 2, 9, 5, 3]),
  }
}

/** A head with what it is tried on. */
export interface TaskCase {
  readonly head: Head
  readonly model: () => PreTrainedModel<unknown>
  readonly batch: Batch
  readonly count: number
}

export const [tagging, guessing, answering, choosing] = [
  {
    head: tokenClassification(3),
    model: () => AutoModelForTokenClassification.fromConfig(config),
    batch: tokens((row, column) => (row + column) % 3),
    count: 25,
  },
  {
    head: maskedLanguageModel(23),
    model: () => AutoModelForMaskedLM.fromConfig(config),
    batch: tokens((row, column) => (7 * row + column) % 23),
    count: 25,
  },
  {
    head: questionAnswering,
    model: () => AutoModelForQuestionAnswering.fromConfig(config),
    batch: answers(),
    count: 7,
  },
  { head: multipleChoice, model: () => AutoModelForMultipleChoice.fromConfig(config), batch: choices(), count: 2 },
] as const satisfies readonly TaskCase[]

export const tasks: readonly TaskCase[] = [tagging, guessing, answering, choosing]

/** The rows of a batch, as a Dataset would have them. */
export function rowsIn(batch: Batch): Dataset<object> {
  const columns = Object.entries(batch).map(([name, tensor]) => [name, tensor.tolist() as unknown[]] as const)
  const rows = batch.input_ids!.dims[0]!
  return Dataset.fromRows(
    Array.from({ length: rows }, (_, row) => Object.fromEntries(columns.map(([name, values]) => [name, values[row]]))),
  ) as Dataset<object>
}

/** Rows of one shape as a batch. */
export function stack(rows: readonly Readonly<Record<string, unknown>>[]): Batch {
  const names = Object.keys(rows[0]!)
  return Object.fromEntries(names.map(name => [name, Tensor.from('int32', rows.map(row => row[name]) as never)]))
}
