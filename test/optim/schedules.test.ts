import { describe, expect, it } from 'vitest'
import {
  createSchedule,
  scheduleKwargs,
  scheduleTypes,
  type ScheduleKwargs,
  type StepScheduleType,
} from '../../src/optim/schedules'
import { expectNear } from './expectNear'

type Curve = readonly [
  type: StepScheduleType,
  warmupSteps: number,
  totalSteps: number,
  baseRate: number,
  kwargs: ScheduleKwargs,
  factors: readonly number[],
]

describe('schedules that follow the steps', () => {
  const at = [0, 1, 2, 3, 5, 8, 10]
  // Factors at those steps with 2 updates of warm-up and 10 in all: transformers' own text, run.
  const golden: readonly (readonly [StepScheduleType, ScheduleKwargs, readonly number[]])[] = [
    ['linear', {}, [0, 0.5, 1, 0.875, 0.625, 0.25, 0]],
    ['cosine', {}, [0, 0.5, 1, 0.96194, 0.691342, 0.146447, 0]],
    ['cosine_with_restarts', { numCycles: 2 }, [0, 0.5, 1, 0.853553, 0.146447, 0.5, 0]],
    ['polynomial', { power: 2 }, [0, 0.5, 1, 0.766094, 0.391844, 0.064375, 0.002]],
    ['constant', {}, [1, 1, 1, 1, 1, 1, 1]],
    ['constant_with_warmup', {}, [0, 0.5, 1, 1, 1, 1, 1]],
    ['inverse_sqrt', {}, [0, 0.5, 1, 0.816497, 0.632456, 0.5, 0.447214]],
    ['cosine_with_min_lr', { minLrRate: 0.1 }, [0, 0.5, 1, 0.965746, 0.722208, 0.231802, 0.1]],
    // The last two differ from transformers on purpose: its progress runs past 1 and the rate rises again.
    ['cosine_warmup_with_min_lr', { minLrRate: 0.1 }, [0.5, 1, 0.965746, 0.868198, 0.55, 0.134254, 0.1]],
    [
      'cosine_warmup_with_min_lr',
      { minLrRate: 0.1, warmupLrRate: 0.2 },
      [0.2, 1, 0.965746, 0.868198, 0.55, 0.134254, 0.1],
    ],
    ['warmup_stable_decay', { numStableSteps: 4, numDecaySteps: 4 }, [0, 0.5, 1, 1, 1, 0.5, 0]],
    [
      'warmup_stable_decay',
      { numDecaySteps: 4, warmupType: '1-sqrt', decayType: '1-sqrt', minLrRatio: 0.1 },
      [0.1, 0.363604, 1, 1, 1, 0.363604, 0.1],
    ],
  ]
  it.each(golden)('%s %j', (type, kwargs, factors) => {
    expectNear(at.map(createSchedule({ type, baseRate: 5e-5, warmupSteps: 2, totalSteps: 10, kwargs })), factors, 6)
  })

  // Factors at every step from 0 to the last: transformers 5.23.
  const curves: readonly Curve[] = [
    [
      'inverse_sqrt',
      0,
      6,
      5e-5,
      { timescale: 4 },
      [1, 0.894427191, 0.8164965809, 0.755928946, Math.SQRT1_2, 0.6666666667, 0.632455532],
    ],
    [
      'inverse_sqrt',
      3,
      6,
      5e-5,
      { timescale: 20 },
      [0, 0.3333333333, 0.6666666667, 1, 0.9759000729, 0.9534625892, 0.9325048082],
    ],
    ['cosine', 0, 6, 5e-5, { numCycles: 1.5 }, [1, 0.5, 0, 0.5, 1, 0.5, 0]],
    ['polynomial', 0, 5, 1e-3, { lrEnd: 1e-5, power: 2 }, [1, 0.6436, 0.3664, 0.1684, 0.0496, 0.01]],
    [
      'cosine_with_min_lr',
      1,
      6,
      5e-5,
      { minLr: 1e-5, numCycles: 1 },
      [0, 1, 0.7236067977, 0.2763932023, 0.2763932023, 0.7236067977, 1],
    ],
    [
      'warmup_stable_decay',
      4,
      12,
      5e-5,
      { numDecaySteps: 5, warmupType: 'cosine', decayType: 'linear', minLrRatio: 0.2 },
      [0.2, 0.3171572875, 0.6, 0.8828427125, 1, 1, 1, 1, 0.84, 0.68, 0.52, 0.36, 0.2],
    ],
    [
      'warmup_stable_decay',
      2,
      12,
      5e-5,
      { numDecaySteps: 3, numStableSteps: 2, decayType: 'cosine', numCycles: 1 },
      [0, 0.5, 1, 1, 1, 0.25, 0.25, 0, 0, 0, 0, 0, 0],
    ],
    [
      'cosine_warmup_with_min_lr',
      3,
      9,
      5e-5,
      { minLr: 5e-6 }, // transformers' last is 0.1602885683
      [0.3333333333, 0.6666666667, 1, 0.9397114317, 0.775, 0.55, 0.325, 0.1602885683, 0.1, 0.1],
    ],
    ['linear', 0, 4, 5e-5, {}, [1, 0.75, 0.5, 0.25, 0]],
    ['linear', 6, 4, 5e-5, {}, [0, 0.1666666667, 0.3333333333, 0.5, 0.6666666667]],
    ['cosine_with_restarts', 1, 7, 5e-5, { numCycles: 3 }, [0, 1, 0.5, 1, 0.5, 1, 0.5, 0]],
  ]
  it.each(curves)(
    '%s, %i of %i updates warm-up, rate %d, %j',
    (type, warmupSteps, totalSteps, baseRate, kwargs, factors) => {
      const schedule = createSchedule({ type, baseRate, warmupSteps, totalSteps, kwargs })
      expectNear(
        Array.from({ length: totalSteps + 1 }, (_, step) => schedule(step)),
        factors,
        9,
      )
    },
  )

  it('takes a function, and checks its results', () => {
    const schedule = createSchedule({ type: step => 1 - step, baseRate: 1 })
    expect([schedule(0), schedule(1)]).toEqual([1, 0])
    expect(() => schedule(2)).toThrow('at step 2 it returned -1')
  })

  it('requires the number of updates only where it is used', () => {
    expect(createSchedule({ type: 'inverse_sqrt', baseRate: 1, warmupSteps: 4 })(16)).toBe(0.5)
    expect(() => createSchedule({ type: 'linear', baseRate: 1 })).toThrow(
      'linear needs the number of updates of the whole run',
    )
  })
})

