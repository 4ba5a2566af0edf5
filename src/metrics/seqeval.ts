// entities that a model finds, against those that are there: seqeval 1.2.2
import { TrainerError } from '../errors'
import { logOnce } from '../logging'
import { checkOptions, refuseArguments } from '../options'
import { byCodePoints } from './codePoints'
import { type ClassCounts, sumCounts } from './confusion'
import { checkLabels, checkReading, chunks, type EntityReading, readingForms } from './entities'
import { strictEntities } from './entitySchemes'
import { gather, type GatheringMetric, type GivenRows } from './gather'
import { checkForms, flag, type Form, oneOf } from './options'
import { digits, type Report, reportObject, type ReportRow, reportText } from './report'
import { unequalRows } from './rows'
import { sum } from './sum'

/** Sentences, of each the labels of its words. */
export interface EntityRows {
  readonly predictions: readonly (readonly string[])[]
  readonly references: readonly (readonly string[])[]
}

/** Options of `loadMetric('seqeval')`. */
export interface EntityOptions extends EntityReading {
  /** The score where nothing can be divided; 'warn', the default, is 0 with a warning. */
  readonly zeroDivision?: 0 | 1 | 'warn' | undefined
}

/** Options of {@link entityReport}. */
export interface EntityReportOptions extends EntityOptions {
  /** How many decimal places the text has; 2 by default. */
  readonly digits?: number | undefined
  /** Gives an object instead of a text; false by default. */
  readonly outputDict?: boolean | undefined
}

/** The scores of one type of entities; `number` is how many there are in the references. */
export interface TypeScores {
  readonly precision: number
  readonly recall: number
  readonly f1: number
  readonly number: number
}

/** What `loadMetric('seqeval')` computes: all types together, and each by its name. */
export type EntityScores = {
  readonly [type: string]: TypeScores
} & Readonly<Record<(typeof overall)[number], number>>

const overall = ['overall_precision', 'overall_recall', 'overall_f1', 'overall_accuracy'] as const
const zeroDivisionForm = oneOf(0, 1, 'warn')
const forms: Readonly<Record<string, Form>> = { ...readingForms, zeroDivision: zeroDivisionForm }

export function entityMetric(): GatheringMetric<EntityScores> {
  const name = 'seqeval'
  return gather<EntityRows, EntityScores>({
    name,
    options: Object.keys(forms),
    checkOptions(given) {
      checkForms(name, given, forms)
      checkReading(name, given)
    },
    read: rows => readRows(name, rows),
    compute(batches, options: EntityOptions) {
      const rows = {
        predictions: batches.flatMap(({ predictions }) => predictions),
        references: batches.flatMap(({ references }) => references),
      }
      const accuracy = shareOfRight(name, rows)
      const { types, micro } = scoresOf(name, rows, options)
      const scores = types.map(({ name: type, ...row }) => [type, named(row)] as const)
      const taken = scores.find(([type]) => (overall as readonly string[]).includes(type))
      if (taken !== undefined)
        throw new TrainerError(
          'data',
          `${name}: a type of entities is called "${taken[0]}", as the value for all types.`,
          {
            fix: 'Rename it, or take entityReport().',
          },
        )
      const { precision, recall, f1 } = named(micro)
      return Object.fromEntries([
        ...scores,
        ['overall_precision', precision],
        ['overall_recall', recall],
        ['overall_f1', f1],
        ['overall_accuracy', accuracy],
      ]) as unknown as EntityScores
    },
  })
}

/**
 * Precision, recall, F1 and number of each type of entities, with their averages ('micro avg' over all entities, 'macro
 * avg' over types, 'weighted avg' over types by their number), as seqeval's `classification_report` prints them.
 * @throws TrainerError (`data`) for sentences of different lengths and labels that a scheme does not have.
 * @example
 * const references = [['B-PER', 'I-PER', 'O'], ['B-LOC']]
 * const predictions = [['B-PER', 'I-PER', 'O'], ['O']]
 * console.log(entityReport(references, predictions))
 * entityReport(references, predictions, { outputDict: true })['PER'] // { precision: 1, recall: 1, 'f1-score': 1, … }
 */
export function entityReport(
  references: EntityRows['references'],
  predictions: EntityRows['predictions'],
  options: EntityReportOptions & { readonly outputDict: true },
): Report
export function entityReport(
  references: EntityRows['references'],
  predictions: EntityRows['predictions'],
  options?: EntityReportOptions & { readonly outputDict?: false | undefined },
): string
export function entityReport(
  references: EntityRows['references'],
  predictions: EntityRows['predictions'],
  options?: EntityReportOptions,
): Report | string
export function entityReport(
  references: EntityRows['references'],
  predictions: EntityRows['predictions'],
  options: EntityReportOptions = {},
  ...extra: readonly unknown[]
): Report | string {
  const where = 'entityReport()'
  refuseArguments(extra, where)
  const known = { ...forms, digits, outputDict: flag }
  checkOptions(options, Object.keys(known), where)
  checkForms(where, options, known)
  checkReading(where, options)
  const rows = readRows(where, { predictions, references })
  if (rows === undefined) throw new TrainerError('data', `${where}: there are no sentences.`)
  const { types, micro, macro, weighted } = scoresOf(where, rows, options)
  const averages = [micro, macro, weighted]
  if (options.outputDict === true) return reportObject(where, types, averages)
  return reportText(types, averages, options.digits ?? 2)
}

