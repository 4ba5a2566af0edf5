import { averageScore, scoreOptions } from './confusion'
import type { MetricDefinition } from './definition'

/** F1, the harmonic mean of precision and recall: 2 · right / (predicted + given). Key `f1`. */
export const f1 = {
  compares: 'classes',
  options: scoreOptions,
  several: 'multilabel',
  compute(rows, options, metric) {
    return { f1: averageScore(metric, rows, ({ right, predicted, given }) => [2 * right, predicted + given], options) }
  },
} as const satisfies MetricDefinition
