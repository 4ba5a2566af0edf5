import { isArgumentName } from '../arguments/resolve'
import { argumentNames } from '../arguments/table'
import { nearest, TrainerError } from '../errors'
import { checkOptions, shown } from '../options'
import { log } from '../logging'
import { isBetter } from '../metrics/better'
import type { Metrics } from '../metrics/Metrics'
import type { TrainingArguments, TrainingArgumentsOptions } from '../TrainingArguments'
import { backendOf, type FinishedTrial, type SearchBackend } from './SearchBackend'
import { defaultSpace, type SearchSpace, type TrialValues } from './space'

/** Options of `hyperparameterSearch`. */
export interface SearchOptions {
  /** Default: learning rate 1e-6 to 1e-4 (logarithmic), 1 to 5 epochs, seed 1 to 40, batches of 4 to 64 rows. */
  readonly hpSpace?: SearchSpace
  /**
   * The number to optimize, from an evaluation's metrics. Default: the sum of all metrics but loss and speed, or the
   * loss if it is the only one.
   */
  readonly computeObjective?: (metrics: Metrics) => number
  /** Default 20; of a grid, all points. */
  readonly nTrials?: number
  /**
   * Default: that of `metricForBestModel`, unless it is the loss; else 'maximize' with `computeMetrics` and 'minimize'
   * for the loss.
   */
  readonly direction?: 'minimize' | 'maximize'
  /** Default 'random'. 'grid' goes through all combinations of lists. */
  readonly backend?: 'random' | 'grid' | SearchBackend
  /** Names the folder of a trial in `outputDir`; default `run-<number>`. */
  readonly hpName?: (trial: { readonly number: number; readonly hyperparameters: TrialValues }) => string
  /** The seed of random trials; default: the arguments' seed. */
  readonly seed?: number
}

/** The names of {@link SearchOptions}. */
const searchOptions = Object.keys({
  hpSpace: 1,
  computeObjective: 1,
  nTrials: 1,
  direction: 1,
  backend: 1,
  hpName: 1,
  seed: 1,
} satisfies Record<keyof SearchOptions, 1>)

/** The result of a search. */
export interface BestRun {
  /** The trial's number. */
  readonly runId: string
  readonly objective: number
  readonly hyperparameters: TrialValues
  /** All trials, in order. */
  readonly trials: readonly FinishedTrial[]
}

/** What the search needs of a Trainer. */
export interface Searched {
  /**
   * Trains with a trial's values in the folder of that name; `evaluated` receives every evaluation and ends the trial
   * by true. False: it was interrupted.
   */
  runTrial(
    values: TrialValues,
    name: string,
    evaluated: (metrics: Metrics, step: number) => Promise<boolean>,
  ): Promise<boolean>
  readonly args: TrainingArguments
  /** Whether evaluations have metrics besides the loss. */
  readonly hasMetrics: boolean
}

/**
 * Runs trial after trial. One whose loss is not finite counts as the worst, with a warning; one that is interrupted
 * ends the search.
 * @throws TrainerError when an option is wrong, the direction is not clear, the space is empty, or no trial has a
 * finite objective.
 */
export async function searchHyperparameters(trainer: Searched, options: SearchOptions): Promise<BestRun> {
  const { space, objectiveOf, trialCount, higherIsBetter, backend, seed, nameOf } = settingsOf(trainer, options)
  const trials: FinishedTrial[] = []
  for (let number = 0; number < trialCount; number++) {
    const hyperparameters = await backend.suggest({ number, space, finished: trials, seed })
    if (hyperparameters === undefined) break
    let objective = NaN
    const evaluated = async (metrics: Metrics, step: number): Promise<boolean> => {
      objective = objectiveOf({ ...metrics })
      return (await backend.report?.({ number, step, objective, finished: trials })) ?? false
    }
    const name = nameOf({ number, hyperparameters })
    const complete = await trainer.runTrial(hyperparameters, name, evaluated).catch((error: unknown) => {
      if (!(error instanceof TrainerError) || error.code !== 'training') throw error
      objective = NaN
      log('warning', `Trial ${number} counts as the worst: ${error.message}`)
      return true
    })
    if (!complete) {
      log('warning', `Trial ${number} was interrupted and does not count: the search ends.`)
      break
    }
    trials.push({ number, hyperparameters, objective })
    log('info', `Trial ${number}: ${objective} with ${JSON.stringify(hyperparameters)}.`)
  }
  return bestOf(trials, higherIsBetter)
}

