import { describe, expect, it } from 'vitest'
import { createMetricSchedule, type MetricScheduleState } from '../../src/optim/metricSchedule'
import type { ScheduleKwargs } from '../../src/optim/schedules'
import { expectNear } from './expectNear'

describe('schedules that follow a metric', () => {
  const metrics = [
    1, 0.9, 0.8, 0.7, 0.69, 0.7, 0.71, 0.72, 0.73, 0.5, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.3, 0.2, 0.1, 0.3, 0.3,
    0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3,
  ]
  const repeated = (count: number, value: number): number[] => Array.from({ length: count }, () => value)
  // Rates after each metric, from a rate of 0.1: PyTorch 2.13 and transformers 5.23.
  const golden: readonly (readonly ['reduce_lr_on_plateau' | 'greedy', boolean, ScheduleKwargs, readonly number[]])[] =
    [
      [
        'reduce_lr_on_plateau',
        true,
        { factor: 0.5, patience: 1, threshold: 0.1, thresholdMode: 'abs', minLr: 0.02 },
        [0.1, 0.1, 0.05, 0.05, 0.025, 0.025, ...repeated(27, 0.02)],
      ],
      [
        'reduce_lr_on_plateau',
        false,
        { factor: 0.1, patience: 0, eps: 0.005 },
        [0.1, 0.1, 0.1, 0.1, 0.1, 0.01, ...repeated(27, 0.001)],
      ],
      [
        'greedy',
        false,
        { patience: 1, factor: 0.5, minLr: 0.01, maxLr: 0.4 },
        [
          0.1, 0.2, 0.2, 0.4, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.05, 0.05,
          0.05, 0.025, 0.025, 0.0125, 0.0125, 0.01, 0.01, 0.01, 0.01, 0.01,
        ],
      ],
      [
        'greedy',
        false,
        { patience: 1, factor: 0.5, minLr: 0.05, maxLr: 0.4, cooldown: 1, warmup: 2, resetStart: 2 },
        [
          0.1,
          ...repeated(5, 0.2),
          ...repeated(4, 0.1),
          ...repeated(4, 0.2),
          ...repeated(4, 0.1),
          ...repeated(4, 0.2),
          ...repeated(3, 0.1),
          ...repeated(3, 0.05),
          0.1,
          0.1,
        ],
      ],
      [
        'greedy',
        false,
        { patience: 0, factor: 0.8, minLr: 0.01, smooth: true, windowSize: 3, thresholdMode: 'rel', threshold: 0.01 },
        [
          0.125, 0.15625, 0.1953125, 0.244140625, 0.3051757812, 0.3814697266, 0.3051757812, 0.244140625, 0.1953125,
          0.244140625, 0.3051757812, 0.3814697266, 0.3051757812, 0.244140625, 0.1953125, 0.15625, 0.125, 0.1, 0.125,
          0.15625, 0.125, 0.1, 0.08, 0.064, 0.0512, 0.04096, 0.032768, 0.0262144, 0.02097152, 0.016777216,
        ],
      ],
      [
        'greedy',
        true,
        { patience: 2, factor: 0.9, minLr: 0.01 },
        [
          ...repeated(3, 0.1),
          ...repeated(3, 0.09),
          ...repeated(3, 0.081),
          ...repeated(3, 0.0729),
          ...repeated(3, 0.06561),
          ...repeated(3, 0.059049),
          ...repeated(3, 0.0531441),
          ...repeated(3, 0.04782969),
          ...repeated(3, 0.043046721),
          ...repeated(3, 0.0387420489),
        ],
      ],
    ]
  it.each(golden)('%s, greaterIsBetter %s, %j', (type, greaterIsBetter, kwargs, rates) => {
    const schedule = createMetricSchedule({ type, baseRates: [0.1], greaterIsBetter, kwargs })
    const seen = [...metrics, ...repeated(3, NaN)].slice(0, rates.length).map(metric => {
      schedule.step(metric)
      return schedule.rates[0]!
    })
    expectNear(seen, rates, 9)
  })

  it('gives the plateau of the specification', () => {
    const kwargs = { patience: 1, factor: 0.5, cooldown: 1 }
    const schedule = createMetricSchedule({
      type: 'reduce_lr_on_plateau',
      baseRates: [1],
      greaterIsBetter: false,
      kwargs,
    })
    const seen = [1, 0.9, 0.91, ...repeated(7, 0.9)].map(metric => {
      schedule.step(metric)
      return schedule.rates[0]
    })
    expect(seen).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125])
  })

  it("takes the mode from the metric's direction, unless the options say otherwise", () => {
    const after = (greaterIsBetter: boolean, kwargs: ScheduleKwargs): number => {
      const schedule = createMetricSchedule({
        type: 'reduce_lr_on_plateau',
        baseRates: [1],
        greaterIsBetter,
        kwargs: { patience: 0, ...kwargs },
      })
      for (const metric of [0.5, 0.6, 0.7]) schedule.step(metric)
      return schedule.rates[0]!
    }
    expect(after(true, {})).toBe(1)
    expect(after(false, {})).toBeCloseTo(0.01, 12)
    expect(after(false, { mode: 'max' })).toBe(1)
  })

  it.each(golden)('%s resumes from its stored state: %s %j', (type, greaterIsBetter, kwargs, rates) => {
    const make = () => createMetricSchedule({ type, baseRates: [0.1], greaterIsBetter, kwargs })
    let schedule = make()
    metrics.slice(0, rates.length).forEach((metric, i) => {
      schedule.step(metric)
      expect(schedule.rates[0]).toBeCloseTo(rates[i]!, 9)
      const stored = JSON.parse(JSON.stringify(schedule.state())) as MetricScheduleState
      schedule = make()
      schedule.restore(stored)
    })
  })

  it('keeps several groups apart, and refuses lists and states of another length', () => {
    const options = {
      type: 'reduce_lr_on_plateau',
      greaterIsBetter: false,
      kwargs: { patience: 0, minLr: [0.05, 0] },
    } as const
    const schedule = createMetricSchedule({ ...options, baseRates: [0.1, 1] })
    for (const metric of [1, 1]) schedule.step(metric)
    expect(schedule.rates).toEqual([0.05, 0.1])
    expect(() => createMetricSchedule({ ...options, baseRates: [1] })).toThrow(
      'minLr lists 2 rates, but the number of parameter groups is 1.',
    )
    const other = createMetricSchedule({ type: 'greedy', baseRates: [1], greaterIsBetter: false })
    expect(() => other.restore(schedule.state())).toThrow(
      'of reduce_lr_on_plateau with 2 rates, but this run has greedy with 1.',
    )
  })

  it('refuses a factor of 1 and more', () => {
    expect(() =>
      createMetricSchedule({ type: 'greedy', baseRates: [1], greaterIsBetter: true, kwargs: { factor: 1 } }),
    ).toThrow('below 1')
  })
})
