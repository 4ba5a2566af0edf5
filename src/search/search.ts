import { isArgumentName } from '../arguments/resolve'
import { argumentNames } from '../arguments/table'
import { nearest, refuseUnknown, TrainerError } from '../errors'
import { log } from '../logging'
import { hash32, MersenneTwister } from '../random'
import type { TrainingArguments, TrainingArgumentsOptions } from '../TrainingArguments'
import type { Metrics } from '../metrics/Metrics'

/** A trial's hyperparameters: training arguments by name, and values of one's own that only `modelInit` reads. */
export type TrialValues = Readonly<Record<string, unknown>>

/**
 * What a hyperparameter may be: one of a list, or a number of a range (drawn evenly, or evenly in its logarithm; whole
 * numbers with `integer`).
 */
export type SearchDimension =
  | readonly unknown[]
  | { readonly low: number; readonly high: number; readonly log?: boolean; readonly integer?: boolean }

/** Hyperparameters by name, or a function that draws them, as with Optuna. */
export type SearchSpace = Readonly<Record<string, SearchDimension>> | ((trial: Trial) => TrialValues)

/** What a function that draws hyperparameters draws with. */
export interface Trial {
  /** Counted from 0. */
  readonly number: number
  suggestFloat(name: string, low: number, high: number, options?: { readonly log?: boolean }): number
  suggestInt(name: string, low: number, high: number, options?: { readonly log?: boolean }): number
  suggestCategorical<T>(name: string, choices: readonly T[]): T
}

/** A trial that is over. */
export interface FinishedTrial {
  readonly number: number
  readonly hyperparameters: TrialValues
  /** NaN where the trial diverged. */
  readonly objective: number
}

/** An evaluation in a trial. */
export interface TrialEvaluation {
  readonly number: number
  readonly step: number
  readonly objective: number
  readonly finished: readonly FinishedTrial[]
}

/** What chooses hyperparameters: the adapter to a search of one's own. */
export interface SearchBackend {
  /** The next trial's hyperparameters; undefined to end the search. */
  suggest(request: {
    readonly number: number
    readonly space: SearchSpace
    readonly finished: readonly FinishedTrial[]
    readonly seed: number
  }): TrialValues | undefined | Promise<TrialValues | undefined>
  /** Told of every evaluation in a trial; true ends the trial early. */
  report?(evaluation: TrialEvaluation): boolean | Promise<boolean>
}

/** How `hyperparameterSearch` goes. */
export interface SearchOptions {
  /** Default: learning rate 1e-6 to 1e-4 (logarithmic), 1 to 5 epochs, seed 1 to 40, batches of 4 to 64 rows. */
  readonly hpSpace?: SearchSpace
  /**
   * From an evaluation's metrics to what is sought. Default: the sum of all metrics but loss and speed, or the loss
   * where there are no others.
   */
  readonly computeObjective?: (metrics: Metrics) => number
  /** Default 20; of a grid, all points. */
  readonly nTrials?: number
  /**
   * Default: that of `metricForBestModel`, unless it is the loss; else up where there is `computeMetrics`, and down for
   * the loss.
   */
  readonly direction?: 'minimize' | 'maximize'
  /** Default 'random'. 'grid' goes through all combinations of lists. */
  readonly backend?: 'random' | 'grid' | SearchBackend
  /** Names the folder of a trial in `outputDir`; default `run-<number>`. */
  readonly hpName?: (trial: { readonly number: number; readonly hyperparameters: TrialValues }) => string
  /** What random trials are drawn from; default: the arguments' seed. */
  readonly seed?: number
}

/** What a search came to. */
export interface BestRun {
  /** The trial's number. */
  readonly runId: string
  readonly objective: number
  readonly hyperparameters: TrialValues
  /** All trials, in order. */
  readonly trials: readonly FinishedTrial[]
}

