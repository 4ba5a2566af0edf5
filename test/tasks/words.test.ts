// rows of words with a label each, from the tokenizer to the entities that are counted
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Plain } from '../../scripts/reference/plainTensor'
import {
  alignLabels,
  AutoModelForTokenClassification,
  AutoTokenizer,
  DataCollatorForTokenClassification,
  entityLabels,
  entityReport,
  loadMetric,
  type PredictionOutput,
  setLogSink,
  type Tokenizer,
  type TokenizerOptions,
} from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { closeTo } from './closeTo'
import { expectLogits, pathOf, predict, read } from './support'

interface Row {
  readonly tokens: string[]
  readonly ner_tags: number[]
}

interface Tokenized {
  readonly input_ids: number[]
  readonly word_ids: (number | null)[]
  readonly labels: number[]
}

let said: string[] = []
beforeEach(() => {
  said = []
  setLogSink((_level, message) => void said.push(message))
})
afterEach(() => setLogSink(() => undefined))

/** As a dataset's map makes them. */
const tokenized = (tokenizer: Tokenizer, rows: readonly Row[], options: TokenizerOptions = {}): Tokenized[] =>
  rows.map(({ tokens, ner_tags: tags }) => {
    const encoded = tokenizer(tokens, { ...options, isSplitIntoWords: true, returnWordIds: true })
    return { ...encoded, word_ids: encoded.word_ids!, labels: alignLabels(encoded.word_ids!, tags) }
  })

describe('words of a byte-level tokenizer', () => {
  const rows = read<Row[]>('byteLevelWords', 'rows.json')
  const expected = read<{
    rows: (Tokenized & { tokens: string[] })[]
    batch: Record<string, Plain>
    output: { loss: Plain; logits: Plain }
  }>('byteLevelWords', 'expected.json')

  it('are refused where no blank would stand before each', async () => {
    const tokenizer = await AutoTokenizer.fromPretrained(pathOf('byteLevelWords', 'tokenizer-plain'))
    expect(() => tokenized(tokenizer, rows)).toThrow(
      /pre_tokenizer\.add_prefix_space is false.*, or set add_prefix_space in .*tokenizer-plain\/tokenizer_config\.json/s,
    )
  })

  it.each(['RobertaTokenizer', 'PreTrainedTokenizerFast'])('get one by addPrefixSpace, saved too: %s', async kind => {
    const folder = temporaryFolder()
    cpSync(pathOf('byteLevelWords', 'tokenizer-plain'), folder, { recursive: true })
    const file = join(folder, 'tokenizer_config.json')
    const { add_prefix_space: _, ...config } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    writeFileSync(file, JSON.stringify({ ...config, tokenizer_class: kind }))
    const tokenizer = await AutoTokenizer.fromPretrained(folder, { addPrefixSpace: true })
    const wanted = expected.rows.map(({ input_ids }) => ({ input_ids }))
    expect(tokenized(tokenizer, rows)).toMatchObject(wanted)
    const saved = temporaryFolder()
    await tokenizer.savePretrained(saved)
    expect(JSON.parse(readFileSync(join(saved, 'tokenizer_config.json'), 'utf8'))).toMatchObject({
      add_prefix_space: true,
    })
    expect(tokenized(await AutoTokenizer.fromPretrained(saved), rows)).toMatchObject(wanted)
    const without = await AutoTokenizer.fromPretrained(saved, { addPrefixSpace: false })
    expect(() => tokenized(without, rows)).toThrow(/addPrefixSpace: true/)
  })

  it('get their labels at their first tokens, and are a batch that a model reads', async () => {
    const folder = pathOf('byteLevelWords', 'model')
    const tokenizer = await AutoTokenizer.fromPretrained(folder)
    const features = tokenized(tokenizer, rows)
    const named = features.map(row => ({ ...row, tokens: tokenizer.convertIdsToTokens(row.input_ids) }))
    expect(named).toMatchObject(expected.rows)
    const collator = DataCollatorForTokenClassification(tokenizer)
    const batch = collator(features.map(({ input_ids, labels }) => ({ input_ids, labels })))
    for (const [name, { shape, data }] of Object.entries(expected.batch)) {
      expect(batch[name]!.dims).toEqual(shape)
      expect(Array.from(batch[name]!.data, Number), name).toEqual(data)
    }
    const model = await AutoModelForTokenClassification.fromPretrained(folder)
    const { predictions, metrics } = await predict(model, features, collator)
    expect(Math.abs(Number(metrics['test_loss']) / expected.output.loss.data[0]! - 1)).toBeLessThan(1e-5)
    expectLogits('logits', predictions, expected.output.logits)
  })
})

