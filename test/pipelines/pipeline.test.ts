// what a pipeline is made of, what it takes and refuses, and calls that come in together
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  AutoModel,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  AutoTokenizer,
  getPeftModel,
  type LabelScore,
  type Pipelines,
  pipeline,
  setLogSink,
  Tensor,
  type Tokenizer,
} from '../../src/index'
import { choices } from '../../scripts/verify/randomTexts'
import { saveCase, type Subject } from '../../scripts/verify/pipelines'
import { MersenneTwister } from '../../src/random'
import { closeTo } from '../tasks/closeTo'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'

beforeEach(() => setLogSink(() => undefined))
afterEach(() => setLogSink(() => undefined))

const one = { threads: 1 }
const folderOf = async (task: Subject['task'], model: object = {}): Promise<string> =>
  (await saveCase({ task, kind: 'wordpiece', model, seed: 3 }, 0, temporaryFolder())).folder

/** Uses a pipeline, and frees it. */
async function using<Run extends { dispose(): Promise<void> }, T>(
  made: Promise<Run>,
  use: (run: Run) => Promise<T>,
): Promise<T> {
  const run = await made
  return use(run).finally(() => run.dispose())
}

describe('texts and their classes', () => {
  const named = { id2label: ['bad', 'good', 'odd'] }

  it('come in the shapes of transformers.js', async () => {
    const folder = await folderOf('text-classification', named)
    await using(pipeline('sentiment-analysis', folder, one), async classify => {
      const [best] = await classify('the car left')
      const all = await classify('the car left', { topK: null })
      expect(all.map(({ label }) => label).toSorted()).toEqual(['bad', 'good', 'odd'])
      expect(all.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6)
      expect(best).toEqual(all[0])
      expect(await classify(['the car left', 'night'])).toEqual(closeTo([best, ...(await classify('night'))], 6))
      expect(await classify(['the car left'], { topK: null })).toEqual(closeTo([all], 6))
      expect(await classify(['the car left'], { topK: 2 })).toEqual(closeTo([all.slice(0, 2)], 6))
      expect(await classify([])).toEqual([])
      const pair = await classify({ text: 'the car', text_pair: 'the night' })
      expect(await classify([['the car', 'the night'], 'the car'])).toEqual(
        closeTo([...pair, ...(await classify('the car'))], 6),
      )
      expect(classify.task).toBe('sentiment-analysis')
    })
  })

  it('are refused where they are none', async () => {
    const folder = await folderOf('text-classification', named)
    await using(pipeline('text-classification', folder, one), async classify => {
      const loose = classify as unknown as (...given: unknown[]) => Promise<unknown>
      await expect(loose(['a', null])).rejects.toThrow(
        "pipeline('text-classification') takes a text, a pair { text, text_pair }, or a list of these, but text 1 is null. Leave",
      )
      await expect(loose(3)).rejects.toThrow('but was given 3. Turn it into a text first')
      await expect(loose({ text: 'a', textPair: 'b' })).rejects.toThrow('{ text: …, text_pair: … }')
      await expect(loose('a', { topK: 0 })).rejects.toThrow('topK is 0; a whole number from 1, or null for all, was')
      await expect(loose('a', { functionToApply: 'relu' })).rejects.toThrow('one of softmax, sigmoid, none was')
      await expect(loose('a', {}, 1)).rejects.toThrow('was also given 1')
    })
  })

  it('are refused where the config does not name them', async () => {
    const folder = await folderOf('text-classification', named)
    const file = join(folder, 'config.json')
    const config = JSON.parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, JSON.stringify({ ...config, id2label: { 1: 'a', 2: 'b', 3: 'c' }, label2id: undefined }))
    await expect(pipeline('text-classification', folder, one)).rejects.toThrow(
      "the config's id2label has no name for label 0 of 3",
    )
  })
})

