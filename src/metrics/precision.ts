import { scoreMetric } from './confusion'

/** Precision, the share of a class's predictions that are right. Key `precision`. */
export const precision = scoreMetric('precision', ({ right, predicted }) => [right, predicted])
