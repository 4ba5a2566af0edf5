import { TrainerError } from '../errors'
import { checkScheduleKwargs, type MetricScheduleType, type ScheduleKwargs } from './schedules'

/** Learning rates that change when an evaluation's metric gets better or stops getting better. */
export interface MetricSchedule {
  /** The learning rate of each parameter group now. */
  readonly rates: readonly number[]
  /** Takes the metric of an evaluation, and changes the rates when it is time. NaN does not count as better. */
  step(metric: number): void
  /** Everything that a checkpoint has to keep: valid JSON, in snake_case. */
  state(): MetricScheduleState
  /**
   * Resumes from a state that `state()` returned.
   * @throws TrainerError (`file`) when the state is that of another schedule, or of another number of groups.
   */
  restore(state: MetricScheduleState): void
}

/** The state of a {@link MetricSchedule}. `best` is null before the first metric. */
export interface MetricScheduleState {
  readonly type: MetricScheduleType
  readonly rates: readonly number[]
  readonly best: number | null
  readonly num_bad: number
  readonly num_good: number
  readonly cooldown_counter: number
  readonly warmup_counter: number
  readonly reset_start: number
  readonly window: readonly number[]
}

interface Settings {
  readonly higherIsBetter: boolean
  readonly factor: number
  readonly patience: number
  readonly threshold: number
  readonly thresholdMode: 'rel' | 'abs'
  readonly cooldown: number
  readonly warmup: number
  readonly minLr: readonly number[]
  readonly maxLr: readonly number[]
  readonly eps: number
  readonly windowSize: number
  readonly resetStart: number
}

/**
 * Makes `reduce_lr_on_plateau` (PyTorch's `ReduceLROnPlateau`) or `greedy` (GreedyLR, arXiv 2512.14527, as in
 * transformers 5).
 *
 * Whether a higher metric is better comes from `greaterIsBetter`, unless `kwargs.mode` says otherwise.
 * @param options.baseRates the learning rate of each parameter group at the start.
 * @throws TrainerError (`argument`) for an option that the schedule does not take.
 */
export function createMetricSchedule(options: {
  readonly type: MetricScheduleType
  readonly baseRates: readonly number[]
  readonly greaterIsBetter: boolean
  readonly kwargs?: ScheduleKwargs | undefined
}): MetricSchedule {
  const { type, baseRates, greaterIsBetter, kwargs = {} } = options
  checkScheduleKwargs(type, kwargs, baseRates[0] ?? 0)
  const settings = settingsOf(type, kwargs, baseRates.length, greaterIsBetter)
  let state = freshState(type, baseRates, settings)
  const advance = type === 'greedy' ? greedy : plateau
  return {
    get rates() {
      return state.rates
    },
    step: metric => {
      state = advance(state, Number(metric), settings, baseRates)
    },
    state: () => state,
    restore: stored => {
      if (stored.type !== type || stored.rates.length !== baseRates.length) {
        throw new TrainerError(
          'file',
          `The stored schedule state is of ${stored.type} with ${stored.rates.length} rates, ` +
            `but this run has ${type} with ${baseRates.length}.`,
        )
      }
      state = { ...stored }
    },
  }
}

function settingsOf(
  type: MetricScheduleType,
  kwargs: ScheduleKwargs,
  groups: number,
  greaterIsBetter: boolean,
): Settings {
  const isGreedy = type === 'greedy'
  const number = (name: string, plateauDefault: number, greedyDefault = plateauDefault): number =>
    (kwargs[name] as number | undefined) ?? (isGreedy ? greedyDefault : plateauDefault)
  const perGroup = (name: string, otherwise: number): readonly number[] => {
    const given = (kwargs[name] ?? otherwise) as number | readonly number[]
    if (typeof given === 'number') return Array.from({ length: groups }, () => given)
    if (given.length === groups) return given
    throw new TrainerError(
      'argument',
      `lrSchedulerKwargs.${name} lists ${given.length} rates, but the number of parameter groups is ${groups}.`,
    )
  }
  return {
    higherIsBetter: kwargs.mode === undefined ? greaterIsBetter : kwargs.mode === 'max',
    factor: number('factor', 0.1, 0.95),
    patience: number('patience', 10),
    threshold: number('threshold', 1e-4, 1e-6),
    thresholdMode: (kwargs.thresholdMode as 'rel' | 'abs' | undefined) ?? (isGreedy ? 'abs' : 'rel'),
    cooldown: number('cooldown', 0),
    warmup: number('warmup', 0),
    eps: number('eps', 1e-8),
    minLr: perGroup('minLr', isGreedy ? 1e-3 : 0),
    maxLr: perGroup('maxLr', isGreedy ? 1 : Infinity),
    windowSize: kwargs.smooth === true ? number('windowSize', 50) : 0,
    resetStart: number('resetStart', 500),
  }
}

