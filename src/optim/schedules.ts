import { nearest, TrainerError } from '../errors'
import { checkOptions } from '../options'

/** From the number of updates already made to the factor by which the base learning rate is multiplied. */
export type Schedule = (step: number) => number

/** What is common to all schedules that follow the steps. */
interface Course {
  /** The learning rate that the factor multiplies: what `minLr` and `lrEnd` are divided by. */
  readonly baseRate: number
  /** Updates of warm-up. */
  readonly warmup: number
  /** Updates of the whole run. */
  readonly total: number
  readonly kwargs: ScheduleKwargs
}

/** Options of a schedule, in camelCase; {@link scheduleKwargs} says which of them each takes. */
export type ScheduleKwargs = Readonly<Record<string, unknown>>

const courses = {
  linear: warmed(
    ({ warmup, total }) =>
      step =>
        Math.max(0, (total - step) / Math.max(1, total - warmup)),
  ),
  cosine: warmed(
    course => step => Math.max(0, halfCosine(numberOf(course, 'numCycles', 0.5), progressOf(course, step))),
  ),
  cosine_with_restarts: warmed(course => step => {
    const progress = progressOf(course, step)
    return progress >= 1
      ? 0
      : Math.max(0, 0.5 * (1 + Math.cos(Math.PI * ((numberOf(course, 'numCycles', 1) * progress) % 1))))
  }),
  polynomial: warmed(polynomial),
  constant: () => () => 1, // no warm-up, even where one is set: as in Hugging Face
  constant_with_warmup: warmed(() => () => 1),
  inverse_sqrt: warmed(course => {
    const scale = numberOf(course, 'timescale', course.warmup || 10_000)
    return step => 1 / Math.sqrt((step + scale - course.warmup) / scale)
  }),
  cosine_with_min_lr: warmed(course => {
    const least = leastFactor(course)
    const cycles = numberOf(course, 'numCycles', 0.5)
    return step => Math.max(0, halfCosine(cycles, progressOf(course, step)) * (1 - least) + least)
  }),
  cosine_warmup_with_min_lr: cosineWarmupWithMinLr,
  warmup_stable_decay: warmupStableDecay,
} as const satisfies Readonly<Record<string, (course: Course) => Schedule>>

/** The schedules that are a function of the step. */
export type StepScheduleType = keyof typeof courses
/** The schedules that follow an evaluation's metric (`metricSchedule.ts`). */
export type MetricScheduleType = 'reduce_lr_on_plateau' | 'greedy'
export type ScheduleType = StepScheduleType | MetricScheduleType

/** Every name that `lrSchedulerType` takes. */
export const scheduleTypes = [...Object.keys(courses), 'reduce_lr_on_plateau', 'greedy'] as readonly ScheduleType[]

const plateauKwargs = ['mode', 'factor', 'patience', 'threshold', 'thresholdMode', 'cooldown', 'minLr', 'eps'] as const

/** The options that each schedule takes. */
export const scheduleKwargs: Readonly<Record<ScheduleType, readonly string[]>> = {
  linear: [],
  cosine: ['numCycles'],
  cosine_with_restarts: ['numCycles'],
  polynomial: ['lrEnd', 'power'],
  constant: [],
  constant_with_warmup: [],
  inverse_sqrt: ['timescale'],
  cosine_with_min_lr: ['minLr', 'minLrRate', 'numCycles'],
  cosine_warmup_with_min_lr: ['minLr', 'minLrRate', 'numCycles', 'warmupLrRate'],
  warmup_stable_decay: ['numDecaySteps', 'numStableSteps', 'warmupType', 'decayType', 'minLrRatio', 'numCycles'],
  reduce_lr_on_plateau: plateauKwargs,
  greedy: [...plateauKwargs, 'warmup', 'maxLr', 'smooth', 'windowSize', 'resetStart'],
}

/** Whether a schedule follows an evaluation's metric instead of the steps. */
export function isMetricSchedule(type: ScheduleType): type is MetricScheduleType {
  return type === 'reduce_lr_on_plateau' || type === 'greedy'
}