describe('a pipeline', () => {
  it('cuts where tokenizer and model do', async () => {
    const folder = await folderOf('feature-extraction')
    await using(pipeline('feature-extraction', folder, one), async extract => {
      const long = 'car '.repeat(100)
      expect((await extract(long)).dims).toEqual([1, 48, 16])
      extract.tokenizer.modelMaxLength = 500
      expect((await extract(long)).dims).toEqual([1, 52, 16])
      const [short, padded] = [await extract('car'), await extract(['car', long])]
      const size = short.data.length
      expect(Array.from(padded.data.subarray(0, size))).toEqual(closeTo(Array.from(short.data), 5))
      expect(padded.data.subarray(size, 52 * 16).every(value => value === 0)).toBe(true)
      expect((await extract([], { pooling: 'mean' })).dims).toEqual([0, 16])
    })
  })

  it('is made of a Trainer, a model with its tokenizer, and an adapter', async () => {
    const folder = await folderOf('text-classification', { numLabels: 3 })
    const tokenizer = await AutoTokenizer.fromPretrained(folder)
    const base = await AutoModelForSequenceClassification.fromPretrained(folder)
    const model = getPeftModel(base, { r: 2, initLoraWeights: false, targetModules: ['query', 'dense'] })
    const ask = async (made: Promise<Pipelines['text-classification']>): Promise<LabelScore[]> =>
      using(made, classify => classify('the car left', { topK: null }))
    const plain = await ask(pipeline('text-classification', folder, one))
    expect(await ask(pipeline('text-classification', base, { ...one, tokenizer }))).toEqual(plain)
    expect(await ask(pipeline('text-classification', base, { ...one, tokenizer: folder }))).toEqual(plain)
    expect(await ask(pipeline('text-classification', { model: base, tokenizer }, one))).toEqual(plain)
    const out = temporaryFolder()
    const trainer = quietTrainer({ model, args: { outputDir: out, threads: 1 }, processingClass: tokenizer })
    const adapted = await ask(pipeline('text-classification', trainer, one))
    expect(adapted).not.toEqual(closeTo(plain, 3))
    await trainer.saveModel()
    await trainer.dispose()
    expect(await ask(pipeline('text-classification', out, one))).toEqual(closeTo(adapted, 5))
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'])
      rmSync(join(out, name), { force: true }) // its base has one
    expect(await ask(pipeline('text-classification', out, one))).toEqual(closeTo(adapted, 5))
    writeFileSync(join(out, 'tokenizer.json'), '{ "model"') // its own, which is not replaced by the base's
    await expect(pipeline('text-classification', out, one)).rejects.toThrow(join(out, 'tokenizer.json'))
  })

  it('has the weights that a training has left', async () => {
    const folder = await folderOf('text-classification', { numLabels: 2 })
    const tokenizer = await AutoTokenizer.fromPretrained(folder)
    const model = await AutoModelForSequenceClassification.fromPretrained(folder)
    const rows = ['the car', 'night'].map((text, label) => ({ ...tokenizer(text), label }))
    const args = { outputDir: temporaryFolder(), threads: 1, learningRate: 0.01, maxSteps: 30 }
    const trainer = quietTrainer({ model, args, trainDataset: rows, processingClass: tokenizer })
    await trainer.train()
    const found = await using(pipeline('text-classification', trainer, one), classify => classify(['the car', 'night']))
    expect(found.map(({ label }) => label)).toEqual(['LABEL_0', 'LABEL_1'])
    await trainer.dispose()
  })
})

