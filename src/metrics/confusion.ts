import { TrainerError } from '../errors'
import { logOnce } from '../logging'
import { shown } from '../options'
import type { MetricDefinition } from './definition'
import type { MetricOptions } from './options'
import { checkIndicators } from './rows'
import { sum } from './sum'
import type { Rows } from './values'

/** How often a class is predicted rightly, predicted, and given; each row counts as much as it weighs. */
export interface ClassCounts {
  right: number
  predicted: number
  given: number
}

/** The numerator and the denominator of a class's score. */
export type Score = (counts: ClassCounts) => readonly [number, number]

/** The options of scores that are averaged over classes. */
const scoreOptions = ['average', 'posLabel', 'labels', 'zeroDivision', 'sampleWeight'] as const

/**
 * A metric that averages a score over classes, or over several labels.
 * @param key that of its value.
 * @param score the numerator and the denominator of a class's score.
 */
export function scoreMetric(key: string, score: Score): MetricDefinition {
  return {
    compares: 'classes',
    options: scoreOptions,
    several: 'multilabel',
    compute: (rows, options, metric) => ({ [key]: averageScore(metric, rows, score, options) }),
  }
}

/** The counts of a class that does not occur. */
export const nothing: Readonly<ClassCounts> = { right: 0, predicted: 0, given: 0 }

/** Counts for each class that occurs on either side, in the order of the classes; rows have one class each. */
export function countClasses({ predictions, references, weights }: Rows): Map<number, ClassCounts> {
  const counts = new Map<number, ClassCounts>()
  const of = (label: number): ClassCounts => {
    const known = counts.get(label)
    if (known !== undefined) return known
    const fresh = { ...nothing }
    counts.set(label, fresh)
    return fresh
  }
  for (let i = 0; i < predictions.length; i++) {
    const weight = weights?.[i] ?? 1
    of(predictions[i]!).predicted += weight
    const given = of(references[i]!)
    given.given += weight
    if (predictions[i] === references[i]) given.right += weight
  }
  return new Map([...counts].sort(([a], [b]) => a - b))
}

/** Counts for each of several labels, or for each row's labels; `labels` are those that count. */
export function countLabels(rows: Rows, labels: readonly number[], of: 'label' | 'row'): ClassCounts[] {
  const { predictions, references, width, weights } = rows
  const length = predictions.length / width
  const counts = Array.from({ length: of === 'label' ? labels.length : length }, () => ({ ...nothing }))
  for (let row = 0; row < length; row++) {
    const weight = weights?.[row] ?? 1
    for (const [place, label] of labels.entries()) {
      const count = counts[of === 'label' ? place : row]!
      const isPredicted = predictions[row * width + label] === 1
      const isGiven = references[row * width + label] === 1
      if (isPredicted) count.predicted += weight
      if (isGiven) count.given += weight
      if (isPredicted && isGiven) count.right += weight
    }
  }
  return counts
}

/**
 * The average of a score over the classes, as in scikit-learn: 'binary' is the score of `posLabel`, 'micro' that of all
 * counts together, 'macro' the mean, 'weighted' the mean weighted by how often each class is given, 'samples' the mean
 * over rows of several labels; null gives the list of all scores, of a single class its score.
 * @param score the numerator and the denominator of a class's score.
 * @throws TrainerError (`data`) for 'binary' with more than two classes, or with two if neither is `posLabel`.
 */
function averageScore(metric: string, rows: Rows, score: Score, options: MetricOptions): number | number[] {
  return averageOfCounts(metric, chosenCounts(metric, rows, options), score, options, rows.weights)
}

/**
 * The average of a score over counts: of classes, of labels, or of rows with 'samples'.
 * @param weights how much each row counts with 'samples'.
 */
export function averageOfCounts(
  metric: string,
  counts: readonly ClassCounts[],
  score: Score,
  { average = 'binary', zeroDivision = 'warn' }: Pick<MetricOptions, 'average' | 'zeroDivision'>,
  weights: ArrayLike<number> | undefined,
): number | number[] {
  const scores = (average === 'micro' ? [sumCounts(counts)] : counts).map(count => {
    const [numerator, denominator] = score(count)
    if (denominator !== 0) return numerator / denominator
    if (zeroDivision !== 'warn') return zeroDivision
    logOnce('warning', `${metric}: a score has nothing to divide by, and counts as 0; zeroDivision sets another value.`)
    return 0
  })
  if (scores.length === 1 && average !== 'samples') return scores[0]!
  if (average === null) return scores
  if (average === 'weighted')
    return mean(
      scores,
      counts.map(({ given }) => given),
    )
  return mean(scores, average === 'samples' ? weights : undefined)
}

/** What is averaged: the counts of `posLabel`, of the classes, of the labels, or of the rows. */
function chosenCounts(metric: string, rows: Rows, options: MetricOptions): readonly ClassCounts[] {
  const { average = 'binary', posLabel = 1 } = options
  const labels = options.labels?.map(Number)
  if (average === 'binary' && labels !== undefined) warnOfIgnored(metric, 'labels is', "average: 'binary'")
  if (average !== 'binary' && Number(posLabel) !== 1) warnOfIgnored(metric, 'posLabel is', `average: ${shown(average)}`)
  if (rows.width > 1) return severalCounts(metric, rows, average, labels)
  if (average === 'samples') {
    throw new TrainerError('data', `${metric}: average is 'samples', but rows have one class each.`, {
      fix: "Pass average: 'macro', 'micro' or 'weighted'.",
    })
  }
  const counts = countClasses(rows)
  if (average !== 'binary') return labels?.map(label => counts.get(label) ?? nothing) ?? [...counts.values()]
  checkBinary(metric, counts, Number(posLabel))
  return [counts.get(Number(posLabel)) ?? nothing]
}

function severalCounts(
  metric: string,
  rows: Rows,
  average: MetricOptions['average'],
  labels: readonly number[] = Array.from({ length: rows.width }, (_, label) => label),
): readonly ClassCounts[] {
  checkIndicators(metric, rows)
  if (average === 'binary') {
    throw new TrainerError('data', `${metric}: rows have ${rows.width} labels each, but average is 'binary'.`, {
      fix: "Pass average: 'macro', 'micro', 'weighted' or 'samples', or null for each label's score.",
    })
  }
  const outside = labels.find(label => label < 0 || label >= rows.width)
  if (outside !== undefined) {
    throw new TrainerError('argument', `${metric}: labels has ${outside}, but rows have ${rows.width} labels.`, {
      fix: `Name them by their places, 0 to ${rows.width - 1}.`,
    })
  }
  return countLabels(rows, labels, average === 'samples' ? 'row' : 'label')
}

function warnOfIgnored(metric: string, what: string, where: string): void {
  logOnce('warning', `${metric}: ${what} ignored with ${where}, as in scikit-learn.`)
}

/** The mean of the scores that are numbers, weighted if there are weights whose sum is not 0; NaN without any. */
function mean(scores: readonly number[], weights: ArrayLike<number> | undefined): number {
  const kept = scores.flatMap((score, i) => (Number.isNaN(score) ? [] : [{ score, weight: weights?.[i] ?? 1 }]))
  const total = sum(kept.map(({ weight }) => weight))
  if (total === 0) return sum(kept.map(({ score }) => score)) / kept.length
  return sum(kept.map(({ score, weight }) => score * weight)) / total
}

/** The counts of all together. */
export function sumCounts(counts: readonly ClassCounts[]): ClassCounts {
  const of = (key: keyof ClassCounts): number => sum(counts.map(count => count[key]))
  return { right: of('right'), predicted: of('predicted'), given: of('given') }
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