/** @throws TrainerError for what are no lists of sentences of the same lengths. */
function readRows(where: string, given: GivenRows): EntityRows | undefined {
  const read = (side: keyof GivenRows): readonly (readonly string[])[] => {
    const rows = given[side]
    if (!Array.isArray(rows))
      throw new TrainerError(
        'data',
        `${where}: the ${side} should be a list of sentences, each the list of its labels.`,
        {
          fix: 'entityLabels() makes them of logits.',
        },
      )
    for (const [row, labels] of (rows as unknown[]).entries())
      checkLabels(labels, `${where}: row ${row} of the ${side}`)
    return rows as readonly (readonly string[])[]
  }
  const [predictions, references] = [read('predictions'), read('references')]
  if (predictions.length !== references.length) throw unequalRows(where, predictions.length, references.length)
  const row = predictions.findIndex((labels, at) => labels.length !== references[at]!.length)
  if (row >= 0)
    throw new TrainerError(
      'data',
      `${where}: row ${row} has ${predictions[row]!.length} predicted labels for ${references[row]!.length} words.`,
      { fix: 'Give each word one label; words that were cut off have to be left out, or predicted as O.' },
    )
  return predictions.length > 0 ? { predictions, references } : undefined
}

function shareOfRight(where: string, { predictions, references }: EntityRows): number {
  const given = references.flat()
  if (given.length === 0) throw new TrainerError('data', `${where}: the sentences have no words.`)
  return predictions.flat().filter((label, at) => label === given[at]).length / given.length
}

type Scores = Omit<ReportRow, 'name'>

function named({ precision, recall, 'f1-score': f1, support }: Scores): TypeScores {
  return { precision, recall, f1, number: support }
}

interface AllScores {
  readonly types: readonly ReportRow[]
  readonly micro: ReportRow
  readonly macro: ReportRow
  readonly weighted: ReportRow
}

function scoresOf(where: string, rows: EntityRows, options: EntityOptions): AllScores {
  const { zeroDivision = 'warn' } = options
  const counts = countTypes(where, rows, options)
  const types = counts.map(([name, count]) => ({ name, ...scored(where, count, zeroDivision) }))
  const total = sumCounts(counts.map(([, count]) => count))
  const support = total.given
  const average = (score: Exclude<keyof Scores, 'support'>, isWeighted: boolean): number => {
    const weights = types.map(type => (isWeighted ? type.support : 1))
    return sum(types.map((type, at) => type[score] * weights[at]!)) / sum(weights)
  }
  const averages = (isWeighted: boolean): Scores => ({
    precision: average('precision', isWeighted),
    recall: average('recall', isWeighted),
    'f1-score': average('f1-score', isWeighted),
    support,
  })
  return {
    types,
    micro: { name: 'micro avg', ...scored(where, total, zeroDivision) },
    macro: { name: 'macro avg', ...averages(false) },
    weighted: { name: 'weighted avg', ...(support === 0 ? unsupported(total, zeroDivision) : averages(true)) },
  }
}

/** The counts of each type, in the order of their names. */
function countTypes(where: string, rows: EntityRows, options: EntityReading): [string, ClassCounts][] {
  const { predictions, references } = places(where, rows, options)
  const types = [...new Set([...predictions.keys(), ...references.keys()])].sort(byCodePoints)
  return types.map(type => {
    const predicted = predictions.get(type) ?? new Set()
    const given = references.get(type) ?? new Set()
    const right = [...predicted].filter(place => given.has(place)).length
    return [type, { right, predicted: predicted.size, given: given.size }]
  })
}

/** Where the entities of each type are, on either side. */
function places(where: string, rows: EntityRows, options: EntityReading): Record<keyof EntityRows, Places> {
  const { predictions, references } = rows
  if (options.mode === 'strict') {
    const found = strictEntities(where, { predictions, references }, options)
    return { predictions: byType(found['predictions']!), references: byType(found['references']!) }
  }
  // As in seqeval all sentences are one list, with an O after each.
  const flat = (side: EntityRows[keyof EntityRows]): Places =>
    byType([
      chunks(
        side.flatMap(labels => [...labels, 'O']),
        options.suffix ?? false,
      ),
    ])
  return { predictions: flat(predictions), references: flat(references) }
}

type Places = Map<string, Set<string>>

function byType(rows: readonly (readonly { type: string; start: number; end: number }[])[]): Places {
  const found: Places = new Map()
  for (const [row, entities] of rows.entries())
    for (const { type, start, end } of entities) {
      const place = `${row} ${start} ${end}`
      found.set(type, (found.get(type) ?? new Set()).add(place))
    }
  return found
}

function scored(where: string, { right, predicted, given }: ClassCounts, zeroDivision: 0 | 1 | 'warn'): Scores {
  const share = (of: number): number => {
    if (of !== 0) return right / of
    if (zeroDivision === 'warn')
      logOnce(
        'warning',
        `${where}: a score has nothing to divide by, and counts as 0; zeroDivision sets another value.`,
      )
    return zeroDivision === 1 ? 1 : 0
  }
  const [precision, recall] = [share(predicted), share(given)]
  return { precision, recall, 'f1-score': (2 * precision * recall) / (precision + recall || 1), support: given }
}

/** The weighted average where the references have no entities. */
function unsupported({ predicted }: ClassCounts, zeroDivision: 0 | 1 | 'warn'): Scores {
  const value = zeroDivision === 1 ? 1 : 0
  const precision = predicted === 0 ? value : 0
  return { precision, recall: value, 'f1-score': precision, support: 0 }
}
