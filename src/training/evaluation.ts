import { LabelError, quoted, TrainerError } from '../errors'
import type { HeadTask, Predictions } from '../heads/Head'
import type { LabelsOf } from '../heads/OwnHead'
import type { MetricValue } from '../metrics/Metrics'
import { plainMetrics } from '../metrics/plainMetrics'
import type { Batch, Tensor } from '../tensor'
import type { LoadedBatch } from './LoadedBatch'
import { addedLoss, type LossSum, meanLoss } from './lossSums'
import { type Predicted, PredictedCollector, RowCollector } from './RowCollector'
import type { LabelledFeed } from './LabelledFeed'
import type { Runner } from './Runner'

/**
 * What `computeMetrics` gets: tensors in the dataset's order; several, in Python's order, for a head that predicts
 * several (question answering); by name for a head of one's own.
 */
export interface EvalPrediction<Prediction = Tensor> {
  /** [rows, labels], or what `preprocessLogitsForMetrics` made of it. */
  readonly predictions: Prediction
  readonly labels: LabelsOf<Prediction>
  /** The labels under Python's name. */
  readonly labelIds: LabelsOf<Prediction>
  /** The model's main input, with 'inputs' in `includeForMetrics`. */
  readonly inputs?: Tensor
  /** Each row's batch's mean loss, with 'loss' in `includeForMetrics`. */
  readonly losses?: Float64Array
}

/** A prediction that can also be taken apart as Python's, into predictions and labels: `([logits, labels]) => …`. */
type InTwo<Prediction> = EvalPrediction<Prediction> & Iterable<Prediction | LabelsOf<Prediction>>

/** What `computeMetrics` may return: numbers by name, and whatever else {@link MetricValue} and tensors can say. */
export type ComputedMetrics = Readonly<Record<string, unknown>>

/**
 * Turns predictions into metrics. With `batchEvalMetrics` it is called once per batch, and what it returns for the last
 * one counts. Lists and objects are kept as they are, in results and in the log.
 */
export type ComputeMetrics<Prediction = Tensor> = (
  prediction: InTwo<Prediction>,
  computeResult: boolean,
) => ComputedMetrics | Promise<ComputedMetrics>

const returned = 'computeMetrics returned'

/** Makes smaller things of logits, batch by batch, so that less is kept. */
export type PreprocessLogits<Prediction = Tensor> = (
  logits: Prediction,
  labels: LabelsOf<Prediction> | undefined,
) => Prediction | Promise<Prediction>

/** What is evaluated, and what is to come of it. */
export interface EvaluationOptions {
  readonly batches: AsyncIterable<LoadedBatch>
  /** Makes the inputs of a program of a batch. */
  readonly feed: (loaded: LoadedBatch) => LabelledFeed
  /** The columns of a batch that are its labels, and the model's main one. */
  readonly labels: readonly string[]
  readonly task: HeadTask
  /** Whether predictions and labels are kept by name. */
  readonly named: boolean
  readonly mainInput: string
  /** Keep neither logits nor labels. */
  readonly lossOnly: boolean
  readonly computeMetrics: ComputeMetrics<Predicted> | undefined
  readonly preprocessLogits: PreprocessLogits<Predicted> | undefined
  readonly includeInputs: boolean
  readonly includeLosses: boolean
  /** Batches whose logits are on the device together, before they are fetched. */
  readonly accumulationSteps: number
  /** Call `computeMetrics` batch by batch, and keep nothing. */
  readonly streaming: boolean
  /** Keep predictions although metrics stream: for `predict`. */
  readonly keepPredictions: boolean
  /** Rows without labels simply have no metrics. */
  readonly optionalLabels: boolean
  /** Have each batch's predictions fetched for {@link EvaluationOptions.afterBatch}. */
  readonly observed: boolean
  /**
   * Called after each batch, with its predictions as they were computed if it is observed; answers whether the evaluation
   * is to end, as {@link EvaluationStopped}.
   */
  readonly afterBatch: (loaded: LoadedBatch, predictions: Predictions | undefined) => Promise<boolean>
}

/** Thrown where an evaluation was asked to end before its last batch: what it came to is of no use. */
export class EvaluationStopped extends Error {
  override readonly name = 'EvaluationStopped'
}

/** What an evaluation came to. */
export interface EvaluationOutput {
  readonly predictions: Predicted | undefined
  readonly labels: Predicted | undefined
  /** The mean over all labels that count; undefined without labels. */
  readonly loss: number | undefined
  readonly metrics: Readonly<Record<string, MetricValue>>
  readonly samples: number
  readonly batches: number
}

/** Runs the model over batches, and the metrics over what it predicts. */
export async function runEvaluation(runner: Runner, options: EvaluationOptions): Promise<EvaluationOutput> {
  const kept = keepNothing()
  let loss: LossSum | undefined
  let samples = 0
  let batches = 0
  let metrics: Record<string, MetricValue> = {}
  let held: Held[] = []
  let isLabelled: boolean | undefined
  for await (const { value, last } of withLast(options.batches)) {
    isLabelled = checkLikewise(value, options.labels, isLabelled)
    const { loss: own, predictions: fetch } = await runner.forward(options.feed(value))
    const observed = options.observed ? await fetch() : undefined
    const predictions = observed === undefined ? fetch : async (): Promise<Predictions> => observed
    if (own !== undefined) loss = loss === undefined ? own : addedLoss(loss, own)
    samples += value.rows.length
    batches++
    if (!options.lossOnly) held.push({ ...value, predictions, mean: own && meanLoss(own) })
    if (last || options.streaming || held.length >= options.accumulationSteps) {
      for (const one of held) metrics = (await take(one, kept, options, last)) ?? metrics
      held = []
    }
    if ((await options.afterBatch(value, observed)) && !last) throw new EvaluationStopped()
  }
  const predictions = kept.predictions.finish()
  const labels = kept.labels.finish()
  if (!options.streaming && predictions !== undefined && hasMetrics(options, labels, undefined)) {
    const losses = options.includeLosses ? inRowOrder(kept.losses) : undefined
    const prediction = predictionOf(predictions, labels!, kept.inputs.finish(), losses)
    metrics = plainMetrics(await options.computeMetrics!(prediction, true), returned)
  }
  return { predictions, labels, loss: loss && meanLoss(loss), metrics, samples, batches }
}

