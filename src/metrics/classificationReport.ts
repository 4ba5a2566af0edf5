import { TrainerError } from '../errors'
import { logOnce } from '../logging'
import { checkOptions, refuseArguments } from '../options'
import { chosenClasses, type ClassLabel, type ClassLabels, type ClassRows, readClasses } from './classLabels'
import { averageOfCounts, type ClassCounts, countClasses, countLabels, nothing, type Score } from './confusion'
import { checkForms, flag, type Form, rowWeights, zeroDivision } from './options'
import { digits, letters, type Report, reportObject, type ReportRow, type ReportScores, reportText } from './report'
import { sum } from './sum'
import type { Values } from './values'

/** Options of {@link classificationReport}, as scikit-learn has them. */
export interface ClassificationReportOptions {
  /** The classes that are reported, in their order; all that occur by default. Of several labels their places. */
  readonly labels?: readonly ClassLabel[] | null | undefined
  /** What they are called, in the same order. */
  readonly targetNames?: readonly string[] | null | undefined
  /** How much each row counts; 1 by default. */
  readonly sampleWeight?: Values | null | undefined
  /** How many decimal places the text has; 2 by default. */
  readonly digits?: number | undefined
  /** Gives an object instead of a text; false by default. */
  readonly outputDict?: boolean | undefined
  /** The score where nothing can be divided: 0, 1 or NaN; 'warn', the default, is 0 with a warning. */
  readonly zeroDivision?: number | 'warn' | undefined
}

/** A report as an object: the scores of each class and average by name, `accuracy` as a number. */
export type ClassificationReport = Readonly<Record<string, ReportScores>> & { readonly accuracy: number }

const where = 'classificationReport()'
const forms: Readonly<Record<string, Form>> = {
  labels: chosenClasses,
  targetNames: {
    expects: 'a list of texts',
    holds: value => value === null || (Array.isArray(value) && value.every(name => typeof name === 'string')),
  },
  sampleWeight: rowWeights,
  digits,
  outputDict: flag,
  zeroDivision,
}

/** Precision, recall and F1: the numerator and the denominator of each. */
const scores = {
  precision: ({ right, predicted }) => [right, predicted],
  recall: ({ right, given }) => [right, given],
  'f1-score': ({ right, predicted, given }) => [2 * right, predicted + given],
} satisfies Record<string, Score>

/**
 * Precision, recall, F1 and support of each class, and their averages, as scikit-learn's `classification_report` prints
 * them: a text, or with `outputDict: true` an object. 'accuracy' is there where all classes are reported and each row
 * has one, else 'micro avg'; of several labels in a row also 'samples avg'.
 * @param references the classes of rows as numbers, texts or booleans; of several labels [rows, labels] of 0 and 1.
 * @throws TrainerError (`data`) without rows, for sides of different shapes, for as many names as there are not classes,
 * and with `outputDict` for a class called as a line of the report ('accuracy', 'macro avg'), which would be lost.
 * @example
 * console.log(classificationReport([0, 1, 1], [0, 1, 0], { targetNames: ['bad', 'good'] }))
 * classificationReport([0, 1, 1], [0, 1, 0], { outputDict: true }).accuracy // 0.6666666666666666
 */
export function classificationReport(
  references: ClassLabels,
  predictions: ClassLabels,
  options: ClassificationReportOptions & { readonly outputDict: true },
): ClassificationReport
export function classificationReport(
  references: ClassLabels,
  predictions: ClassLabels,
  options?: ClassificationReportOptions & { readonly outputDict?: false | undefined },
): string
export function classificationReport(
  references: ClassLabels,
  predictions: ClassLabels,
  options?: ClassificationReportOptions,
): ClassificationReport | string
export function classificationReport(
  references: ClassLabels,
  predictions: ClassLabels,
  options: ClassificationReportOptions = {},
  ...extra: readonly unknown[]
): ClassificationReport | string {
  refuseArguments(extra, where)
  checkOptions(options, Object.keys(forms), where)
  checkForms(where, options, forms)
  const read = readClasses(where, references, predictions, options.sampleWeight)
  const classes = options.labels?.map(read.numberOf) ?? read.classes
  const names = namesOf(read, classes, options)
  const counts = countsOf(read, classes)
  const rows = classRows(names, counts, options)
  const single = !read.several && read.classes.every(one => classes.includes(one)) ? 'accuracy' : undefined
  const averages = averageRows(read, classes, counts, options, single ?? 'micro avg')
  if (options.outputDict === true) return asObject(reportObject(where, rows, averages), single)
  return reportText(rows, averages, options.digits ?? 2, {
    width: Math.max(...(options.targetNames ?? []).map(letters), 0),
    // in scikit-learn support has a fraction with weights, and also where no row is right
    isWeighted: read.rows.weights !== undefined || !(read.several || hasRight(read)),
    ...(single !== undefined && { single }),
  })
}