describe('wrong options of a schedule', () => {
  const make = (type: StepScheduleType, kwargs: ScheduleKwargs) => () =>
    createSchedule({ type, baseRate: 1e-3, totalSteps: 10, kwargs })
  it.each([
    ['linear', { power: 2 }, 'lrSchedulerKwargs.power is unknown: the schedule linear takes no options.'],
    ['cosine', { num_cycles: 2 }, 'Did you mean numCycles?'],
    ['cosine_with_min_lr', {}, 'exactly one of minLr and minLrRate in lrSchedulerKwargs, and neither was given'],
    ['cosine_warmup_with_min_lr', { minLr: 0, minLrRate: 0 }, 'both were given'],
    ['warmup_stable_decay', {}, 'needs numDecaySteps'],
    [
      'warmup_stable_decay',
      { numDecaySteps: 2, decayType: 'sqrt' },
      "decayType of the schedule warmup_stable_decay should be 'linear', 'cosine', '1-sqrt', but is \"sqrt\"",
    ],
    ['polynomial', { lrEnd: 1e-3 }, 'needs an lrEnd below the learning rate 0.001'],
    ['cosine', { numCycles: '2' }, 'should be a number, but is "2"'],
  ] as const)('%s %j', (type, kwargs, message) => {
    expect(make(type, kwargs)).toThrow(message)
  })

  it('knows the options of every schedule', () => {
    expect(Object.keys(scheduleKwargs).toSorted()).toEqual([...scheduleTypes].toSorted())
  })
})