/** What the search has a Trainer do. */
export interface Searched {
  /**
   * Trains with a trial's values in the folder of that name; `evaluated` hears of every evaluation and ends the trial
   * by true. False: it was interrupted.
   */
  runTrial(
    values: TrialValues,
    name: string,
    evaluated: (metrics: Metrics, step: number) => Promise<boolean>,
  ): Promise<boolean>
  readonly args: TrainingArguments
  /** Whether evaluations have metrics beside the loss. */
  readonly hasMetrics: boolean
}

/** Hugging Face's default space. */
export const defaultSpace: Readonly<Record<string, SearchDimension>> = {
  learningRate: { low: 1e-6, high: 1e-4, log: true },
  numTrainEpochs: { low: 1, high: 5, integer: true },
  seed: { low: 1, high: 40, integer: true },
  perDeviceTrainBatchSize: [4, 8, 16, 32, 64],
}

/**
 * Hugging Face's default objective: the loss where an evaluation has nothing else, else the sum of all metrics, speed
 * and epoch left out.
 */
export function defaultObjective(metrics: Metrics): number {
  const beside = /^eval_loss$|^epoch$|^num_input_tokens_seen$|_runtime$|_per_second$|_preparation_time$/
  const others = Object.entries(metrics).filter(([key]) => !beside.test(key))
  return others.length === 0 ? (metrics.eval_loss ?? NaN) : others.reduce((sum, [, value]) => sum + value, 0)
}

/**
 * Runs trial after trial. One whose loss is not finite counts as the worst, with a warning; one that is interrupted
 * ends the search.
 * @throws TrainerError when the direction is not clear, the space is empty, or no trial came to a finite objective.
 */
export async function searchHyperparameters(trainer: Searched, options: SearchOptions): Promise<BestRun> {
  refuseUnknown(
    options,
    ['hpSpace', 'computeObjective', 'nTrials', 'direction', 'backend', 'hpName', 'seed'],
    'hyperparameterSearch()',
  )
  const { hpSpace: space = defaultSpace, computeObjective = defaultObjective, seed = trainer.args.seed } = options
  const nTrials = options.nTrials ?? (options.backend === 'grid' ? Number.MAX_SAFE_INTEGER : 20)
  if (!Number.isInteger(nTrials) || nTrials < 1) {
    throw new TrainerError('argument', `nTrials should be a whole number of at least 1, but is ${String(nTrials)}.`)
  }
  const higher = isHigherBetter(trainer, options)
  const backend = backendOf(options.backend ?? 'random')
  const trials: FinishedTrial[] = []
  for (let number = 0; number < nTrials; number++) {
    const hyperparameters = await backend.suggest({ number, space, finished: trials, seed })
    if (hyperparameters === undefined) break
    let objective = NaN
    const evaluated = async (metrics: Metrics, step: number): Promise<boolean> => {
      objective = computeObjective({ ...metrics })
      return (await backend.report?.({ number, step, objective, finished: trials })) ?? false
    }
    const name = options.hpName?.({ number, hyperparameters }) ?? `run-${number}`
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
  return bestOf(trials, higher)
}

function bestOf(trials: readonly FinishedTrial[], higher: boolean): BestRun {
  const finite = trials.filter(({ objective }) => !Number.isNaN(objective))
  if (finite.length === 0) {
    throw new TrainerError('training', `None of ${trials.length} trials came to an objective.`, {
      fix: 'Check hpSpace, and what computeObjective returns.',
    })
  }
  const best = finite.reduce((a, b) => ((higher ? b.objective > a.objective : b.objective < a.objective) ? b : a))
  return { runId: String(best.number), objective: best.objective, hyperparameters: best.hyperparameters, trials }
}

/**
 * The direction that was given, else that of the metric which says what is best, else that of the default objective.
 */
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
  throw new TrainerError('argument', 'Whether a higher value of computeObjective is better cannot be told.', {
    fix: 'Set direction to "maximize" or "minimize", or name metricForBestModel.',
  })
}