function hasRight({ rows: { predictions, references } }: ClassRows): boolean {
  return predictions.some((one, row) => one === references[row])
}

/** @throws TrainerError for names of other classes than are there. */
function namesOf(
  { nameOf }: ClassRows,
  classes: readonly number[],
  { labels, targetNames }: ClassificationReportOptions,
): readonly string[] {
  if (targetNames === undefined || targetNames === null) return classes.map(nameOf)
  if (targetNames.length === classes.length) return targetNames
  const problem = `${where}: there are ${classes.length} classes, and targetNames has ${targetNames.length}`
  if (labels === undefined || labels === null)
    throw new TrainerError('data', `${problem}: ${targetNames.join(', ')}.`, {
      fix: `Only ${classes.map(nameOf).join(', ')} occur; labels: [${targetNames.map((_, at) => at).join(', ')}] reports the others too.`,
    })
  logOnce('warning', `${problem}; as in scikit-learn only the first of both are reported.`)
  return targetNames.slice(0, classes.length)
}

function countsOf({ rows, several }: ClassRows, classes: readonly number[]): readonly ClassCounts[] {
  const all = several ? countLabels(rows, classes, 'label') : countClasses(rows)
  const chosen = classes.map((one, at) => (Array.isArray(all) ? all[at]! : (all.get(one) ?? nothing)))
  // scikit-learn adds up what is right and what is wrong, which rounds weights to other last digits
  return chosen.map(({ right, predicted, given }) => ({
    right,
    predicted: right + (predicted - right),
    given: right + (given - right),
  }))
}

function classRows(
  names: readonly string[],
  counts: readonly ClassCounts[],
  { zeroDivision = 'warn' }: ClassificationReportOptions,
): ReportRow[] {
  const each = (score: Score): number[] =>
    counts.map(count => averageOfCounts(where, [count], score, { average: null, zeroDivision }, undefined) as number)
  const [precision, recall, f1] = [each(scores.precision), each(scores.recall), each(scores['f1-score'])]
  return names.map((name, at) => ({
    name,
    precision: precision[at]!,
    recall: recall[at]!,
    'f1-score': f1[at]!,
    support: counts[at]!.given,
  }))
}

function averageRows(
  { rows, several }: ClassRows,
  classes: readonly number[],
  counts: readonly ClassCounts[],
  { zeroDivision = 'warn' }: ClassificationReportOptions,
  micro: string,
): ReportRow[] {
  const support = sum(counts.map(({ given }) => given))
  const kinds = several
    ? (['micro', 'macro', 'weighted', 'samples'] as const)
    : (['micro', 'macro', 'weighted'] as const)
  return kinds.map(average => {
    const averaged = average === 'samples' ? countLabels(rows, classes, 'row') : counts
    const of = (score: Score): number =>
      averageOfCounts(where, averaged, score, { average, zeroDivision }, rows.weights) as number
    return {
      name: average === 'micro' ? micro : `${average} avg`,
      precision: of(scores.precision),
      recall: of(scores.recall),
      'f1-score': of(scores['f1-score']),
      support,
    }
  })
}

function asObject(report: Report, single: string | undefined): ClassificationReport {
  const all = single === undefined ? report : { ...report, [single]: report[single]!.precision }
  return all as ClassificationReport
}
