import { averageScore, scoreOptions } from './confusion'
import type { MetricDefinition } from './definition'

/** Precision, the share of a class's predictions that are right. Key `precision`. */
export const precision = {
  compares: 'classes',
  options: scoreOptions,
  several: 'multilabel',
  compute(rows, options, metric) {
    return { precision: averageScore(metric, rows, ({ right, predicted }) => [right, predicted], options) }
  },
} as const satisfies MetricDefinition
