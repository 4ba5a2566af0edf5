import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  AutoModelForMaskedLM,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  AutoTokenizer,
  DataCollatorWithPadding,
  Dataset,
  type PreTrainedModel,
} from '../../src/index'
import { setLogSink } from '../../src/logging'
import { fixtures } from '../helpers/oracle'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { createTrainer, tinyModel } from '../trainer/support'

interface Case {
  readonly name: string
  /** The rows that are new, by parameter. */
  readonly added: Record<string, number[][] | number[]>
  readonly grown: number[][][]
  readonly shrunk: number[][][]
}

// What resize_token_embeddings of transformers 5.24 does: 23 words become 26 (25, padded to a multiple of 2), or 15.
const { ids, cases } = JSON.parse(readFileSync(join(fixtures, 'resize.json'), 'utf8')) as {
  ids: number[][]
  cases: Case[]
}

const load = ({ name }: Case): Promise<PreTrainedModel> =>
  (name.endsWith('classification') ? AutoModelForTokenClassification : AutoModelForMaskedLM).fromPretrained(
    join(fixtures, name),
  )

async function logitsOf(model: PreTrainedModel, rows: readonly (readonly number[])[]): Promise<number[]> {
  const trainer = createTrainer({}, { model })
  const dataset = Dataset.fromRows(rows.map(input_ids => ({ input_ids: [...input_ids] })))
  const { predictions } = await trainer.predict(dataset)
  return [...(predictions as { data: Float32Array }).data]
}

function expectNear(given: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(given).toHaveLength(expected.length)
  const far = given.findIndex((value, at) => Math.abs(value - expected[at]!) > tolerance)
  expect(far, `${given[far]} where ${expected[far]} was expected`).toBe(-1)
}

beforeAll(() => setLogSink(() => undefined))

describe.each(cases)('$name', one => {
  it('gets the rows that it gets in Python, and keeps the old ones', async () => {
    const before = await load(one)
    const model = await load(one)
    expect(model.resizeTokenEmbeddings(25, { padToMultipleOf: 2 })).toBe(26)
    expect(model.config['vocab_size']).toBe(26)
    const changed = [...model.parameters].filter(([name, { dims }]) => dims[0] !== before.parameter(name).dims[0])
    for (const [name, { data, dims }] of changed) {
      const old = before.parameter(name).data
      expect(dims[0]).toBe(26)
      expect(data.subarray(0, old.length)).toEqual(old)
      // Python lists a bias under its module's name, or the decoder's
      const wanted = one.added[name] ?? one.added[name.replace('decoder.', '')]!
      expectNear([...data.subarray(old.length)], wanted.flat(), 1e-4)
    }
    expect(changed.length).toBe(Object.keys(one.added).length)
    expectNear(await logitsOf(model, ids), one.grown.flat(2), 1e-3)
  })

  it('loses rows as in Python', async () => {
    const model = await load(one)
    expect(model.resizeTokenEmbeddings(15)).toBe(15)
    const short = ids.map(row => row.slice(0, 3))
    expectNear(await logitsOf(model, short), one.shrunk.flat(2), 1e-5)
  })
})