/**
 * Whether a batch has labels, as those before it.
 * @throws LabelError where they did and it does not, or the other way about.
 */
function checkLikewise(
  { batch, rows }: LoadedBatch,
  columns: readonly string[],
  isLabelled: boolean | undefined,
): boolean {
  const isSo = columns.some(name => batch[name] !== undefined)
  if (isLabelled === undefined || isSo === isLabelled) return isSo
  const row = `row ${rows[0]} of the evaluation dataset`
  throw new LabelError(
    isSo ? `The label of ${row} is known, but those of rows before are not.` : `The label of ${row} is missing.`,
    'Leave rows without a label out with filter().',
  )
}

/** A batch whose predictions are still where they were computed, and the mean of its loss. */
interface Held extends LoadedBatch {
  readonly predictions: () => Promise<Predictions>
  readonly mean: number | undefined
}

interface Kept {
  readonly predictions: PredictedCollector
  readonly labels: PredictedCollector
  readonly inputs: RowCollector
  readonly losses: Map<number, number>
}

function keepNothing(): Kept {
  return {
    predictions: new PredictedCollector(),
    labels: new PredictedCollector(),
    inputs: new RowCollector(),
    losses: new Map(),
  }
}

/** Keeps what is wanted of a batch; where metrics stream, returns those up to it. */
async function take(
  { batch, rows, predictions: fetch, mean }: Held,
  kept: Kept,
  options: EvaluationOptions,
  last: boolean,
): Promise<Record<string, MetricValue> | undefined> {
  const fetched = predictedOf(await fetch(), options)!
  const given = options.labels.flatMap(name => (batch[name] === undefined ? [] : [[name, batch[name]] as const]))
  const labels = predictedOf(Object.fromEntries(given), options)
  const predictions = (await options.preprocessLogits?.(fetched, labels)) ?? fetched
  const inputs = options.includeInputs ? batch[options.mainInput] : undefined
  if (!options.streaming || options.keepPredictions) {
    kept.predictions.add(predictions, rows)
    if (labels !== undefined) kept.labels.add(labels, rows)
  }
  if (!options.streaming) {
    if (inputs !== undefined) kept.inputs.add(inputs, rows)
    if (options.includeLosses && mean !== undefined) for (const row of rows) kept.losses.set(row, mean)
    return undefined
  }
  if (!hasMetrics(options, labels, batch)) return undefined
  const losses = options.includeLosses && mean !== undefined ? new Float64Array(rows.length).fill(mean) : undefined
  const metrics = await options.computeMetrics!(predictionOf(predictions, labels!, inputs, losses), last)
  return last ? plainMetrics(metrics, returned) : undefined
}

/** Tensors by name, or in the order of the names several of them or the one; undefined where there is none. */
function predictedOf(tensors: Predictions, { named }: EvaluationOptions): Predicted | undefined {
  const values = Object.values(tensors)
  if (named) return values.length === 0 ? undefined : tensors
  return values.length <= 1 ? values[0] : values
}

/**
 * Whether there are metrics to compute.
 * @throws TrainerError where there should be, but there are no labels: in Python they would silently be missing.
 */
function hasMetrics(
  { computeMetrics, optionalLabels, task }: EvaluationOptions,
  labels: Predicted | undefined,
  batch: Batch | undefined,
): boolean {
  if (computeMetrics === undefined) return false
  if (labels !== undefined) return true
  if (optionalLabels) return false
  const columns = batch === undefined ? '' : `: its columns are ${quoted(Object.keys(batch))}`
  throw new TrainerError('data', `computeMetrics was given, but the evaluation dataset has no labels${columns}.`, {
    fix:
      task in whereLabelsAre
        ? `${whereLabelsAre[task]} Or leave computeMetrics out.`
        : 'Add a column "label", name it with labelNames, or leave computeMetrics out.',
  })
}

/** Where labels are, for the tasks whose rows have no column "label". */
export const whereLabelsAre: Partial<Readonly<Record<HeadTask, string>>> = {
  'masked-lm':
    'Labels are the tokens that a collator hides: set dataCollator: DataCollatorForLanguageModeling(tokenizer).',
  'question-answering': 'Labels are the columns "start_positions" and "end_positions": squadFeatures() makes them.',
  'token-classification':
    'Labels are a column "labels" with a list for each row, a number for each token (alignLabels() makes them of ' +
    "words' labels): set dataCollator: DataCollatorForTokenClassification(tokenizer), which pads them.",
}

function inRowOrder(losses: ReadonlyMap<number, number>): Float64Array {
  return Float64Array.from(
    [...losses].sort(([a], [b]) => a - b),
    ([, loss]) => loss,
  )
}

function predictionOf(
  predictions: Predicted,
  labels: Predicted,
  inputs: Tensor | undefined,
  losses: Float64Array | undefined,
): InTwo<Predicted> {
  const fields = { predictions, labels, labelIds: labels, ...(inputs && { inputs }), ...(losses && { losses }) }
  const inTwo = { value: () => [predictions, labels].values() }
  return Object.defineProperty(fields, Symbol.iterator, inTwo) as InTwo<Predicted>
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
