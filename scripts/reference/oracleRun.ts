// What the oracle's runs are made of: its model, rows, collator and metric, under the arguments that a file states.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  AutoModelForSequenceClassification,
  type Batch,
  type CallbackOrClass,
  Dataset,
  EarlyStoppingCallback,
  type EvalPrediction,
  type Metrics,
  PrinterCallback,
  type Profile,
  Tensor,
  Trainer,
  TrainingArguments,
} from '../../src/index'
import type { Nested } from '../../src/tensor'

/** Arguments as the oracle's files have them: Hugging Face's in snake_case, and those of its EarlyStoppingCallback. */
export type OracleArguments = Readonly<Record<string, unknown>>

/** A row by its columns: numbers, or lists of them; all rows of a set have the same columns. */
type OracleRow = Readonly<Record<string, Nested>>

interface OracleData {
  readonly train: readonly OracleRow[]
  readonly eval: readonly OracleRow[]
}

/** A Trainer, and which rows of the training set it has read, in order. */
export interface OracleTrainer {
  readonly trainer: Trainer
  /** Rows read since training began: among them those of a batch read ahead at the end. */
  readonly order: readonly number[]
  readonly evaluationRows: Dataset<object>
}

/**
 * A Trainer on the model and the rows of the folder `trainer-runs`.
 * @param outputDir where checkpoints go.
 * @param on the device that it trains on, unless that is the processor, and what takes note of it.
 */
export async function oracleTrainer(
  folder: string,
  stated: OracleArguments,
  outputDir: string,
  callbacks: readonly CallbackOrClass[] = [],
  { device, profile }: { readonly device?: string | undefined; readonly profile?: Profile | undefined } = {},
): Promise<OracleTrainer> {
  const data = JSON.parse(readFileSync(join(folder, 'dataset.json'), 'utf8')) as OracleData
  const order: number[] = []
  const evaluationRows = Dataset.fromRows<object>(data.eval)
  const trainer = new Trainer({
    model: await AutoModelForSequenceClassification.fromPretrained(folder),
    args: argumentsOf(stated, outputDir, device),
    trainDataset: recorded(data.train, order),
    evalDataset: evaluationRows,
    dataCollator: rows => collate(rows as readonly OracleRow[]),
    computeMetrics: accuracy,
    ...(profile && { profile }),
    // grouping by length looks at every row before training begins
    callbacks: [...callbacks, ...earlyStopping(stated), { onTrainBegin: () => void (order.length = 0) }],
  })
  trainer.removeCallback(PrinterCallback)
  return { trainer, order, evaluationRows }
}

/** The rows of a training set, noting which one is read. */
function recorded(
  rows: readonly OracleRow[],
  order: number[],
): { readonly length: number; get(index: number): OracleRow } {
  return {
    length: rows.length,
    get(index) {
      order.push(index)
      return rows[index]!
    },
  }
}

/**
 * The arguments of a Trainer: what the oracle states. What it does not state has Hugging Face's default, also where
 * ours is another: the states of callbacks are not restored, and a schedule that follows a metric takes a lower one for
 * better.
 */
function argumentsOf(stated: OracleArguments, outputDir: string, device?: string): TrainingArguments {
  const own = Object.fromEntries(Object.entries(stated).filter(([name]) => !name.startsWith('early_stopping_')))
  const followsMetric = ['reduce_lr_on_plateau', 'greedy'].includes(String(own.lr_scheduler_type))
  const schedule = followsMetric && {
    lr_scheduler_kwargs: { mode: 'min', ...(own.lr_scheduler_kwargs as object | undefined) },
  }
  return TrainingArguments.fromJSON({
    restore_callback_states_from_checkpoint: false,
    ...own,
    ...schedule,
    output_dir: outputDir,
    report_to: 'none',
    ...(device === undefined ? { use_cpu: true } : { device }),
    disable_tqdm: true,
  })
}

function earlyStopping(stated: OracleArguments): EarlyStoppingCallback[] {
  const { early_stopping_patience: patience, early_stopping_threshold: threshold } = stated as Readonly<
    Record<string, number | undefined>
  >
  if (patience === undefined) return []
  return [
    new EarlyStoppingCallback({
      earlyStoppingPatience: patience,
      ...(threshold !== undefined && { earlyStoppingThreshold: threshold }),
    }),
  ]
}

/** Columns with a number for each token. */
const tokenColumns = ['input_ids', 'attention_mask', 'token_type_ids']

/**
 * A batch of all columns of the rows: {@link tokenColumns} padded with 0 to the longest row, the others as they are,
 * `label` under the name `labels`. Whole numbers become int32, others float32.
 */
export function collate(rows: readonly OracleRow[]): Batch {
  const columns = Object.keys(rows[0]!).map(name => {
    const values = rows.map(row => row[name]!)
    return [name === 'label' ? 'labels' : name, tensorOf(tokenColumns.includes(name) ? padded(values) : values)]
  })
  return Object.fromEntries(columns) as Batch
}

function padded(lists: readonly Nested[]): Nested[] {
  const given = lists as readonly (readonly Nested[])[]
  const width = Math.max(...given.map(list => list.length))
  return given.map(list => [...list, ...Array.from({ length: width - list.length }, () => 0)])
}

function tensorOf(values: readonly Nested[]): Tensor {
  const isWhole = (value: Nested): boolean => (Array.isArray(value) ? value.every(isWhole) : Number.isInteger(value))
  return Tensor.from(values.every(isWhole) ? 'int32' : 'float32', values)
}

/** The share of rows whose largest logit is the label's. */
function accuracy({ predictions, labels }: EvalPrediction): Metrics {
  const chosen = predictions.argmax(-1).data
  return {
    accuracy:
      Array.from(labels.data, Number).filter((label, row) => label === Number(chosen[row])).length / chosen.length,
  }
}

/**
 * Of the rows that were read, those that the updates were made of: without the batch read ahead at the end.
 * @param resumedAt the step of the checkpoint that the run resumed from.
 */
export function trainedOn({ trainer: { args, state, trainDataset }, order }: OracleTrainer, resumedAt = 0): number[] {
  const batch = args.trainBatchSize
  const perUpdate = args.gradientAccumulationSteps
  const size = (trainDataset as { readonly length: number }).length
  const usable = args.dataloaderDropLast ? Math.floor(size / batch) * batch : size
  const updatesPerEpoch = Math.ceil(Math.ceil(usable / batch) / perUpdate)
  let at = args.ignoreDataSkip ? 0 : (resumedAt % updatesPerEpoch) * batch * perUpdate
  let count = 0
  for (let update = resumedAt; update < state.globalStep; update++) {
    for (let i = 0; i < perUpdate; i++) {
      count += Math.min(batch, usable - at)
      at += batch
      if (at < usable) continue
      at = 0
      break
    }
  }
  return order.slice(0, count)
}
