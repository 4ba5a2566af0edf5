import type { TrainableModel } from '../auto/TrainableModel'
import { speedMetrics } from '../callbacks/format'
import type { Loader } from '../data/loader'
import type { Metrics } from '../metrics/Metrics'
import type { TrainingArguments } from '../TrainingArguments'
import {
  type ComputeMetrics,
  type EvaluationOptions,
  type EvaluationOutput,
  type PreprocessLogits,
  runEvaluation,
} from './evaluation'
import type { LoadedBatch } from './LoadedBatch'
import type { Predicted } from './RowCollector'
import type { Runner } from './Runner'

/** What a Trainer's options say of metrics; a tensor or several is what its model predicts. */
export interface MetricOptions {
  readonly computeMetrics?: ComputeMetrics<Predicted> | undefined
  readonly preprocessLogitsForMetrics?: PreprocessLogits<Predicted> | undefined
}

/** What is evaluated, and how its metrics are named. */
export interface EvaluatedModel {
  readonly model: TrainableModel
  readonly runner: Runner
  readonly loader: Loader<LoadedBatch>
  readonly args: TrainingArguments
  readonly options: MetricOptions
  /** What the keys of the metrics begin with. */
  readonly prefix: string
  /** Whether predictions are wanted: they are kept then, and rows need no labels. */
  readonly predicting: boolean
  /** Whether `afterBatch` is given predictions, though no metric may ask for them. */
  readonly observed: boolean
  readonly afterBatch: EvaluationOptions['afterBatch']
}

/** What an evaluation came to, its metrics named and with the speed. */
export interface ModelEvaluation extends EvaluationOutput {
  readonly metrics: Metrics
}

/** Evaluates a model on a loader's batches; the metrics are named, and have the speed with them. */
export async function evaluateModel(evaluated: EvaluatedModel): Promise<ModelEvaluation> {
  const { model, runner, loader, args, options, prefix, predicting, observed } = evaluated
  const lossOnly = !predicting && (args.predictionLossOnly || options.computeMetrics === undefined)
  const startedAt = performance.now()
  const output = await runEvaluation(runner, {
    batches: loader,
    feed({ batch, rows }) {
      model.decideHead(batch)
      const rowName = (row: number): string => `row ${rows[row]} of the evaluation dataset`
      return runner.feed(batch, rowName, 'evaluation', lossOnly && !observed)
    },
    labels: model.definition.head.labelNames,
    task: model.definition.head.task,
    named: model.definition.head.own !== undefined,
    mainInput: model.inputNames[0]!,
    lossOnly,
    computeMetrics: options.computeMetrics,
    optionalLabels: predicting,
    preprocessLogits: options.preprocessLogitsForMetrics,
    includeInputs: args.includeForMetrics.includes('inputs'),
    includeLosses: args.includeForMetrics.includes('loss'),
    accumulationSteps: args.evalAccumulationSteps,
    streaming: args.batchEvalMetrics,
    keepPredictions: predicting,
    observed,
    afterBatch: evaluated.afterBatch,
  })
  const seconds = (performance.now() - startedAt) / 1000
  const own = Object.entries({ ...(output.loss !== undefined && { loss: output.loss }), ...output.metrics })
  const named = own.map(([key, value]) => [key.startsWith(`${prefix}_`) ? key : `${prefix}_${key}`, value] as const)
  const speed = speedMetrics(prefix, seconds, { numSamples: output.samples, numSteps: output.batches })
  return { ...output, metrics: { ...(Object.fromEntries(named) as Metrics), ...speed } }
}
