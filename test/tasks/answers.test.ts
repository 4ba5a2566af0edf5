// questions, some without an answer: windows, answers and their scores
import { expect, it } from 'vitest'
import { type AnswerOptions, answersOf, AutoTokenizer, loadMetric, squadFeatures } from '../../src/index'
import { closeTo } from './closeTo'
import { pathOf, read } from './support'

interface Row {
  readonly id: string
  readonly question: string
  readonly context: string
  readonly answers: { readonly text: string[]; readonly answer_start: number[] }
}
interface Window {
  readonly example_id: string
  readonly input_ids: number[]
  readonly start_logits: number[]
  readonly end_logits: number[]
}
interface Found {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly 'null score': number
  readonly 'best score': number | null
}
interface Expected {
  readonly predictions: Record<string, Found>
  readonly 'squad_v2 metrics, scores = null score - best score': object
}

const rows = read<Row[]>('noAnswer', 'rows.json')
const windows = read<Window[]>('noAnswer', 'features.json')
const expected = read<Record<string, Expected>>('noAnswer', 'expected.json')
const columnsOf = (list: readonly object[]): Record<string, unknown[]> =>
  Object.fromEntries(Object.keys(list[0]!).map(name => [name, list.map(row => row[name as never])]))
const optionsOf: Record<string, AnswerOptions> = {
  v1: {},
  v2: { version2WithNegative: true },
  'v2, threshold 2.5': { version2WithNegative: true, nullScoreDiffThreshold: 2.5 },
  'v2, threshold -6': { version2WithNegative: true, nullScoreDiffThreshold: -6 },
  'v2, nBest 3, maxAnswerLength 4': { version2WithNegative: true, nBestSize: 3, maxAnswerLength: 4 },
  'v1, nBest 3': { nBestSize: 3 },
}

it('every case of the fixture is run', () => {
  expect(Object.keys(optionsOf)).toEqual(Object.keys(expected))
})

it.each(Object.entries(expected))('questions without an answer: %s', async (name, { predictions, ...scores }) => {
  const tokenizer = await AutoTokenizer.fromPretrained(pathOf('noAnswer', 'tokenizer'))
  const columns = squadFeatures(columnsOf(rows), tokenizer, { maxLength: 40, stride: 8 })
  expect(columns.input_ids).toEqual(windows.map(window => window.input_ids))
  const features = columns.example_id!.map((example_id, at) => ({
    example_id,
    offset_mapping: columns.offset_mapping[at],
  }))
  const logits = [windows.map(window => window.start_logits), windows.map(window => window.end_logits)]
  const found = answersOf({ predictions: logits, features, examples: rows }, optionsOf[name])
  const told = found.map(({ id, prediction_text: text, start, end, score, null_score: none }) => {
    const rounded = (value: number | null): number | null => (value === null ? null : Number(value.toFixed(3)))
    return [id, { text, start, end, 'null score': rounded(none), 'best score': rounded(score) }]
  })
  expect(Object.fromEntries(told)).toEqual(predictions)
  // how sure there is no answer need not be a probability: here the difference of the two scores
  const answers = found.map(({ id, prediction_text: text, score, null_score: none }) => ({
    id,
    prediction_text: text,
    no_answer_probability: Number((none - (score ?? 0)).toFixed(3)),
  }))
  const wanted = scores['squad_v2 metrics, scores = null score - best score']
  expect(loadMetric('squad_v2').compute({ predictions: answers, references: rows })).toEqual(closeTo(wanted, 6))
})