describe('words behind a limit of 20 tokens', () => {
  type Scores = Record<string, unknown> & { accuracy: number }
  const rows = read<Row[]>('truncatedWords', 'rows.json')
  const expected = read<
    {
      rows: { word_ids: (number | null)[]; labels: number[]; predicted: number[]; 'words lost': number }[]
    } & Record<string, Scores>
  >('truncatedWords', 'expected.json')
  const folder = pathOf('truncatedWords', 'model')

  async function run(): Promise<{ features: Tokenized[]; output: PredictionOutput; names: Record<number, string> }> {
    const tokenizer = await AutoTokenizer.fromPretrained(folder)
    const features = tokenized(tokenizer, rows, { truncation: true, maxLength: 20 })
    const model = await AutoModelForTokenClassification.fromPretrained(folder)
    const output = await predict(model, features, DataCollatorForTokenClassification(tokenizer))
    return { features, output, names: model.config.id2label! }
  }

  /** Both ways to count: as an object of all scores and by the metric, which has the accuracy. */
  function expectScores(wanted: Scores, predictions: string[][], references: string[][]): void {
    const { accuracy, ...report } = wanted
    expect(entityReport(references, predictions, { outputDict: true })).toEqual(closeTo(report))
    const scores = loadMetric('seqeval').compute({ predictions, references })
    expect(scores.overall_accuracy).toBeCloseTo(accuracy, 8)
    expect(scores.overall_f1).toBeCloseTo((report['micro avg'] as Record<string, number>)['f1-score']!, 8)
  }

  it('are told of', async () => {
    const tokenizer = await AutoTokenizer.fromPretrained(folder)
    tokenizer(
      rows.map(({ tokens }) => tokens),
      { truncation: true, maxLength: 20, isSplitIntoWords: true },
    )
    expect(said[0]).toMatch(/^32 words of 4 of 5 texts lie behind the limit of 20 tokens/)
  })

  it('are no part of what a model is scored by', async () => {
    const { features, output, names } = await run()
    const wanted = expected.rows
    expect(features.map(row => row.word_ids)).toEqual(wanted.map(row => row.word_ids))
    expect(features.map(row => row.labels)).toEqual(wanted.map(row => row.labels))
    const classes = output.predictions.argmax(-1).tolist() as number[][]
    expect(classes.map((row, at) => row.slice(0, wanted[at]!.predicted.length))).toEqual(
      wanted.map(row => row.predicted),
    )
    const { predictions, references } = entityLabels({ predictions: output.predictions, labels: output.labels! }, names)
    expectScores(expected["kept words (what Python's script reports)"]!, predictions as string[][], references as string[][]) // prettier-ignore
  })

  it('count as O where all words are scored', async () => {
    const { features, output, names } = await run()
    const kept = entityLabels({ predictions: output.predictions, labels: output.labels! }, names).predictions
    const all = rows.map(({ ner_tags: tags }) => tags.map(tag => names[tag]!))
    const lost = features.map(({ word_ids: ids }, row) => all[row]!.length - 1 - Math.max(...ids.map(id => id ?? -1)))
    expect(lost).toEqual(expected.rows.map(row => row['words lost']))
    const filled = kept.map((row, at) => [...row, ...new Array<string>(lost[at]!).fill('O')])
    expectScores(expected['all words, the lost ones O (what is true of the data)']!, filled, all)
  })
})
