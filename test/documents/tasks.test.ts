// every program of docs/tasks.md is run, on a small model and some rows
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { env, type PipelineType, pipeline } from '@huggingface/transformers'
import { setLogLevel } from 'ts-trainer'
import { beforeAll, describe, expect, it } from 'vitest'
import { choices, entities, labelled, questions, type Rows, texts } from '../../scripts/examples/rows'
import { writeModel, writeRows } from '../../scripts/examples/run'
import { printedBy, programFolder } from '../helpers/snippets'
import { tasks, written } from './programs'

setLogLevel('error')
env.allowRemoteModels = false

const page = tasks.text
const folder = programFolder('tasks')
const programs = written(tasks, folder)

/** SQuAD v2's rows: every other question has no answer. */
function openQuestions(): Rows {
  const none = { text: [], answer_start: [] }
  return questions().map((row, at) => (at % 2 === 0 ? row : { ...row, answers: none }))
}

const data: Readonly<Record<string, Rows>> = {
  conll: entities(),
  squad: questions(),
  squad_v2: openQuestions(),
  swag: choices(),
  texts: texts(),
  reviews: labelled(['text'], 2),
}

/** What a program prints, call by call. */
const number = expect.any(Number) as number
const printed: Readonly<Record<string, readonly unknown[]>> = {
  Entities: [
    expect.objectContaining({ eval_overall_f1: number, eval_PER: expect.objectContaining({ f1: number, number: 16 }) }),
  ],
  Questions: [
    { exact_match: number, f1: number },
    expect.objectContaining({ exact: number, f1: number, NoAns_total: 8, HasAns_total: 8 }),
  ],
  'Multiple choice': [expect.objectContaining({ eval_accuracy: number })],
  'Masked words': ['perplexity'],
  Features: [[expect.any(Array), expect.any(Array)]],
  'Added tokens': [2, expect.arrayContaining(['<city>'])],
  'Reports of a classifier': [expect.stringMatching(/ bad .*\n.* good /), expect.any(Array), { roc_auc: number }],
}

/** What the programs printed, by their sections. */
const said = new Map<string, unknown[]>()

/** A text for each pipeline of transformers.js, and what it makes of it. */
const calls: Readonly<Record<string, { readonly given: readonly unknown[]; readonly found: unknown }>> = {
  'token-classification': { given: ['river stone'], found: expect.any(Array) },
  'question-answering': {
    given: ['What is with river?', 'river stone'],
    found: { answer: expect.any(String), score: number },
  },
  'fill-mask': { given: ['river [MASK]'], found: expect.arrayContaining([expect.objectContaining({ score: number })]) },
  'feature-extraction': { given: ['River', { pooling: 'mean' }], found: expect.objectContaining({ dims: [1, 64] }) },
  'text-classification': { given: ['river'], found: [{ label: expect.stringMatching(/^(bad|good)$/), score: number }] },
}

describe('docs/tasks.md', () => {
  beforeAll(async () => {
    const files = Object.entries(data).flatMap(([name, rows]) => [
      [`${name}/train`, rows] as const,
      [`${name}/validation`, rows] as const,
    ])
    await writeRows(Object.fromEntries(files), folder)
    await writeModel(data, join(folder, 'bert'))
  })

  it('has programs that are all run', () => {
    expect(programs.map(({ title }) => title)).toEqual(Object.keys(printed))
  })

  it.each(programs)('$title: runs', async ({ title, file }) => {
    const results = (await printedBy(file, folder)).map(([first]) => first)
    const expected = printed[title]!
    said.set(title, results.slice(-expected.length))
    expect(said.get(title)).toEqual(expected)
  })

  it.each([...page.matchAll(/`pipeline\('([\w-]+)', '(.+?)'\)`/g)].map(([, task, saved]) => [task!, saved!]))(
    'has a pipeline %s that opens %s',
    async (task, saved) => {
      const run = (await pipeline(task as PipelineType, join(folder, saved))) as unknown as (
        ...given: unknown[]
      ) => Promise<unknown>
      const { given, found } = calls[task]!
      expect(await run(...given)).toEqual(found)
    },
  )

  it("has means of features that are the pipeline's", async () => {
    const extract = await pipeline('feature-extraction', join(folder, 'out/features'))
    const [means] = said.get('Features') as number[][][]
    for (const [row, text] of ['A stone in the garden.', 'River'].entries()) {
      const [expected] = (await extract(text, { pooling: 'mean' })).tolist() as number[][]
      expect(Math.max(...expected!.map((value, i) => Math.abs(value - means![row]![i]!)))).toBeLessThan(1e-4)
    }
  })

  it('names scripts that there are', () => {
    const scripts = [...page.matchAll(/npx tsx ([\w/]+\.ts)/g)].map(([, script]) => script!)
    expect(scripts).toHaveLength(5)
    for (const script of scripts) expect(existsSync(join(import.meta.dirname, '../..', script)), script).toBe(true)
  })
})
