import { expect } from 'vitest'
import { scheduleTypes, type ScheduleType } from '../../../src/optim/schedules'
import type { TrainingArgumentsOptions } from '../../../src/index'
import { run } from '../support'
import type { Effects } from './effects'
import { biasByUpdate, path, sgd } from './knownGradients'

const total = 6
const warmup = 2
/** How far an update lies behind the warm-up, of all that are. */
const progress = (update: number): number => (update - warmup) / (total - warmup)
const halfCosine = (share: number): number => 0.5 * (1 + Math.cos(Math.PI * share))

type Kwargs = TrainingArgumentsOptions['lrSchedulerKwargs']
type Factor = (update: number) => number
type Metric = 'reduce_lr_on_plateau' | 'greedy'

const warmed = (update: number): number => update / warmup

/** A schedule's options, and its factor during and after the warm-up. */
type Course = readonly [Kwargs, Factor, Factor]

const courses: Readonly<Record<Exclude<ScheduleType, Metric>, readonly Course[]>> = {
  linear: [[{}, warmed, update => 1 - progress(update)]],
  cosine: [
    [{}, warmed, update => halfCosine(progress(update))],
    [{ numCycles: 2 }, warmed, update => halfCosine(4 * progress(update))],
  ],
  cosine_with_restarts: [
    [{}, warmed, update => halfCosine(progress(update))],
    [{ numCycles: 2 }, warmed, update => halfCosine((2 * progress(update)) % 1)],
  ],
  polynomial: [
    [{}, warmed, update => (1 - 1e-5) * (1 - progress(update)) + 1e-5], // an end of 1e-7 for a peak of 0.01
    [{ power: 2, lrEnd: 0.001 }, warmed, update => 0.9 * (1 - progress(update)) ** 2 + 0.1],
  ],
  constant: [[{}, () => 1, () => 1]],
  constant_with_warmup: [[{}, warmed, () => 1]],
  inverse_sqrt: [[{}, warmed, update => Math.sqrt(warmup / update)]],
  cosine_with_min_lr: [
    [{ minLrRate: 0.1 }, warmed, update => 0.9 * halfCosine(progress(update)) + 0.1],
    [{ minLr: 0.002 }, warmed, update => 0.8 * halfCosine(progress(update)) + 0.2],
  ],
  cosine_warmup_with_min_lr: [
    [{ minLrRate: 0.1 }, update => warmed(update + 1), update => 0.9 * halfCosine(progress(update + 1)) + 0.1],
    [
      { minLrRate: 0.1, warmupLrRate: 0.2 },
      update => 0.2 + (0.8 * update) / (warmup - 1),
      update => 0.9 * halfCosine(progress(update + 1)) + 0.1,
    ],
  ],
  warmup_stable_decay: [
    [{ numDecaySteps: 2 }, warmed, update => [1, 1, 1, halfCosine(0.5)][update - warmup]!],
    [
      { numDecaySteps: 2, decayType: 'linear', minLrRatio: 0.2 },
      update => 0.8 * warmed(update) + 0.2,
      update => [1, 1, 1, 0.8 * 0.5 + 0.2][update - warmup]!,
    ],
  ],
}

const stepwise = Object.keys(courses) as (keyof typeof courses)[]

async function rates(args: TrainingArgumentsOptions, options: Parameters<typeof run>[1] = {}): Promise<unknown[]> {
  const { history } = await run(args, options)
  return history.filter(entry => entry.loss !== undefined).map(entry => entry.learning_rate)
}

/** The rates of six updates with a peak of 0.01, two of them warm-up. */
async function expectCourse(lrSchedulerType: keyof typeof courses, [kwargs, before, after]: Course): Promise<void> {
  const given = await rates({ lrSchedulerType, lrSchedulerKwargs: kwargs, warmupSteps: warmup })
  expect(given).toHaveLength(total)
  given.forEach((rate, update) => {
    const expected = 0.01 * (update < warmup ? before(update) : after(update))
    expect(rate, `${lrSchedulerType}, update ${update + 1}`).toBeCloseTo(expected, 10)
  })
}

/** The rates of four updates, the score after each being the same. */
function ratesOfSameScores(args: TrainingArgumentsOptions): Promise<unknown[]> {
  return rates(
    { evalStrategy: 'steps', evalSteps: 1, metricForBestModel: 'score', maxSteps: 4, ...args },
    { computeMetrics: () => ({ score: 1 }) },
  )
}

export const learningRate: Effects = {
  learningRate: async () => {
    expect(await rates({ learningRate: 0.05 })).toEqual([6, 5, 4, 3, 2, 1].map(left => 0.05 * (left / 6)))
    const falling = [1, 2 / 3, 1 / 3].map(factor => 0.05 * factor)
    const bias = await biasByUpdate({ optim: 'sgd', learningRate: 0.05, lrSchedulerType: 'linear' })
    path(sgd({ rates: falling })).forEach((value, i) => expect(bias[i]).toBeCloseTo(value, 6))
  },
  lrSchedulerType: async () => {
    expect([...stepwise, 'reduce_lr_on_plateau', 'greedy'].toSorted()).toEqual(scheduleTypes.toSorted())
    for (const type of stepwise) await expectCourse(type, courses[type][0]!)
    // the first score is the best yet; each later one is not better
    const plateau = {
      lrSchedulerType: 'reduce_lr_on_plateau',
      lrSchedulerKwargs: { patience: 0, factor: 0.5 },
    } as const
    expect(await ratesOfSameScores(plateau)).toEqual([0.01, 0.01, 0.005, 0.0025])
    const greedy = { lrSchedulerType: 'greedy', lrSchedulerKwargs: { patience: 0, factor: 0.5 } } as const
    expect(await ratesOfSameScores(greedy)).toEqual([0.01, 0.02, 0.01, 0.005])
  },
  lrSchedulerKwargs: async () => {
    for (const type of stepwise) for (const course of courses[type].slice(1)) await expectCourse(type, course)
    const cooled = {
      lrSchedulerType: 'reduce_lr_on_plateau',
      lrSchedulerKwargs: { patience: 0, factor: 0.5, cooldown: 1 },
    } as const
    expect(await ratesOfSameScores(cooled)).toEqual([0.01, 0.01, 0.005, 0.005])
  },
  warmupSteps: async () => {
    expect((await rates({ warmupSteps: 2 })).slice(0, 4)).toEqual([0, 0.005, 0.01, 0.0075])
    expect((await rates({ warmupSteps: 0.3 })).slice(0, 4)).toEqual([0, 0.005, 0.01, 0.0075]) // ⌈0.3 · 6⌉ updates
  },
}