describe('what no pipeline is made of', () => {
  it('is named, with what would do', async () => {
    const folder = await folderOf('token-classification', { numLabels: 3 })
    const loose = pipeline as unknown as (...given: unknown[]) => Promise<unknown>
    await expect(loose('text-clasification', folder)).rejects.toThrow("Did you mean 'text-classification'?")
    await expect(loose('ner', folder, { batchSize: 0 })).rejects.toThrow('batchSize is 0; a whole number from 1')
    await expect(loose('ner', 3)).rejects.toThrow('is made of a folder, an id, a Trainer or a model, not of 3')
    await expect(loose('ner', {})).rejects.toThrow('not of {}')
    await expect(pipeline('text-classification', folder, one)).rejects.toThrow(
      /needs a model that was trained for sequence classification, but .* says BertForTokenClassification. Use pipeline\('token-classification', …\)/,
    )
    const sentences = await folderOf('text-classification', { numLabels: 3 }) // its weights have the names of ner's
    await expect(pipeline('ner', sentences, one)).rejects.toThrow("Use pipeline('text-classification', …)")
    await expect(loose('ner', folder, { device: 0 })).rejects.toThrow('device should be a text, but 0 was given.')
    await expect(loose('ner', folder, { topK: 3 })).rejects.toThrow(
      'Give it to each call: await classify(text, { topK: … })',
    )
    const model = await AutoModelForTokenClassification.fromPretrained(folder)
    await expect(pipeline('ner', model, one)).rejects.toThrow('was given a model, but no tokenizer. Give the option')
    await expect(pipeline('ner', { model, processingClass: undefined }, one)).rejects.toThrow(
      'a Trainer without processingClass',
    )
    const tokenizer = await AutoTokenizer.fromPretrained(folder)
    await expect(pipeline('fill-mask', { model, tokenizer }, one)).rejects.toThrow(
      "pipeline('fill-mask') needs a model for masked words, but BertForTokenClassification is one for token classification. Use pipeline('token-classification', …).",
    )
    await expect(pipeline('feature-extraction', { model, tokenizer }, one)).rejects.toThrow(
      'Save it, and give the folder',
    )
    await expect(pipeline('ner', model, { ...one, tokenizer: 3 as unknown as Tokenizer })).rejects.toThrow(
      'tokenizer is 3; a tokenizer or a folder was expected.',
    )
  })

  it('is loaded from nowhere else where it is there already', async () => {
    const folder = await folderOf('token-classification', { numLabels: 3 })
    const model = await AutoModelForTokenClassification.fromPretrained(folder)
    const tokenizer = await AutoTokenizer.fromPretrained(folder)
    await expect(pipeline('ner', model, { ...one, tokenizer, localFilesOnly: true })).rejects.toThrow(
      "pipeline('ner') was given localFilesOnly, but a model that is there already.",
    )
    await expect(pipeline('ner', model, { ...one, tokenizer: folder, revision: 'v1' })).rejects.toThrow(
      "pipeline('ner') was given revision, but a model",
    )
    const missing = { ...one, tokenizer: 'acme/none', localFilesOnly: true }
    await expect(pipeline('ner', model, missing)).rejects.toThrow(/acme\/none.*localFilesOnly/s)
    await expect(pipeline('ner', folder, missing)).rejects.toThrow(/acme\/none.*localFilesOnly/s)
  })

  it('is a folder whose head was not saved', async () => {
    const folder = await folderOf('text-classification', { numLabels: 2 })
    const encoder = temporaryFolder()
    await (await AutoModel.fromPretrained(folder)).savePretrained(encoder)
    const file = join(encoder, 'config.json')
    const config = JSON.parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, JSON.stringify({ ...config, architectures: ['BertForSequenceClassification'] }))
    const tokenizer = folder
    await expect(pipeline('text-classification', encoder, { ...one, tokenizer })).rejects.toThrow(
      /its config\.json says BertForSequenceClassification\. Train it first, or give another folder\.$/,
    )
  })

  it('is a graph of elsewhere', async () => {
    const folder = await folderOf('text-classification')
    const model = await AutoModel.fromOnnx(join(folder, 'onnx/model.onnx'))
    const loose = pipeline as unknown as (...given: unknown[]) => Promise<unknown>
    await expect(loose('text-classification', { model })).rejects.toThrow(
      'is made of a folder, an id, a Trainer or a model',
    )
  })

  it('is a folder without a tokenizer', async () => {
    const folder = await folderOf('text-classification')
    const bare = temporaryFolder()
    for (const name of ['config.json', 'model.safetensors']) cpSync(join(folder, name), join(bare, name))
    await expect(pipeline('text-classification', bare, one)).rejects.toThrow(/has no tokenizer/)
    const tokenizer = folder
    await using(pipeline('text-classification', bare, { ...one, tokenizer }), async classify => {
      expect(await classify('car')).toHaveLength(1)
    })
  })
})

