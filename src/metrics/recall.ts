import { scoreMetric } from './confusion'

/** Recall, the share of a class's rows that are predicted as such. Key `recall`. */
export const recall = scoreMetric('recall', ({ right, given }) => [right, given])