interface Settings {
  readonly space: SearchSpace
  readonly objectiveOf: (metrics: Metrics) => number
  readonly trialCount: number
  readonly higherIsBetter: boolean
  readonly backend: SearchBackend
  readonly seed: number
  readonly nameOf: NonNullable<SearchOptions['hpName']>
}

/** Checks the options and fills in the defaults. */
function settingsOf(trainer: Searched, options: SearchOptions): Settings {
  checkOptions(options, searchOptions, 'hyperparameterSearch()')
  const trialCount = options.nTrials ?? (options.backend === 'grid' ? Number.MAX_SAFE_INTEGER : 20)
  if (!Number.isInteger(trialCount) || trialCount < 1) {
    throw new TrainerError('argument', `nTrials should be a whole number of at least 1, but is ${String(trialCount)}.`)
  }
  return {
    space: options.hpSpace ?? defaultSpace,
    objectiveOf: options.computeObjective ?? defaultObjective,
    trialCount,
    higherIsBetter: isHigherBetter(trainer, options),
    backend: backendOf(options.backend ?? 'random'),
    seed: options.seed ?? trainer.args.seed,
    nameOf: options.hpName ?? (({ number }) => `run-${number}`),
  }
}

/**
 * Hugging Face's default objective: the sum of all metrics but loss, speed and epoch, or the loss if an evaluation has
 * nothing else.
 */
export function defaultObjective(metrics: Metrics): number {
  const others = Object.entries(metrics).filter(([key]) => !notObjectives.test(key))
  const odd = others.find(([, value]: readonly [string, unknown]) => typeof value !== 'number')
  if (odd !== undefined) {
    throw new TrainerError(
      'argument',
      `The metrics cannot be added up: "${odd[0]}" is ${shown(odd[1])}, not a number.`,
      {
        fix: 'Say what counts: computeObjective: metrics => metrics.eval_f1.',
      },
    )
  }
  return others.length === 0 ? (metrics.eval_loss ?? NaN) : others.reduce((sum, [, value]) => sum + value, 0)
}

const notObjectives = /^eval_loss$|^epoch$|^num_input_tokens_seen$|_runtime$|_per_second$|_preparation_time$/

/** The direction given, else that of the metric for the best model, else that of the default objective. */
function isHigherBetter({ args, hasMetrics }: Searched, { direction, computeObjective }: SearchOptions): boolean {
  if (direction !== undefined && direction !== 'minimize' && direction !== 'maximize') {
    throw new TrainerError('argument', `direction is "${String(direction)}".`, {
      fix: 'It is "minimize" or "maximize".',
    })
  }
  if (direction !== undefined) return direction === 'maximize'
  if (args.metricForBestModel !== undefined && !/^(?:eval_)?loss$/.test(args.metricForBestModel))
    return args.greaterIsBetter ?? true
  if (computeObjective === undefined) return hasMetrics
  throw new TrainerError('argument', 'Whether a higher value of computeObjective is better is not known.', {
    fix: 'Set direction to "maximize" or "minimize", or name metricForBestModel.',
  })
}

function bestOf(trials: readonly FinishedTrial[], higherIsBetter: boolean): BestRun {
  const finite = trials.filter(({ objective }) => !Number.isNaN(objective))
  if (finite.length === 0) {
    throw new TrainerError('training', `None of ${trials.length} trials has an objective.`, {
      fix: 'Check hpSpace, and what computeObjective returns.',
    })
  }
  const best = finite.reduce((a, b) => (isBetter(b.objective, a.objective, higherIsBetter) ? b : a))
  return { runId: String(best.number), objective: best.objective, hyperparameters: best.hyperparameters, trials }
}

/**
 * The arguments with a trial's values; names that are not training arguments are left to `modelInit`, with a warning.
 */
export function trialArguments(args: TrainingArguments, values: TrialValues): TrainingArguments {
  const known: [string, unknown][] = []
  for (const [name, value] of Object.entries(values)) {
    if (isArgumentName(name)) known.push([name, value])
    else {
      const near = nearest(name, argumentNames)
      const meant = near === undefined ? '' : ` Did you mean ${near}?`
      log('warning', `The hyperparameter ${name} is not a training argument: only modelInit gets it.${meant}`)
    }
  }
  return args.with(Object.fromEntries(known) as TrainingArgumentsOptions)
}