function freshState(type: MetricScheduleType, rates: readonly number[], { resetStart }: Settings): MetricScheduleState {
  return {
    type,
    rates: [...rates],
    best: null,
    num_bad: 0,
    num_good: 0,
    cooldown_counter: 0,
    warmup_counter: 0,
    reset_start: resetStart,
    window: [],
  }
}

function isBetter(
  metric: number,
  best: number | null,
  { higherIsBetter, threshold, thresholdMode }: Settings,
): boolean {
  // Before the first metric the best is ∓∞, which every number beats and NaN does not.
  const than = best ?? (higherIsBetter ? -Infinity : Infinity)
  if (thresholdMode === 'rel') return higherIsBetter ? metric > than * (1 + threshold) : metric < than * (1 - threshold)
  return higherIsBetter ? metric > than + threshold : metric < than - threshold
}

/** Every rate that would fall by more than `eps` falls by the factor, but not below its minimum. */
function reduced(rates: readonly number[], { factor, minLr, eps }: Settings): number[] {
  return rates.map((rate, i) => {
    const next = Math.max(rate * factor, minLr[i]!)
    return rate - next > eps ? next : rate
  })
}

/**
 * PyTorch's rule: more than `patience` evaluations in a row that are no better reduce the rates, outside the pause
 * after a reduction.
 */
function plateau(state: MetricScheduleState, metric: number, settings: Settings): MetricScheduleState {
  const better = isBetter(metric, state.best, settings)
  const pausing = state.cooldown_counter > 0
  const bad = better || pausing ? 0 : state.num_bad + 1
  const seen = {
    ...state,
    best: better ? metric : state.best,
    num_bad: bad,
    cooldown_counter: state.cooldown_counter - (pausing ? 1 : 0),
  }
  if (bad <= settings.patience) return seen
  return { ...seen, rates: reduced(state.rates, settings), cooldown_counter: settings.cooldown, num_bad: 0 }
}

/**
 * GreedyLR: rates rise while the metric keeps getting better and fall while it does not; after long enough at the
 * minimum, they start again.
 */
function greedy(
  state: MetricScheduleState,
  raw: number,
  settings: Settings,
  baseRates: readonly number[],
): MetricScheduleState {
  const window = settings.windowSize === 0 ? [] : [...state.window, raw].slice(-settings.windowSize)
  const metric = window.length === 0 ? raw : window.reduce((sum, value) => sum + value, 0) / window.length
  const still = { ...state, window, num_bad: 0, num_good: 0 }
  if (state.cooldown_counter > 0) return { ...still, cooldown_counter: state.cooldown_counter - 1 }
  if (state.warmup_counter > 0) return { ...still, warmup_counter: state.warmup_counter - 1 }
  const better = isBetter(metric, state.best, settings)
  const good = better ? state.num_good + 1 : 0
  const bad = better ? 0 : state.num_bad + 1
  const seen = { ...state, window, best: better ? metric : state.best, num_good: good, num_bad: bad }
  if (good > settings.patience) {
    return {
      ...seen,
      rates: raised(state.rates, settings),
      warmup_counter: settings.warmup,
      num_good: 0,
      reset_start: settings.resetStart,
    }
  }
  return bad > settings.patience ? greedyReduction(seen, settings, baseRates) : seen
}

function raised(rates: readonly number[], { factor, maxLr, eps }: Settings): number[] {
  return rates.map((rate, i) => {
    const next = Math.min(rate / factor, maxLr[i]!)
    return next - rate > eps ? next : rate
  })
}

function greedyReduction(
  state: MetricScheduleState,
  settings: Settings,
  baseRates: readonly number[],
): MetricScheduleState {
  const rates = reduced(state.rates, settings)
  const atMinimum = rates.every((rate, i) => rate <= settings.minLr[i]!)
  const left = state.reset_start - (atMinimum ? 1 : 0)
  const next =
    atMinimum && left <= 0 ? freshState(state.type, baseRates, settings) : { ...state, rates, reset_start: left }
  return { ...next, cooldown_counter: settings.cooldown, num_bad: 0 }
}
