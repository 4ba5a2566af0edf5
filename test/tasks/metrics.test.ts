// scores of labels like those that people have, beside seqeval's, SQuAD's scripts' and scikit-learn's
import { beforeAll, describe, expect, it } from 'vitest'
import {
  classificationReport,
  type ClassificationReportOptions,
  type EntityOptions,
  entityReport,
  getEntities,
  loadMetric,
  setLogSink,
  TrainerError,
} from '../../src/index'
import { answerWords } from '../../src/metrics/squadText'
import { closeTo } from './closeTo'
import { read } from './support'

beforeAll(() => setLogSink(() => undefined)) // divisions by zero are told of

/** What Python gives, or how it fails. */
type Outcome<Value> = { readonly value: Value; readonly error?: never } | { readonly error: string }

/** The error of a call, which has to be one of ours. */
function refusalOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(TrainerError)
    return (error as Error).message
  }
  throw new Error('nothing was refused')
}

describe('entities', () => {
  interface Run extends EntityOptions {
    readonly references: string[][]
    readonly predictions: string[][]
  }
  type Found = { report: object; accuracy: number; 'entities (type, first, last)': Record<string, unknown> }
  const { runs: outcomes, ...expected } = read<{ runs: Outcome<Found>[] } & Record<string, Outcome<object>[]>>(
    'entitySchemes',
    'expected.json',
  )
  const runs = read<Run[]>('entitySchemes', 'runs.json').map((run, at) => [at, run, outcomes[at]!] as const)
  const reasons: readonly [python: string, ours: RegExp][] = [
    ['Invalid token is found', /label \d+ of row \d+ of the \w+ is ".+", but \w+ has the prefixes I, O/],
    ["KeyError: 'P'", /label 0 of row 0 of the \w+ is "PER", whose prefix "P" is in no scheme/],
    ['inconsistent numbers', /row \d+ has \d+ predicted labels for \d+ words|there are \d+ predictions for \d+ ref/],
    ['without list of list', /there are no sentences/],
  ]

  it.each(runs)('%i: %j', (_, { references, predictions, ...options }, outcome) => {
    const score = () => ({
      report: entityReport(references, predictions, { ...options, outputDict: true }),
      accuracy: loadMetric('seqeval').compute({ predictions, references, ...options }).overall_accuracy,
      'entities (type, first, last)': Object.fromEntries(
        Object.entries({ references, predictions }).map(([side, rows]) => [
          side,
          rows.map(row => getEntities(row, options).map(({ type, start, end }) => [type, start, end])),
        ]),
      ),
    })
    if (outcome.error === undefined) expect(score()).toEqual(closeTo(outcome.value))
    else expect(refusalOf(score)).toMatch(reasons.find(([python]) => outcome.error.includes(python))![1])
  })

  it('have the score that is asked for where nothing can be divided', () => {
    const of = (zeroDivision: 0 | 1) => entityReport([['O', 'B-A']], [['O', 'O']], { zeroDivision, outputDict: true })
    const wanted = expected['zeroDivision 0 and 1 for references [O, B-A], predictions [O, O]'] as { value: object }[]
    expect([of(0), of(1)]).toEqual(wanted.map(({ value }) => closeTo(value)))
  })
})

describe('answers', () => {
  interface Pair {
    readonly id: string
    readonly prediction: string
    readonly answers: string[]
  }
  type Scores = { exact: number; f1: number; refuse?: string }
  const { pairs: scores } = read<{ pairs: { normalized: string; v1: Scores; v2: Scores }[] }>(
    'squadPairs',
    'expected.json',
  )
  const pairs = read<Pair[]>('squadPairs', 'pairs.json').map((pair, at) => [pair, scores[at]!] as const)

  const rowsOf = ({ id, prediction, answers }: Pair) => ({
    predictions: [{ id, prediction_text: prediction, no_answer_probability: 0 }],
    references: [{ id, answers: { text: answers } }],
  })

  it.each(pairs)('%j', (pair, { normalized, v1, v2 }) => {
    expect(answerWords(pair.prediction).join(' ')).toBe(normalized)
    const second = loadMetric('squad_v2').compute(rowsOf(pair))
    expect({ exact: second.exact / 100, f1: second.f1 / 100 }).toEqual(closeTo(v2))
    const first = () => loadMetric('squad').compute(rowsOf(pair))
    if (v1.refuse !== undefined) expect(refusalOf(first)).toContain(`the question "${pair.id}" has no answer`)
    else expect({ exact: first().exact_match / 100, f1: first().f1 / 100 }).toEqual(closeTo(v1))
  })

  it('that are missing are named', () => {
    const [given, missing] = [rowsOf(pairs[0]![0]), rowsOf(pairs[5]![0])]
    const rows = { predictions: given.predictions, references: [...given.references, ...missing.references] }
    for (const call of [() => loadMetric('squad').compute(rows), () => loadMetric('squad_v2').compute(rows)])
      expect(refusalOf(call)).toContain('no prediction for the question "5"')
  })
})

describe('a classification report', () => {
  interface Call {
    readonly y_true: (number | string)[]
    readonly y_pred: (number | string)[]
    readonly labels?: (number | string)[]
    readonly target_names?: string[]
    readonly sample_weight?: number[]
    readonly zero_division?: 0 | 1 | 'nan' | 'warn'
  }
  type Written = { value: object; text: string; 'text, digits 4': string; error?: never } | { error: string }
  const expected = read<Written[]>('classificationReports', 'expected.json')
  const calls = read<Call[]>('classificationReports', 'calls.json').map(
    (call, at) => [at, call, expected[at]!] as const,
  )
  const reasons: readonly [python: string, ours: RegExp][] = [
    ['does not match size of target_names', /there are 3 classes, and targetNames has 4/],
    ['inconsistent numbers of samples', /there are 3 predictions for 2 references/],
    ['Found empty input', /there are no rows/],
  ]

  it.each(calls)('%i: %j', (_, call, outcome) => {
    const { y_true: labels, y_pred: classes, ...options } = call
    const names = { labels: 'labels', target_names: 'targetNames', sample_weight: 'sampleWeight', zero_division: 'zeroDivision' } // prettier-ignore
    const given = Object.fromEntries(
      Object.entries(options).map(([name, value]) => [names[name as keyof typeof names], value]),
    ) as ClassificationReportOptions
    const of = (more: object) => classificationReport(labels as never, classes as never, { ...given, ...more })
    if (outcome.error !== undefined) {
      expect(refusalOf(() => of({}))).toMatch(reasons.find(([python]) => outcome.error.includes(python))![1])
      return
    }
    expect(of({})).toBe(outcome.text)
    expect(of({ digits: 4 })).toBe(outcome['text, digits 4'])
    const collides = labels.includes('macro avg') // Python overwrites the class with the line of the same name
    if (collides)
      expect(refusalOf(() => of({ outputDict: true }))).toContain(
        'a class is called "accuracy", as a line of the report',
      )
    else expect(of({ outputDict: true })).toEqual(closeTo(outcome.value))
  })
})
