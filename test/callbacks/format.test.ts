import { describe, expect, it } from 'vitest'
import { formatSeconds } from '../../src/terminal/progressBar'
import {
  formatLogs,
  formatMetrics,
  formatNumber,
  metricsLines,
  roundTo,
  speedMetrics,
} from '../../src/callbacks/format'
import { metricColumns, ResultTable } from '../../src/callbacks/resultTable'

describe('formatNumber', () => {
  // Python 3.11's '%.4g' and round(x, 4).
  it.each([
    [0.412345, '0.4123', 0.4123],
    [2.5e-5, '2.5e-05', 0],
    [0.0001, '0.0001', 0.0001],
    [0.00012345, '0.0001234', 0.0001],
    [5, '5', 5],
    [1000.5, '1000', 1000.5],
    [1001.5, '1002', 1001.5],
    [9999.5, '1e+04', 9999.5],
    [12345.678, '1.235e+04', 12345.678],
    [10005, '1e+04', 10005],
    [10015, '1.002e+04', 10015],
    [0.03125, '0.03125', 0.0312],
    [0.09375, '0.09375', 0.0938],
    [-0.03125, '-0.03125', -0.0312],
    [0.00005, '5e-05', 0.0001],
    [100.25, '100.2', 100.25],
    [1e22, '1e+22', 1e22],
    [1e-300, '1e-300', 0],
    [0, '0', 0],
  ])('%d', (value, text, rounded) => {
    expect(formatNumber(value)).toBe(text)
    expect(roundTo(value, 4)).toBeCloseTo(rounded, 12)
  })

  it('names what is not finite', () => {
    expect([NaN, Infinity, -Infinity].map(formatNumber)).toEqual(['nan', 'inf', '-inf'])
  })
})

describe('formatMetrics', () => {
  it('writes times, memory, operations and numbers readably', () => {
    expect(
      formatMetrics({
        train_runtime: 3723.456,
        eval_runtime: 0.999,
        total_flos: 3.3e15,
        train_mem_cpu_alloc_delta: 5 * 2 ** 20 + 7,
        train_loss: 0.123456789,
        note: 'x',
      }),
    ).toEqual({
      train_runtime: '1:02:03.45',
      eval_runtime: '0:00:00.99',
      total_flos: '3073364GF',
      train_mem_cpu_alloc_delta: '5MB',
      train_loss: 0.1235,
      note: 'x',
    })
    expect(formatMetrics({ train_runtime: 90_061.5 })).toEqual({ train_runtime: '1 day, 1:01:01.50' })
  })

  it('has columns', () => {
    expect(metricsLines('eval', { eval_runtime: 1, eval_accuracy: 0.87654, epoch: 3 })).toEqual([
      '***** eval metrics *****',
      '  epoch         =          3',
      '  eval_accuracy =     0.8765',
      '  eval_runtime  = 0:00:01.00',
    ])
  })
})

describe('formatLogs', () => {
  it("is Hugging Face's line", () => {
    expect(formatLogs({ loss: 0.41234567, learning_rate: 2.5e-5, epoch: 1, total_flos: 1e12 })).toBe(
      "{'loss': '0.4123', 'learning_rate': '2.5e-05', 'epoch': '1'}",
    )
    expect(formatLogs({ text: 'x'.repeat(101), short: 'y' })).toBe(
      "{'text': '[a text of 101 characters, more than the 100 that are shown]', 'short': 'y'}",
    )
  })
})

describe('lists and objects in logs', () => {
  const logs = { eval_report: { spam: { f1: 0.123456, support: 3 }, note: 'few' }, eval_each: [0.25, NaN], none: null }

  it('are printed as Python prints them, with shorter fractions', () => {
    expect(formatLogs(logs)).toBe(
      "{'eval_report': {'spam': {'f1': 0.1235, 'support': 3}, 'note': 'few'}, 'eval_each': [0.25, nan], 'none': null}",
    )
    expect(formatLogs(logs, 20)).toContain(
      "'eval_report': '[a value of 53 characters, more than the 20 that are shown]'",
    )
  })

  it('are in the columns of metrics and in the table of results', () => {
    expect(metricsLines('eval', logs)[2]).toBe("  eval_report = {'spam': {'f1': 0.1235, 'support': 3}, 'note': 'few'}")
    expect(metricsLines('eval', { eval_each: Array.from({ length: 40 }, () => 1), eval_f1: 0.5 })[2]).toBe(
      '  eval_f1   = 0.5',
    )
    const lines = new ResultTable(['Epoch']).add({
      Epoch: 1,
      ...metricColumns({ eval_each: [0.25, 0.123456], eval_f: 1 }),
    })
    expect(lines).toEqual([
      ' Epoch |           Each |        F',
      '-------+----------------+---------',
      '     1 | [0.25, 0.1235] | 1.000000',
    ])
  })
})

describe('speedMetrics', () => {
  it('divides by the runtime', () => {
    expect(speedMetrics('eval', 3.7, { numSamples: 1000, numSteps: 125 })).toEqual({
      eval_runtime: 3.7,
      eval_samples_per_second: 270.27,
      eval_steps_per_second: 33.784,
    })
    expect(speedMetrics('train', 2.00004, { numTokens: 10 })).toEqual({ train_runtime: 2, train_tokens_per_second: 5 })
  })

  it('gives only the runtime if it is 0', () => {
    expect(speedMetrics('eval', 0, { numSamples: 1 })).toEqual({ eval_runtime: 0 })
  })
})

describe('formatSeconds', () => {
  it('has hours only if there are any', () => {
    expect([0, 59.9, 951, 3723].map(formatSeconds)).toEqual(['00:00', '00:59', '15:51', '1:02:03'])
  })
})