function backendOf(backend: 'random' | 'grid' | SearchBackend): SearchBackend {
  if (backend === 'random') return { suggest: ({ number, space, seed }) => draw(space, trialOf(number, seed)) }
  if (backend === 'grid') return { suggest: ({ number, space }) => gridPoint(space, number) }
  if (typeof backend === 'object' && typeof (backend as Partial<SearchBackend> | null)?.suggest === 'function')
    return backend
  throw new TrainerError('argument', `backend is ${JSON.stringify(backend)}.`, {
    fix: 'It is "random", "grid", or an object with suggest().',
  })
}

function draw(space: SearchSpace, trial: Trial): TrialValues {
  if (typeof space === 'function') return space(trial)
  return Object.fromEntries(
    Object.entries(space).map(([name, dimension]) => {
      if (!('low' in dimension)) return [name, trial.suggestCategorical(name, dimension)]
      const { low, high, integer } = dimension
      return [
        name,
        integer === true
          ? trial.suggestInt(name, low, high, dimension)
          : trial.suggestFloat(name, low, high, dimension),
      ]
    }),
  )
}

/** Draws that are a function of the seed, the trial and the hyperparameter's name. */
function trialOf(number: number, seed: number): Trial {
  const uniform = (name: string): number =>
    new MersenneTwister(hash32(seed, number, ...[...name].map(c => c.charCodeAt(0)))).uniform()
  const between = (name: string, low: number, high: number, logarithmic: boolean): number => {
    if (!(low <= high) || (logarithmic && low <= 0)) {
      throw new TrainerError(
        'argument',
        `The range of ${name} is ${low} to ${high}${logarithmic ? ', logarithmic' : ''}.`,
        {
          fix: 'Give low below high, above 0 for a logarithmic one.',
        },
      )
    }
    return logarithmic
      ? Math.exp(Math.log(low) + uniform(name) * (Math.log(high) - Math.log(low)))
      : low + uniform(name) * (high - low)
  }
  return {
    number,
    suggestFloat: (name, low, high, options) => between(name, low, high, options?.log ?? false),
    suggestInt: (name, low, high, options) => {
      if (options?.log === true) return Math.round(between(name, low, high, true))
      return Math.min(high, Math.floor(between(name, low, high + 1, false)))
    },
    suggestCategorical: (name, choices) => {
      if (choices.length === 0) throw new TrainerError('argument', `${name} has no choices.`)
      return choices[Math.floor(uniform(name) * choices.length)]!
    },
  }
}

/** A grid's point by its number, the last list turning fastest; undefined after the last. */
function gridPoint(space: SearchSpace, number: number): TrialValues | undefined {
  const lists = typeof space === 'function' ? undefined : Object.entries(space)
  const ranged = lists?.find(([, dimension]) => 'low' in dimension)?.[0]
  if (lists === undefined || ranged !== undefined) {
    const what = ranged === undefined ? 'hpSpace is a function' : `${ranged} is a range`
    throw new TrainerError('argument', `A grid needs lists of values, but ${what}.`, {
      fix: 'Give hpSpace as { learningRate: [1e-5, 5e-5] }, or take the backend "random".',
    })
  }
  let rest = number
  const point: [string, unknown][] = []
  for (const [name, dimension] of lists.toReversed()) {
    const choices = dimension as readonly unknown[]
    if (choices.length === 0) throw new TrainerError('argument', `${name} has no choices.`)
    point.unshift([name, choices[rest % choices.length]])
    rest = Math.floor(rest / choices.length)
  }
  return rest === 0 ? Object.fromEntries(point) : undefined
}

/**
 * The arguments with a trial's values; names that are no training arguments are left to `modelInit`, with a warning.
 */
export function trialArguments(args: TrainingArguments, values: TrialValues): TrainingArguments {
  const known: [string, unknown][] = []
  for (const [name, value] of Object.entries(values)) {
    if (isArgumentName(name)) known.push([name, value])
    else {
      const near = nearest(name, argumentNames)
      const meant = near === undefined ? '' : ` Did you mean ${near}?`
      log('warning', `The hyperparameter ${name} is no training argument: only modelInit gets it.${meant}`)
    }
  }
  return args.with(Object.fromEntries(known) as TrainingArgumentsOptions)
}
