import { TrainerError } from '../errors'
import type { Batch } from '../models/packing'
import type { Tensor } from '../tensor'
import type { RowName } from './labels'
import { RowCollector } from './rows'
import type { Runner } from './Runner'

/** Numbers by name. */
export type Metrics = Record<string, number>

/** What `computeMetrics` gets: tensors in the dataset's order. */
export interface EvalPrediction {
  /** [rows, labels], or what `preprocessLogitsForMetrics` made of it. */
  readonly predictions: Tensor
  readonly labels: Tensor
  /** The labels under Python's name. */
  readonly labelIds: Tensor
  /** The model's main input, with 'inputs' in `includeForMetrics`. */
  readonly inputs?: Tensor
  /** Each row's batch's mean loss, with 'loss' in `includeForMetrics`. */
  readonly losses?: Float64Array
}

/** Turns predictions into metrics. With `batchEvalMetrics` it is called once per batch, and what it returns for the last one counts. */
export type ComputeMetrics = (prediction: EvalPrediction, computeResult: boolean) => Metrics | Promise<Metrics>

/** Makes smaller things of logits, batch by batch, so that less is kept. */
export type PreprocessLogits = (logits: Tensor<'float32'>, labels: Tensor | undefined) => Tensor

/** One batch, and which rows of the dataset it is. */
export interface LoadedBatch {
  readonly batch: Batch
  readonly rows: readonly number[]
}

/** What is evaluated, and what is to come of it. */
export interface EvaluationOptions {
  readonly batches: AsyncIterable<LoadedBatch>
  /** Keep neither logits nor labels. */
  readonly lossOnly: boolean
  readonly computeMetrics: ComputeMetrics | undefined
  readonly preprocessLogits: PreprocessLogits | undefined
  readonly includeInputs: boolean
  readonly includeLosses: boolean
  /** Call `computeMetrics` batch by batch, and keep nothing. */
  readonly streaming: boolean
  /** Keep predictions although metrics stream: for `predict`. */
  readonly keepPredictions: boolean
  readonly afterBatch: () => Promise<void>
}

/** What an evaluation came to. */
export interface EvaluationOutput {
  readonly predictions: Tensor | undefined
  readonly labels: Tensor | undefined
  /** The mean over all labels that count; undefined without labels. */
  readonly loss: number | undefined
  readonly metrics: Metrics
  readonly samples: number
  readonly batches: number
}

/** Runs the model over batches, and the metrics over what it predicts. */
export async function runEvaluation(runner: Runner, options: EvaluationOptions): Promise<EvaluationOutput> {
  const [predictions, labels, inputs] = [new RowCollector(), new RowCollector(), new RowCollector()]
  const losses = new Map<number, number>()
  let [sum, count, samples, batches, labelled] = [0, 0, 0, 0, false]
  let streamed: Metrics = {}
  for await (const { value: { batch, rows }, last } of withLast(options.batches)) {
    const rowName: RowName = (row) => `row ${rows[row]} of the evaluation dataset`
    const { loss, logits } = await runner.evaluate(runner.prepare(batch, rowName))
    if (loss !== undefined) {
      sum += loss.loss
      count += loss.count
      labelled = true
      if (options.includeLosses) for (const row of rows) losses.set(row, loss.loss / loss.count)
    }
    samples += rows.length
    batches++
    if (!options.lossOnly) {
      const kept = options.preprocessLogits?.(logits, batch.labels) ?? logits
      if (options.streaming && options.computeMetrics !== undefined) streamed = await options.computeMetrics(predictionOf(kept, required(batch.labels, batch), batch.input_ids, undefined), last)
      if (!options.streaming || options.keepPredictions) {
        predictions.add(kept, rows)
        if (batch.labels !== undefined) labels.add(batch.labels, rows)
        if (options.includeInputs) inputs.add(batch.input_ids!, rows)
      }
    }
    await options.afterBatch()
  }
  const [allPredictions, allLabels] = [predictions.finish(), labels.finish()]
  const wanted = options.computeMetrics !== undefined && !options.lossOnly && samples > 0
  const metrics = !wanted ? {} : options.streaming ? streamed : await options.computeMetrics!(
    predictionOf(allPredictions!, required(allLabels, undefined), options.includeInputs ? inputs.finish() : undefined, options.includeLosses ? Float64Array.from([...losses].sort(([a], [b]) => a - b), ([, loss]) => loss) : undefined), true)
  return { predictions: allPredictions, labels: allLabels, loss: labelled ? sum / count : undefined, metrics, samples, batches }
}

function predictionOf(predictions: Tensor, labels: Tensor, inputs: Tensor | undefined, losses: Float64Array | undefined): EvalPrediction {
  return { predictions, labels, labelIds: labels, ...(inputs && { inputs }), ...(losses && { losses }) }
}

/** Metrics without labels would silently not be computed in Python; here that is an error. */
function required(labels: Tensor | undefined, batch: Batch | undefined): Tensor {
  if (labels !== undefined) return labels
  throw new TrainerError('data', `computeMetrics was given, but the evaluation dataset has no labels${batch === undefined ? '' : `: its columns are ${Object.keys(batch).map((name) => `"${name}"`).join(', ')}`}.`, {
    fix: 'Add a column "label", or leave computeMetrics out.',
  })
}

/** Each value, and whether it is the last one. */
async function* withLast<T>(values: AsyncIterable<T>): AsyncGenerator<{ value: T; last: boolean }> {
  let held: { value: T } | undefined
  for await (const value of values) {
    if (held !== undefined) yield { value: held.value, last: false }
    held = { value }
  }
  if (held !== undefined) yield { value: held.value, last: true }
}
