import { TrainerError } from '../errors'
import type { MetricOptions, Pairs } from './values'

/** How often a class is predicted rightly, predicted, and given. */
export interface ClassCounts {
  right: number
  predicted: number
  given: number
}

/** Counts for each class that occurs on either side, in the order of the classes. */
export function countClasses({ predictions, references }: Pairs): Map<number, ClassCounts> {
  const counts = new Map<number, ClassCounts>()
  const of = (label: number): ClassCounts => {
    const known = counts.get(label)
    if (known !== undefined) return known
    const fresh = { right: 0, predicted: 0, given: 0 }
    counts.set(label, fresh)
    return fresh
  }
  for (let i = 0; i < predictions.length; i++) {
    of(predictions[i]!).predicted++
    const given = of(references[i]!)
    given.given++
    if (predictions[i] === references[i]) given.right++
  }
  return new Map([...counts].sort(([a], [b]) => a - b))
}

/**
 * The average of a score over the classes, as in scikit-learn: 'binary' is the score of `posLabel`, 'micro' that of all
 * counts together, 'macro' the mean, 'weighted' the mean weighted by how often each class is given.
 * @throws TrainerError (`data`) for 'binary' with more than two classes, or with two if neither is `posLabel`.
 */
export function averageScore(
  metric: string,
  pairs: Pairs,
  score: (counts: ClassCounts) => number,
  options: MetricOptions,
): number {
  const { average = 'binary', posLabel = 1, labels } = options
  const counts = countClasses(pairs)
  const none: ClassCounts = { right: 0, predicted: 0, given: 0 }
  if (average === 'binary') {
    checkBinary(metric, counts, posLabel)
    return score(counts.get(posLabel) ?? none)
  }
  const chosen = labels === undefined ? [...counts.values()] : labels.map(label => counts.get(label) ?? none)
  const given = chosen.reduce((sum, count) => sum + count.given, 0)
  if (average === 'micro') return score(chosen.reduce((sum, count) => addCounts(sum, count), none))
  if (average === 'macro') return chosen.reduce((sum, count) => sum + score(count), 0) / chosen.length
  if (average === 'weighted')
    return given === 0 ? 0 : chosen.reduce((sum, count) => sum + score(count) * count.given, 0) / given
  throw new TrainerError(
    'argument',
    `${metric}: average should be 'binary', 'micro', 'macro' or 'weighted', not ${JSON.stringify(average)}.`,
  )
}

/** The quotient; 0 for a denominator of 0, scikit-learn's zero_division. */
export function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator
}

function addCounts(a: ClassCounts, b: ClassCounts): ClassCounts {
  return { right: a.right + b.right, predicted: a.predicted + b.predicted, given: a.given + b.given }
}

function checkBinary(metric: string, counts: ReadonlyMap<number, ClassCounts>, posLabel: number): void {
  if (counts.size < 2 || (counts.size === 2 && counts.has(posLabel))) return
  const classes = [...counts.keys()].slice(0, 10).join(', ')
  if (counts.size > 2) {
    throw new TrainerError(
      'data',
      `${metric}: there are ${counts.size} classes (${classes}), but average is 'binary'.`,
      { fix: "Pass average: 'macro', 'micro' or 'weighted'." },
    )
  }
  throw new TrainerError('data', `${metric}: posLabel is ${posLabel}, but the classes are ${classes}.`, {
    fix: 'Pass one of them as posLabel.',
  })
}