describe('questions', () => {
  it('come one by one or in lists, and are refused where there are none', async () => {
    const folder = await folderOf('question-answering')
    await using(pipeline('question-answering', folder, one), async answer => {
      const [who, where] = [await answer('Who left?', 'Katya left.'), await answer('Where?', 'In Osaka the car left.')]
      expect('Katya left.'.slice(who.start, who.end)).toBe(who.answer)
      const both = await answer(['Who left?', 'Where?'], ['Katya left.', 'In Osaka the car left.'])
      expect(both).toEqual(closeTo([who, where], 6))
      expect(await answer(['Who left?'], 'Katya left.', { topK: 2 })).toEqual([expect.any(Array)])
      const none = await answer('Who left?', 'Katya left.', { topK: 50, handleImpossibleAnswer: true })
      expect(none).toContainEqual({ answer: '', score: expect.any(Number) as number, start: 0, end: 0 })
      const loose = answer as unknown as (...given: unknown[]) => Promise<unknown>
      await expect(loose('Who?', '')).rejects.toThrow('but context is empty')
      await expect(loose(['Who?', null], 'x')).rejects.toThrow('but question 1 is null')
      await expect(loose(['Who?', 'Where?'], ['x'])).rejects.toThrow('was given 1 contexts for 2 questions')
      await expect(loose('Who?', 'x', { docStride: 60 })).rejects.toThrow('it has to be less than maxSeqLen, 48')
      await expect(loose('Who?', 'x', { maxSeqLen: 600 })).rejects.toThrow('tokenizer and model take 48 tokens')
      await expect(loose('car '.repeat(80), 'x')).rejects.toThrow(/^the question: .* Set a smaller docStride/)
    })
  })
})

describe('64 calls at once', () => {
  const texts = ((random = choices(new MersenneTwister(64))) => Array.from({ length: 64 }, () => random.text()))()

  it.each(['text-classification', 'token-classification', 'feature-extraction'] as const)(
    '%s: each answer is the one that it has alone',
    async task => {
      const folder = await folderOf(task, task === 'feature-extraction' ? {} : { numLabels: 3 })
      await using(pipeline(task, folder, one), async run => {
        const ask = async (text: string): Promise<unknown> => {
          const found = await (run as unknown as (text: string) => Promise<object>)(text)
          return found instanceof Tensor ? found.tolist() : found
        }
        const together = await Promise.all(texts.map(text => ask(text)))
        for (const [at, text] of texts.entries()) expect(together[at]).toEqual(closeTo(await ask(text), 5))
      })
    },
  )

  it('are answered but for the one that cannot be', async () => {
    const folder = await folderOf('fill-mask')
    await using(pipeline('fill-mask', folder, one), async fill => {
      const outcomes = await Promise.allSettled(texts.map((_, at) => fill(at === 5 ? 'no mask' : `car [MASK] ${at}`)))
      expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1)
      expect(outcomes[5]).toMatchObject({ reason: { message: expect.stringContaining('no mask token') as string } })
    })
  })

  it('are refused where the pipeline is disposed of', async () => {
    const folder = await folderOf('text-classification')
    const classify = await pipeline('text-classification', folder, one)
    await classify.dispose()
    await classify.dispose()
    await expect(classify('car')).rejects.toThrow('The pipeline was disposed of. Make a new one.')
  })
})