describe('resizeTokenEmbeddings', () => {
  it('draws no two rows alike, the same for the same seed; without the mean they are those of a new model', () => {
    const grown = (options: object): Float32Array => {
      const model = tinyModel()
      model.resizeTokenEmbeddings(33, options)
      return model.parameter('bert.embeddings.word_embeddings.weight').data.slice(30 * 8)
    }
    expect(grown({})).toEqual(grown({ seed: 42 }))
    expect(grown({})).not.toEqual(grown({ seed: 1 }))
    expect(grown({}).slice(0, 8)).not.toEqual(grown({}).slice(8, 16))
    const random = AutoModelForSequenceClassification.fromConfig({ ...tinyModel().config, vocab_size: 33 })
    expect(grown({ meanResizing: false })).toEqual(
      random.parameter('bert.embeddings.word_embeddings.weight').data.slice(30 * 8),
    )
  })

  it('draws with the covariance of the old rows, times 1e-9', () => {
    const model = tinyModel()
    model.resizeTokenEmbeddings(20_030)
    const { data } = model.parameter('bert.embeddings.word_embeddings.weight')
    const mean = (column: number, start: number, end: number): number => {
      let sum = 0
      for (let row = start; row < end; row++) sum += data[row * 8 + column]!
      return sum / (end - start)
    }
    const covariance = (a: number, b: number, start: number, end: number): number => {
      const [first, second] = [mean(a, start, end), mean(b, start, end)]
      let sum = 0
      for (let row = start; row < end; row++) sum += (data[row * 8 + a]! - first) * (data[row * 8 + b]! - second)
      return sum / (end - start)
    }
    for (const [a, b] of [
      [0, 0],
      [3, 3],
      [0, 1],
      [2, 5],
    ] as const) {
      const scale = Math.sqrt(covariance(a, a, 0, 30) * covariance(b, b, 0, 30))
      expect(Math.abs(covariance(a, b, 30, 20_030) * 1e9 - covariance(a, b, 0, 30))).toBeLessThan(0.1 * scale)
    }
  })

  it('keeps what is frozen, and changes nothing where the number is the same', () => {
    const model = tinyModel()
    model.freeze('bert.embeddings')
    const table = model.parameter('bert.embeddings.word_embeddings.weight')
    expect(model.resizeTokenEmbeddings()).toBe(30)
    expect(model.parameter('bert.embeddings.word_embeddings.weight')).toBe(table)
    model.resizeTokenEmbeddings(undefined, { padToMultipleOf: 64 })
    expect(model.config['vocab_size']).toBe(64)
    const frozen = model.definition.parameters.filter(({ trainable }) => !trainable).map(({ name }) => name)
    expect(frozen).toContain('bert.embeddings.word_embeddings.weight')
  })

  it('refuses what is no number of words', () => {
    const model = tinyModel()
    const untyped = model as unknown as { resizeTokenEmbeddings(...given: unknown[]): unknown }
    for (const wrong of [0, -3, 2.5, '40', NaN, 2 ** 40])
      expect(() => untyped.resizeTokenEmbeddings(wrong)).toThrow(
        /The number of tokens has to be a whole number above 0, not .*: tokenizer\.length\./,
      )
    expect(() => untyped.resizeTokenEmbeddings(40, { pad_to_multiple_of: 8 })).toThrow(/Did you mean padToMultipleOf\?/)
    expect(() => untyped.resizeTokenEmbeddings(40, { padToMultipleOf: 0 })).toThrow(/padToMultipleOf has to be/)
    expect(() => untyped.resizeTokenEmbeddings(40, { meanResizing: 1 })).toThrow(/meanResizing/)
    const padded = tinyModel({ pad_token_id: 20 })
    expect(() => padded.resizeTokenEmbeddings(10)).toThrow(/pad_token_id/)
    expect(padded.config['vocab_size']).toBe(30)
  })
})

it('a model learns words that were added, and is the same when its folder is read again', async () => {
  const tokenizer = await AutoTokenizer.fromPretrained(join(fixtures, '../data/bert-tiny'))
  const size = tokenizer.getVocab().size
  const texts = Array.from({ length: 16 }, (_, row) => ({ text: `a ${row % 2 ? '<yes>' : '<no>'} b`, label: row % 2 }))
  const rows = Dataset.fromRows(texts)
  const encoded = () => rows.map(({ text, label }) => ({ ...tokenizer(text), label }), { removeColumns: ['text'] })
  const model = tinyModel({ vocab_size: size })
  const trainerOf = async () =>
    quietTrainer({
      model,
      args: { outputDir: temporaryFolder(), maxSteps: 40, learningRate: 0.01, saveStrategy: 'no', threads: 1 },
      trainDataset: await encoded(),
      dataCollator: DataCollatorWithPadding(tokenizer),
      processingClass: tokenizer,
    })
  const before = await trainerOf()
  await before.train() // without the words: the weights lie where it trains
  expect(tokenizer.addTokens(['<yes>', '<no>'])).toBe(2)
  const trainer = await trainerOf()
  await expect(trainer.train()).rejects.toThrow(/call model\.resizeTokenEmbeddings\(tokenizer\.length\)/)
  model.resizeTokenEmbeddings(tokenizer.length) // the advice, and the same Trainer goes on
  await before.dispose()
  expect(model.parameter('bert.embeddings.word_embeddings.weight').dims).toEqual([size + 2, 8])
  await trainer.train()
  model.resizeTokenEmbeddings(size + 3)
  const { predictions } = await trainer.predict(await encoded())
  expect((predictions as unknown as { argmax(axis: number): { tolist(): unknown } }).argmax(-1).tolist()).toEqual(
    texts.map(({ label }) => label),
  )
  const folder = temporaryFolder()
  await trainer.saveModel(folder)
  await trainer.dispose()
  const again = await AutoModelForSequenceClassification.fromPretrained(folder)
  expect(again.config['vocab_size']).toBe(size + 3)
  for (const [name, { data }] of model.parameters) expect(again.parameter(name).data).toEqual(data)
  expect((await AutoTokenizer.fromPretrained(folder))('a <yes> b').input_ids).toEqual(tokenizer('a <yes> b').input_ids)
})

it('a resize in the middle of a run ends it, with what to do', async () => {
  const model = tinyModel()
  const trainer = createTrainer({ maxSteps: 3 }, { model })
  trainer.addCallback({ onStepEnd: () => void model.resizeTokenEmbeddings(40) })
  await expect(trainer.train()).rejects.toThrow(/resized in the middle of its training.*before train\(\)/s)
  await trainer.dispose()
})
