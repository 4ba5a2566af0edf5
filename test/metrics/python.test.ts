import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TrainerError } from '../../src/errors'
import { setLogSink } from '../../src/logging'
import { classificationReport } from '../../src/metrics/classificationReport'
import { confusionMatrix } from '../../src/metrics/confusionMatrix'
import { getEntities } from '../../src/metrics/entities'
import { loadMetric } from '../../src/metrics/loadMetric'
import { entityReport } from '../../src/metrics/seqeval'

setLogSink(() => {})

/** The folder of what Python says; METRICS_CASES names another, of other seeds. */
const folder = process.env['METRICS_CASES'] ?? join(import.meta.dirname, '../fixtures/metrics')
const read = <Case>(name: string): (readonly [string, Case])[] => {
  const text = readFileSync(join(folder, `${name}.json`), 'utf8')
  const cases = JSON.parse(text, (_, value: unknown) => (value === 'nan' ? NaN : value)) as Case[]
  return cases.map((one, at) => [`${at}: ${JSON.stringify(one)}`, one])
}

/** What is computed, or 'error' where it is refused. */
function asked(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    if (error instanceof TrainerError) return 'error'
    throw error
  }
}

function expectClose(actual: unknown, expected: unknown): void {
  if (typeof expected === 'number' && !Number.isNaN(expected)) expect(actual).toBeCloseTo(expected, 7)
  else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(actual as object).toSorted()).toEqual(Object.keys(expected).toSorted())
    for (const [key, value] of Object.entries(expected)) expectClose((actual as Record<string, unknown>)[key], value)
  } else expect(actual).toEqual(expected)
}

/** A report's rows as lists. */
const asLists = (report: unknown): unknown =>
  typeof report === 'object' && report !== null
    ? Object.fromEntries(
        Object.entries(report).map(([name, row]) => [
          name,
          typeof row === 'number' ? row : Object.values(row as object),
        ]),
      )
    : report

type EntityCase = [
  string | null,
  string | null,
  { suffix?: boolean },
  'error' | [number, Record<string, number[]>],
  [number, string] | null,
  unknown[] | null,
]

describe('entities as seqeval finds them', () => {
  it.each(read<EntityCase>('entities'))('%s', (_, [referenceText, predictionText, options, expected, text, first]) => {
    const [references, predictions] = [referenceText, predictionText].map(side =>
      side === null ? [] : side.split('|').map(row => (row === '' ? [] : row.split(' '))),
    ) as [string[][], string[][]]
    expectClose(
      asked(() => {
        const report = asLists(entityReport(references, predictions, { ...options, outputDict: true }))
        const seqeval = loadMetric('seqeval')
        for (const [row, labels] of references.entries())
          seqeval.addBatch({ references: [labels], predictions: [predictions[row]!] })
        const scores = seqeval.compute(options)
        const [precision, recall, f1] = (report as Record<string, number[]>)['micro avg']!
        expect([scores.overall_precision, scores.overall_recall, scores.overall_f1]).toEqual([precision, recall, f1])
        for (const [name, row] of Object.entries(report as Record<string, number[]>))
          if (!name.endsWith(' avg')) expect(Object.values(scores[name]!)).toEqual(row)
        return [scores.overall_accuracy, report]
      }),
      expected,
    )
    if (text !== null) expect(entityReport(references, predictions, { ...options, digits: text[0] })).toBe(text[1])
    const { suffix = false } = options
    if (first !== null) expect(getEntities(references[0]!, { suffix }).map(one => Object.values(one))).toEqual(first)
  })
})

type AnswerCase = [string[], string[][], number[], number | null, 'error' | [number, number], (number | null)[]]

describe("answers by the rules of SQuAD's scripts", () => {
  it.each(read<AnswerCase>('answers'))('%s', (_, [texts, answers, sure, threshold, v1, v2]) => {
    const rows = texts.map((text, at) => ({
      predictions: [{ id: `q${at}`, prediction_text: text, no_answer_probability: sure[at]! }],
      references: [{ id: `q${at}`, answers: { text: answers[at]! } }],
    }))
    const [squad, second] = [loadMetric('squad'), loadMetric('squad_v2')]
    for (const row of rows) {
      squad.addBatch(row)
      second.addBatch(row)
    }
    const keys = [
      ...['', 'HasAns_', 'NoAns_'].flatMap(group => ['exact', 'f1', 'total'].map(key => group + key)),
      ...['best_exact', 'best_exact_thresh', 'best_f1', 'best_f1_thresh'],
    ]
    const expected = keys.map((key, at) => [key, v2[at]] as const).filter(([, value]) => value !== null)
    expectClose(
      second.compute(threshold === null ? {} : { noAnswerThreshold: threshold }),
      Object.fromEntries(expected),
    )
    expectClose(
      asked(() => Object.values(squad.compute())),
      v1,
    )
  })
})

type Labels = (number | string | boolean)[]
type ReportCase = [Labels, Labels, { sampleWeight?: number[]; labels?: Labels }, 'value' | 'text' | 'matrix', unknown]

describe('reports and matrices as scikit-learn makes them', () => {
  it.each(read<ReportCase>('reports'))('%s', (_, [references, predictions, options, asks, result]) => {
    if (asks === 'value') {
      const report = asked(() => classificationReport(references, predictions, { ...options, outputDict: true }))
      return expectClose(asLists(report), result)
    }
    const [how, value] = result as [never, unknown]
    if (asks === 'text')
      return expect(asked(() => classificationReport(references, predictions, { ...options, digits: how }))).toBe(value)
    const { labels, sampleWeight } = options
    const chosen = { normalize: how, ...(labels && { labels }), ...(sampleWeight && { sampleWeight }) }
    expectClose(
      asked(() => confusionMatrix(references, predictions, chosen)),
      value,
    )
    if (value === 'error' || typeof references[0] === 'string') return
    const metric = loadMetric('confusion_matrix')
    for (const [row, one] of references.entries())
      metric.addBatch({ references: [one], predictions: [predictions[row]!] })
    expectClose(metric.compute(chosen), { confusion_matrix: value })
  })
})

type AreaCase = ['binary' | 'multiclass' | 'multilabel', number[], number[], object, unknown]

describe('areas under the curve as scikit-learn has them', () => {
  it.each(read<AreaCase>('areas'))('%s', (_, [kind, references, scores, options, value]) => {
    const metric = kind === 'binary' ? loadMetric('roc_auc') : loadMetric('roc_auc', kind)
    const compute = () => metric.compute({ predictionScores: scores, references, ...options }).roc_auc
    expectClose(asked(compute), value)
    if (value === 'error') return
    for (const [row, one] of references.entries()) metric.addBatch({ predictions: [scores[row]!], references: [one] })
    expectClose(metric.compute(options).roc_auc, value)
  })
})
