import { TrainerError } from '../errors'
import { countClasses } from './confusion'
import type { MetricDefinition } from './definition'
import type { Rows } from './values'

/**
 * Matthews' correlation of predicted and given classes, key `matthews_correlation`; of several labels the list of each
 * one's, or their mean with `average: 'macro'`, as in `evaluate`.
 */
export const matthewsCorrelation = {
  compares: 'classes',
  options: ['sampleWeight', 'average'],
  several: 'multilabel',
  compute(rows, { average = null }, metric, several) {
    if (average !== null && !(several && average === 'macro')) {
      const allowed = several
        ? "'macro', or null for each label's"
        : "for several labels: loadMetric('matthews_correlation', 'multilabel')"
      throw new TrainerError('argument', `${metric}: average is '${average}'; it is ${allowed}.`)
    }
    if (!several) return { matthews_correlation: correlateClasses(rows) }
    const each = Array.from({ length: rows.width }, (_, label) => correlateClasses(columnOf(rows, label)))
    return {
      matthews_correlation: average === null ? each : each.reduce((sum, value) => sum + value, 0) / each.length,
    }
  },
} as const satisfies MetricDefinition

/**
 * For any number of classes (Gorodkin 2004, as in scikit-learn): with c of s rows right, and class k predicted p_k times
 * and given t_k times, it is (c·s − Σ p_k t_k) / √((s² − Σ p_k²)(s² − Σ t_k²)); 0 if one side has a single class.
 */
function correlateClasses(rows: Rows): number {
  const counts = [...countClasses(rows).values()]
  const predicted = counts.map(count => count.predicted)
  const given = counts.map(count => count.given)
  // by how many classes there are, since with weights the differences below are only nearly 0
  if ([predicted, given].some(side => side.filter(count => count !== 0).length < 2)) return 0
  const all = sum(predicted)
  const both = sum(counts.map(({ right }) => right)) * all - product(predicted, given)
  const spread = (all ** 2 - product(predicted, predicted)) * (all ** 2 - product(given, given))
  return spread === 0 ? 0 : both / Math.sqrt(spread)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function product(a: readonly number[], b: readonly number[]): number {
  return sum(a.map((value, i) => value * b[i]!))
}

function columnOf({ predictions, references, width, weights }: Rows, column: number): Rows {
  const of = (values: Float64Array): Float64Array => values.filter((_, i) => i % width === column)
  return { predictions: of(predictions), references: of(references), width: 1, weights }
}
