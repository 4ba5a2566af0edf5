import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoTokenizer, Dataset, squadFeatures, type SquadOptions, type Tokenizer } from '../../src/index'

const read = (name: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../fixtures/spans/${name}.json`, import.meta.url)), 'utf8'))

interface Row {
  readonly id: string
  readonly question: string
  readonly context: string
  readonly answers: { readonly text: string[]; readonly answer_start: number[] }
}

/** A window as Python makes it. */
interface Window {
  readonly example_id: string
  readonly input_ids: number[]
  readonly start_positions: number
  readonly end_positions: number
  readonly offset_mapping: ([number, number] | null)[]
}

const fuzzed = read('cases') as {
  rows: Row[]
  features: Record<string, { maxLength: number; stride: number; rows: Window[] }>
}
const squad = read('squad') as {
  rows: Row[]
  bad: Row[]
  utf16: Record<string, number[]>
  features: Record<string, Window[]>
}
const kinds = ['wordpiece', 'bytelevel', 'metaspace'] as const

const columnsOf = (rows: readonly object[]): Record<string, unknown[]> =>
  Object.fromEntries(Object.keys(rows[0]!).map(name => [name, rows.map(row => row[name as never])]))

const load = (kind: string): Promise<Tokenizer> =>
  AutoTokenizer.fromPretrained(fileURLToPath(new URL(`../fixtures/spans/${kind}`, import.meta.url)))

describe('squadFeatures', () => {
  it.each(kinds)("makes run_qa.py's windows, with positions that fit: %s", async kind => {
    const { rows: windows, ...lengths } = fuzzed.features[kind]!
    const made = squadFeatures(columnsOf(fuzzed.rows), await load(kind), lengths)
    expect(made).toMatchObject(columnsOf(windows))
  })

  it.each(kinds)('finds answers among signs of several units, marks and blanks: %s', async kind => {
    const windows = squad.features[kind]!
    const tokenizer = await load(kind)
    for (const answerStarts of ['codePoints', 'utf16'] as const) {
      const rows = squad.rows.map(row => ({
        ...row,
        answers: answerStarts === 'utf16' ? { ...row.answers, answer_start: squad.utf16[row.id]! } : row.answers,
      }))
      expect(squadFeatures(columnsOf(rows), tokenizer, { answerStarts, stride: 8 })).toMatchObject(columnsOf(windows))
    }
  })

  const [ines, when] = [squad.bad[0]!, squad.bad[1]!]
  let tokenizer: Tokenizer
  beforeAll(async () => {
    tokenizer = await load('wordpiece')
  })
  const of = (row: object, options?: SquadOptions) => () => squadFeatures(columnsOf([row]), tokenizer, options)

  it.each([
    ['off by two', /"off by two"|'off by two': the context does not have the answer "Ines" at answer_start 5\. It has it once, at 3\. Where answer_start counts UTF-16 units, as JavaScript does, set answerStarts: 'utf16'/], // prettier-ignore
    ['behind the end', /'behind the end': the context does not have the answer "in 1987" at answer_start 999\. It has it once, at 25\.$/],
    ['not in the text', /'not in the text': the context does not have the answer "in 2049" at answer_start 3\. It does not have it at all/],
    ['negative', /'negative': the context does not have the answer "" at answer_start -1\. .* empty lists/],
    ['text without start', /'text without start': the context does not have the answer "in 1987" at answer_start, which is missing\. It has it once, at 25\./],
  ])('refuses a row that is %s', (id, message) => {
    expect(of(squad.bad.find(row => row.id === id)!)).toThrow(message)
  }) // prettier-ignore

  it('refuses starts in UTF-16 without a word, and says both ways how they are counted', () => {
    const row = { ...ines, answers: { text: ['Ines'], answer_start: [5] } }
    expect(of(row)).toThrow(/set answerStarts: 'utf16'/)
    expect(of({ ...row, answers: { text: ['Ines'], answer_start: [3] } }, { answerStarts: 'utf16' })).toThrow(
      /It has it once, at 5\. Where answer_start counts Unicode's code points, as Python does, set answerStarts: 'codePoints'/,
    )
  })

  it('refuses other rows that cannot be right', () => {
    const answers = (text: unknown[], answer_start: unknown[]): object => ({ ...when, answers: { text, answer_start } })
    expect(of(answers(['n'], [0]))).toThrow(/It has it in several places/)
    expect(of(answers([], [3]))).toThrow(/the answer that is missing at answer_start 3/)
    expect(of(answers(['Vandelay', 'x'], [0, 0]))).toThrow(/does not have the answer "x" at answer_start 0/)
    expect(of({ ...when, answers: null })).toThrow(/has null as its answers.*empty lists/)
    expect(of({ ...when, question: null })).toThrow(/has null as its question; a text was expected/)
    expect(of({ id: 'a', question: 'Who?' })).toThrow(/no column 'context'.*names yours so\.$/)
    expect(() => squadFeatures({ question: 'Who?', context: 'Ines' }, tokenizer)).toThrow(
      'takes batches of rows, but was given one row. Say dataset.map(…, { batched: true, removeColumns',
    )
  })

  it("leaves out what Python's lstrip leaves out before a question", () => {
    const questions: string[] = []
    const asked = Object.assign(
      (texts: string | readonly string[]) => {
        questions.push(...texts)
        return { input_ids: [], offset_mapping: [], sequence_ids: [], overflow_to_sample_mapping: [] }
      },
      { modelMaxLength: 64, paddingSide: 'right' as const, clsTokenId: 0, bosTokenId: undefined },
    )
    const question = ['\u0085\u001c\u3000 Who? ', '\ufeff Who?', ' \n', '\u200b 😀']
    squadFeatures({ question, context: question.map(() => 'Ines') }, asked)
    expect(questions).toEqual(['Who? ', '\ufeff Who?', '', '\u200b 😀'])
  })

  it('refuses lengths that are none, and padding on the left', () => {
    expect(of(ines, { maxLength: 0 })).toThrow(/maxLength is 0/)
    expect(of(ines, { stride: -1 })).toThrow(/stride is -1/)
    expect(of(ines, { answerStarts: 'bytes' as never })).toThrow(/answerStarts is 'bytes'/)
    tokenizer.paddingSide = 'left'
    expect(of(ines)).toThrow(/paddingSide = 'right'/)
    expect(() => squadFeatures(ines, undefined as never)).toThrow(/needs a tokenizer, but was given undefined/)
    tokenizer.paddingSide = 'right'
    // the context has 20 tokens, a window room for 18 of them: the largest stride leaves it one new token
    const long = squad.rows[1]!
    expect(squadFeatures(columnsOf([long]), tokenizer, { maxLength: 24, stride: 17 }).input_ids.length).toBe(3)
    expect(of(long, { maxLength: 24, stride: 18 })).toThrow(/'q1': Of maxLength 24, .*smaller stride/)
    expect(of(long, { maxLength: 5, stride: 0 })).toThrow(/'q1': .*Set a larger maxLength/)
  })

  it('makes features of a dataset by map, without positions and ids where rows have none', async () => {
    const rows = squad.rows.slice(0, 3)
    const dataset = Dataset.fromRows(rows)
    const features = await dataset.map(batch => squadFeatures(batch, tokenizer, { stride: 8 }), {
      batched: true,
      batchSize: 2,
      removeColumns: dataset.columnNames as never[],
    })
    expect(features.toArray()).toMatchObject(squad.features.wordpiece!.slice(0, 3))
    const plain = squadFeatures(columnsOf(rows.map(({ question, context }) => ({ question, context }))), tokenizer)
    expect(Object.keys(plain)).toEqual(['input_ids', 'attention_mask', 'offset_mapping'])
  })
})