/**
 * Makes a schedule by its name, with Hugging Face's formulas, or wraps a custom one so that its results are checked.
 *
 * Pure: the same step always gives the same factor. Step 0 is the first update.
 * @param options.baseRate the learning rate that the factor multiplies; `minLr` and `lrEnd` are divided by it.
 * @param options.warmupSteps updates of warm-up, 0 unless given.
 * @param options.totalSteps updates of the whole run; `constant`, `constant_with_warmup`, `inverse_sqrt` and
 * `warmup_stable_decay` with `numStableSteps` do not need it.
 * @throws TrainerError (`argument`) for an option that the schedule does not take, or lacks.
 */
export function createSchedule(options: {
  readonly type: StepScheduleType | Schedule
  readonly baseRate: number
  readonly warmupSteps?: number
  readonly totalSteps?: number | undefined
  readonly kwargs?: ScheduleKwargs | undefined
}): Schedule {
  checkOptions(options, ['type', 'baseRate', 'warmupSteps', 'totalSteps', 'kwargs'], 'createSchedule()')
  const { type, baseRate, warmupSteps = 0, totalSteps, kwargs = {} } = options
  if (typeof type === 'function') return checked(type)
  checkScheduleKwargs(type, kwargs, baseRate)
  const endless =
    type === 'constant' ||
    type === 'constant_with_warmup' ||
    type === 'inverse_sqrt' ||
    kwargs.numStableSteps !== undefined
  if (totalSteps === undefined && !endless) {
    throw new TrainerError(
      'argument',
      `The schedule ${type} needs the number of updates of the whole run, but none was given.`,
    )
  }
  return courses[type]({ baseRate, warmup: warmupSteps, total: totalSteps ?? 0, kwargs })
}

/**
 * Checks the options of a schedule by its name.
 * @throws TrainerError (`argument`) for an unknown, missing, contradicting or impossible one.
 */
export function checkScheduleKwargs(type: ScheduleType, kwargs: ScheduleKwargs, baseRate: number): void {
  const known = scheduleKwargs[type]
  for (const [name, value] of Object.entries(kwargs)) {
    if (!known.includes(name)) throw unknownKwarg(type, name)
    checkKwarg(type, name, value)
  }
  if (known.includes('minLrRate') && (kwargs.minLr === undefined) === (kwargs.minLrRate === undefined)) {
    const given = kwargs.minLr === undefined ? 'neither was given' : 'both were given'
    throw new TrainerError(
      'argument',
      `The schedule ${type} needs exactly one of minLr and minLrRate in lrSchedulerKwargs, and ${given}.`,
    )
  }
  if (type === 'warmup_stable_decay' && kwargs.numDecaySteps === undefined) {
    throw new TrainerError(
      'argument',
      `The schedule ${type} needs numDecaySteps in lrSchedulerKwargs, but it was not given.`,
    )
  }
  if (type === 'polynomial' && !(Number(kwargs.lrEnd ?? 1e-7) < baseRate)) {
    const end = String(kwargs.lrEnd ?? 1e-7)
    throw new TrainerError(
      'argument',
      `The schedule polynomial needs an lrEnd below the learning rate ${baseRate}, but it is ${end}.`,
    )
  }
}

function unknownKwarg(type: ScheduleType, name: string): TrainerError {
  const known = scheduleKwargs[type]
  const near = nearest(
    name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    known,
  )
  const takes = known.length === 0 ? 'takes no options' : `takes ${known.join(', ')}`
  return new TrainerError(
    'argument',
    `lrSchedulerKwargs.${name} is unknown: the schedule ${type} ${takes}.`,
    near === undefined ? {} : { fix: `Did you mean ${near}?` },
  )
}

const shapes = ['linear', 'cosine', '1-sqrt']
const choices: Readonly<Record<string, readonly string[]>> = {
  warmupType: shapes,
  decayType: shapes,
  mode: ['min', 'max'],
  thresholdMode: ['rel', 'abs'],
}

function checkKwarg(type: ScheduleType, name: string, value: unknown): void {
  const choice = choices[name]
  const perGroup = isMetricSchedule(type) && (name === 'minLr' || name === 'maxLr') && Array.isArray(value)
  const isNumber = (one: unknown): boolean => typeof one === 'number' && Number.isFinite(one)
  const [expected, right] =
    choice !== undefined
      ? [choice.map(word => `'${word}'`).join(', '), choice.includes(value as string)]
      : name === 'smooth'
        ? ['true or false', typeof value === 'boolean']
        : ['a number', perGroup ? (value as unknown[]).every(isNumber) : isNumber(value)]
  if (!right) {
    throw new TrainerError(
      'argument',
      `lrSchedulerKwargs.${name} of the schedule ${type} should be ${expected}, but is ${JSON.stringify(value)}.`,
    )
  }
  if (isMetricSchedule(type) && name === 'factor' && (value as number) >= 1) {
    throw new TrainerError(
      'argument',
      `lrSchedulerKwargs.factor of the schedule ${type} should be below 1, but is ${value as number}.`,
    )
  }
}

