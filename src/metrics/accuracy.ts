import type { MetricDefinition } from './definition'
import { checkIndicators } from './rows'

/**
 * The share of rows whose prediction equals the reference, of several labels all of them; with `normalize: false` their
 * number. Key `accuracy`.
 */
export const accuracy = {
  compares: 'classes',
  options: ['normalize', 'sampleWeight'],
  several: 'multilabel',
  compute(rows, { normalize = true }, metric) {
    const { predictions, references, width, weights } = rows
    if (width > 1) checkIndicators(metric, rows)
    let right = 0
    let all = 0
    for (let row = 0; row < predictions.length / width; row++) {
      const weight = weights?.[row] ?? 1
      all += weight
      let column = 0
      while (column < width && predictions[row * width + column] === references[row * width + column]) column++
      if (column === width) right += weight
    }
    return { accuracy: normalize ? right / all : right }
  },
} as const satisfies MetricDefinition
