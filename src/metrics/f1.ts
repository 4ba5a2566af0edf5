import { scoreMetric } from './confusion'

/** F1, the harmonic mean of precision and recall: 2 · right / (predicted + given). Key `f1`. */
export const f1 = scoreMetric('f1', ({ right, predicted, given }) => [2 * right, predicted + given])
