import { Dataset, type TrainingArgumentsOptions } from '../../src/index'

export interface Row {
  readonly input_ids: number[]
  readonly attention_mask: number[]
  readonly label: number
}

/** Rows of 2 to 7 tokens: a function of the row's number. */
export function rows(count: number): Row[] {
  return Array.from({ length: count }, (_, row) => {
    const ids = Array.from({ length: 2 + ((row * 5) % 6) }, (_, at) => 1 + ((row * 7 + at * 11) % 29))
    return { input_ids: ids, attention_mask: ids.map(() => 1), label: (row * row + 1) % 2 }
  })
}

export const dataset = (count: number): Dataset<Row> => Dataset.fromRows(rows(count))

/** Six updates of four rows (of 12, so two epochs), each logged, nothing else; quick and quiet. */
export const plain: TrainingArgumentsOptions = {
  numTrainEpochs: 2,
  perDeviceTrainBatchSize: 4,
  perDeviceEvalBatchSize: 4,
  loggingSteps: 1,
  saveStrategy: 'no',
  learningRate: 0.01,
  threads: 1,
  disableTqdm: true,
}
