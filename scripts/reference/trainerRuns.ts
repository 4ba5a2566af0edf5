// A whole run of the Trainer against Hugging Face's.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createProfile } from '../../src/index'
import { type Checked, type Comparison, compareEqual, compareRelative, compareScalar, verdict } from './compare'
import { type Best, compareBest, compareEntry, compareHistory, type Entry, kept } from './entries'
import { type OracleArguments, type OracleTrainer, oracleTrainer, trainedOn } from './oracleRun'
import { roundTripsIn } from './placement'
import { collectStrays } from './strays'

/** Values of a run under the oracle's names. */
interface RunValues extends Best {
  /** The evaluation after training is the last entry. */
  readonly log_history: readonly Entry[]
  readonly train_row_order: readonly number[]
  readonly train_metrics: Entry
  readonly global_step: number
  readonly final_evaluation: Entry
  readonly predictions: readonly (readonly number[])[]
  readonly parameter_norms: Readonly<Record<string, number>>
}

interface RunsOracle extends RunValues {
  readonly arguments: OracleArguments
}

/**
 * Checks a file of `trainer-runs`; on a device, its losses are held against those of the processor too, and every node
 * has to be there.
 */
export async function checkTrainerRun(file: string, device?: string): Promise<Checked> {
  const oracle = JSON.parse(readFileSync(file, 'utf8')) as RunsOracle
  const strays = device === undefined ? [] : collectStrays()
  const { computed, roundTrips } = await compute(dirname(file), oracle.arguments, device)
  const comparisons = compareRun(computed, oracle)
  if (device !== undefined) {
    comparisons.push(compareEqual(`nodes that do not run on ${device}`, strays, []))
    comparisons.push(compareEqual('copies from the device in the middle of a run', roundTrips, []))
    comparisons.push(...compareLosses(computed, (await compute(dirname(file), oracle.arguments)).computed))
  }
  return { verdict: verdict(comparisons), computed }
}

/** Every loss of a run against those of the same run on the processor, to 1e-4. */
function compareLosses(given: RunValues, onProcessor: RunValues): Comparison[] {
  return onProcessor.log_history.flatMap((entry, i) =>
    ['loss', 'eval_loss', 'train_loss'].flatMap(name =>
      typeof entry[name] !== 'number'
        ? []
        : [
            compareRelative(
              `${name} of log_history[${i}] beside the processor's`,
              Number(given.log_history[i]?.[name] ?? NaN),
              entry[name],
              1e-4,
            ),
          ],
    ),
  )
}

/** A run, and what it copied from its device in the middle of programs. */
async function compute(
  folder: string,
  stated: OracleArguments,
  device?: string,
): Promise<{ readonly computed: RunValues; readonly roundTrips: readonly string[] }> {
  const outputDir = mkdtempSync(join(tmpdir(), 'reference-'))
  const profile = device === undefined ? undefined : createProfile({ operators: join(outputDir, 'operators') })
  try {
    const computed = await valuesOf(await oracleTrainer(folder, stated, outputDir, [], { device, profile }))
    return { computed, roundTrips: profile === undefined ? [] : roundTripsIn(profile) }
  } finally {
    rmSync(outputDir, { recursive: true, force: true })
  }
}

async function valuesOf(run: OracleTrainer): Promise<RunValues> {
  const { trainer } = run
  try {
    const { metrics } = await trainer.train()
    const rows = trainedOn(run)
    const evaluation = await trainer.evaluate()
    const { predictions } = await trainer.predict(run.evaluationRows)
    return {
      log_history: trainer.state.logHistory.map(entry => kept(entry)),
      train_row_order: rows,
      train_metrics: kept(metrics),
      global_step: trainer.state.globalStep,
      best_metric: trainer.state.bestMetric ?? null,
      best_global_step: trainer.state.bestGlobalStep ?? null,
      final_evaluation: kept(evaluation),
      predictions: predictions.tolist() as number[][],
      parameter_norms: Object.fromEntries(
        [...trainer.model.parameters].map(([name, { data }]) => [
          name,
          Math.sqrt(data.reduce((sum, v) => sum + v * v, 0)),
        ]),
      ),
    }
  } finally {
    await trainer.dispose()
  }
}

function compareRun(given: RunValues, oracle: RunsOracle): Comparison[] {
  const step = oracle.global_step
  return [
    compareEqual('global_step', given.global_step, step),
    compareEqual('train_row_order', given.train_row_order, oracle.train_row_order),
    ...compareHistory(
      'log_history',
      given.log_history,
      oracle.log_history.map(entry => ({ entry })),
    ),
    ...compareEntry('train_metrics', given.train_metrics, { entry: oracle.train_metrics }, step),
    ...compareEntry('final_evaluation', given.final_evaluation, { entry: oracle.final_evaluation }, step),
    ...(oracle.best_metric === undefined ? [] : compareBest('', given, oracle)),
    ...comparePredictions(
      oracle.arguments.train_sampling_strategy === 'group_by_length'
        ? likeRows(given.predictions, oracle.predictions)
        : given.predictions,
      oracle.predictions,
    ),
    ...compareNorms(given.parameter_norms, oracle.parameter_norms),
  ]
}

/**
 * Our rows in the order of those that they are most alike. With `group_by_length` transformers predicts in an order
 * that its generator draws, and leaves it at that; predictions here are always in the dataset's order.
 */
function likeRows(given: RunValues['predictions'], expected: RunValues['predictions']): RunValues['predictions'] {
  const left = [...given]
  return expected
    .flatMap(row => {
      const distances = left.map(other => Math.max(...row.map((value, j) => Math.abs(value - (other[j] ?? NaN)))))
      return left.splice(distances.indexOf(Math.min(...distances)), 1)
    })
    .concat(left)
}

/** 5e-3, absolutely or relatively. */
function comparePredictions(given: RunValues['predictions'], expected: RunValues['predictions']): Comparison[] {
  return [
    compareEqual('rows of predictions', given.length, expected.length),
    ...expected.flatMap((row, i) =>
      row.map((value, j) =>
        compareScalar(`predictions[${i}][${j}]`, given[i]?.[j] ?? NaN, value, 5e-3 * Math.max(1, Math.abs(value))),
      ),
    ),
  ]
}

/** What an optimizer makes of key biases, whose gradient is zero but for rounding, is left out. */
function compareNorms(given: RunValues['parameter_norms'], expected: RunValues['parameter_norms']): Comparison[] {
  return [
    compareEqual('names of parameters', Object.keys(given).sort(), Object.keys(expected).sort()),
    ...Object.entries(expected)
      .filter(([name]) => !/\.(key|k_lin)\.bias$/.test(name))
      .map(([name, norm]) => compareRelative(`norm of ${name}`, given[name] ?? NaN, norm, 2e-3)),
  ]
}
