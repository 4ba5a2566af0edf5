import { averageScore, scoreOptions } from './confusion'
import type { MetricDefinition } from './definition'

/** Recall, the share of a class's rows that are predicted as such. Key `recall`. */
export const recall = {
  compares: 'classes',
  options: scoreOptions,
  several: 'multilabel',
  compute(rows, options, metric) {
    return { recall: averageScore(metric, rows, ({ right, given }) => [right, given], options) }
  },
} as const satisfies MetricDefinition