/** A custom schedule, every result of which is checked. */
function checked(schedule: Schedule): Schedule {
  return step => {
    const factor = schedule(step)
    if (typeof factor === 'number' && Number.isFinite(factor) && factor >= 0) return factor
    throw new TrainerError(
      'argument',
      `A schedule must return a factor of at least 0, but at step ${step} it returned ${String(factor)}.`,
    )
  }
}

/** Warm-up from 0 in equal steps, then the curve. */
function warmed(curve: (course: Course) => Schedule): (course: Course) => Schedule {
  return course => {
    const after = curve(course)
    return step => (step < course.warmup ? step / Math.max(1, course.warmup) : after(step))
  }
}

/** The share of the run after the warm-up that is done: 0 at its first update. */
function progressOf({ warmup, total }: Course, step: number): number {
  return (step - warmup) / Math.max(1, total - warmup)
}

/** ½ (1 + cos 2πcp): from 1 to 0 along half a wave where c = ½ and p goes from 0 to 1. */
function halfCosine(cycles: number, progress: number): number {
  return 0.5 * (1 + Math.cos(Math.PI * cycles * 2 * progress))
}

function numberOf({ kwargs }: Course, name: string, otherwise: number): number {
  return (kwargs[name] as number | undefined) ?? otherwise
}

function leastFactor(course: Course): number {
  return course.kwargs.minLr === undefined
    ? numberOf(course, 'minLrRate', 0)
    : numberOf(course, 'minLr', 0) / course.baseRate
}

function polynomial(course: Course): Schedule {
  const { baseRate, warmup, total } = course
  const end = numberOf(course, 'lrEnd', 1e-7)
  const power = numberOf(course, 'power', 1)
  return step => {
    if (step > total || total === warmup) return end / baseRate
    return ((baseRate - end) * (1 - (step - warmup) / (total - warmup)) ** power + end) / baseRate
  }
}

/** Its progress is held at 1, so that the rate never rises again at the end (Hugging Face's does). */
function cosineWarmupWithMinLr(course: Course): Schedule {
  const { warmup, total, kwargs } = course
  const least = leastFactor(course)
  const cycles = numberOf(course, 'numCycles', 0.5)
  const start = kwargs.warmupLrRate as number | undefined
  return step => {
    if (step < warmup) {
      return start === undefined
        ? (step + 1) / Math.max(1, warmup)
        : start + ((1 - start) * step) / Math.max(1, warmup - 1)
    }
    const progress = Math.min(1, (step - warmup + 1) / Math.max(1, total - warmup))
    return Math.max(0, halfCosine(cycles, progress) * (1 - least) + least)
  }
}

function warmupStableDecay(course: Course): Schedule {
  const { warmup, total, kwargs } = course
  const decay = numberOf(course, 'numDecaySteps', 0)
  const least = numberOf(course, 'minLrRatio', 0)
  const cycles = numberOf(course, 'numCycles', 0.5)
  const stable = numberOf(course, 'numStableSteps', total - warmup - decay)
  const rise = {
    linear: (x: number) => x,
    cosine: (x: number) => 0.5 * (1 - Math.cos(Math.PI * x)),
    '1-sqrt': (x: number) => 1 - Math.sqrt(1 - x),
  }
  const fall = {
    linear: (x: number) => 1 - x,
    cosine: (x: number) => halfCosine(cycles, x),
    '1-sqrt': (x: number) => 1 - Math.sqrt(x),
  }
  const up = rise[(kwargs.warmupType ?? 'linear') as keyof typeof rise]
  const down = fall[(kwargs.decayType ?? 'cosine') as keyof typeof fall]
  const above = (factor: number): number => Math.max(0, factor * (1 - least) + least)
  return step => {
    if (step < warmup) return above(up(step / Math.max(1, warmup)))
    if (step < warmup + stable) return 1
    if (step < warmup + stable + decay) return above(down((step - warmup - stable) / Math.max(1, decay)))
    return least
  }
}
