import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type AnswerOptions, answersOf, Dataset, type FoundAnswer, Tensor } from '../../src/index'

const file = (name: string): string => fileURLToPath(new URL(`../fixtures/spans/${name}.json`, import.meta.url))

/** What Python makes of logits, for several options. */
interface Cases {
  readonly examples: readonly { readonly id: string; readonly context: string }[]
  readonly features: readonly { readonly example_id: string; readonly offset_mapping: (number[] | null)[] }[]
  readonly start_logits: number[][]
  readonly end_logits: number[][]
  readonly runs: readonly {
    readonly options: { version2: boolean; n_best: number; longest: number; threshold: number }
    readonly answers: readonly Omit<FoundAnswer, 'no_answer_probability'>[]
  }[]
}

const read = (name: string): unknown => JSON.parse(readFileSync(file(name), 'utf8'))
const { answers: cases } = read('cases') as { answers: Cases }
const { examples, features, runs } = cases

/** Rows of one length, as a model predicts them: -100 in padding. */
function padded(rows: readonly number[][]): Tensor {
  const length = Math.max(...rows.map(row => row.length)) + 2
  return Tensor.from('float32', rows.map(row => [...row, ...new Array<number>(length - row.length).fill(-100)])) // prettier-ignore
}
const predictions = [padded(cases.start_logits), padded(cases.end_logits)]

describe('answersOf', () => {
  it.each(runs.map(run => [run.options, run.answers] as const))("finds run_qa.py's answers: %j", (given, expected) => {
    const options: AnswerOptions = {
      nBestSize: given.n_best,
      maxAnswerLength: given.longest,
      version2WithNegative: given.version2,
      ...(given.version2 && { nullScoreDiffThreshold: given.threshold }),
    }
    const found = answersOf({ predictions, features, examples }, options)
    found.forEach(({ no_answer_probability: none, score, null_score: nullScore, ...answer }, row) => {
      const { score: best, null_score: nullBest, ...rest } = expected[row]!
      expect(answer).toEqual(rest)
      if (best === null) expect([score, none]).toEqual([null, 1])
      else {
        expect(score).toBeCloseTo(best, 4)
        expect(none).toBeCloseTo(1 / (1 + Math.exp(best - nullBest)), 4)
      }
      expect(nullScore).toBeCloseTo(nullBest, 4)
    })
  })

  const noAnswer = read('noAnswer') as Omit<Cases, 'runs'> & {
    readonly runs: readonly { readonly options: AnswerOptions; readonly answers: readonly FoundAnswer[] }[]
  }
  it.each(noAnswer.runs.map(run => [run.options, run.answers] as const))(
    'tells questions without an answer: %j',
    (options, expected) => {
      const logits = [noAnswer.start_logits, noAnswer.end_logits]
      const found = answersOf(
        { predictions: logits, features: noAnswer.features, examples: noAnswer.examples },
        options,
      )
      const rounded = (x: number | null): number | null => (x === null ? null : Number(x.toFixed(3)))
      const told = found.map(({ no_answer_probability: _none, score, null_score, ...answer }) => ({
        ...answer,
        score: rounded(score),
        null_score: rounded(null_score),
      }))
      expect(told).toEqual(expected)
    },
  )

  it('takes datasets and lists of logits', () => {
    const datasets = { features: Dataset.fromRows([...features]), examples: Dataset.fromRows([...examples]) }
    const lists = [cases.start_logits, cases.end_logits]
    expect(answersOf({ predictions: lists, ...datasets }).map(({ start, end }) => [start, end])).toEqual(
      runs[0]!.answers.map(({ start, end }) => [start, end]),
    )
  })

  it("has '' where the best tokens are all of the question", () => {
    const window = { example_id: 'a', offset_mapping: [null, null, [0, 4], [5, 9]] }
    const sources = { features: [window], examples: [{ id: 'a', context: 'Ines left' }] }
    const logits = [[[9, 8, 1, 0]], [[9, 8, 0, 1]]]
    const [none] = answersOf({ predictions: logits, ...sources }, { nBestSize: 2 })
    expect(none).toEqual({ id: 'a', prediction_text: '', no_answer_probability: 1, start: 0, end: 0, score: null, null_score: 18 }) // prettier-ignore
    expect(answersOf({ predictions: logits, ...sources })[0]!.prediction_text).toBe('Ines left')
    expect(answersOf({ predictions: logits, ...sources }, { version2WithNegative: true })[0]).toMatchObject({ prediction_text: '', score: 2 }) // prettier-ignore
  })

  it.each([
    [{ nBestSize: 0 }, /nBestSize is 0; a whole number from 1/],
    [{ maxAnswerLength: 1.5 }, /maxAnswerLength is 1\.5/],
    [{ nullScoreDiffThreshold: 1 }, /version2WithNegative: true, or leave it out/],
    [{ version2WithNegative: 1 }, /version2WithNegative is 1; true or false/],
  ])('refuses %j', (options, message) => {
    expect(() => answersOf({ predictions, features, examples }, options as object)).toThrow(message)
  })

  it('refuses what does not belong together', () => {
    const of = (changed: object) => () => answersOf({ predictions, features, examples, ...changed })
    expect(of({ features: features.slice(1) })).toThrow(/There are \d+ features, but logits of \d+/)
    expect(of({ examples: examples.slice(1) })).toThrow(/Feature 0 is of the question 'r0', which is not among/)
    expect(of({ examples: [...examples, { id: 'other', context: '' }] })).toThrow(/'other' has no features/)
    expect(of({ features: features.map(({ example_id }) => ({ example_id })) })).toThrow(
      /Feature 0 has no offset_mapping/,
    )
    expect(of({ predictions: predictions[0] })).toThrow(/not two lists of logits/)
    expect(of({ predictions: [[[NaN]], [[0]]], features: features.slice(0, 1) })).toThrow(/feature 0 are NaN/)
    expect(of({ predictions: [[[1]], [[0]]], features: features.slice(0, 1) })).toThrow(
      /Feature 0 has \d+ tokens, but 1 logits/,
    )
    expect(of({ examples: [{ id: 'r0' }] })).toThrow(/Example 0 has no context/)
    expect(of({ examples: [...examples, examples[0]] })).toThrow(/Two of the examples have the id 'r0'/)
  })
})
