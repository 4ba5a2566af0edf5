/**
 * Pipelines beside transformers.js's, on the same folder and texts in one run, in alternating rounds: all texts in one
 * call, and 64 callers at once who each ask for one text after another (p50 and p99 of an answer's time, and samples/s).
 *
 * Run: npm run bench:pipelines -- [--shape minilm] [--texts 256] [--rounds 3] [--data DIR of GLUE's MRPC]
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { env, pipeline as theirPipeline } from '@huggingface/transformers'
import { AutoModelForSequenceClassification, AutoTokenizer, loadDataset, pipeline, setLogLevel } from '../src/index'
import { describeMachine, load } from './bench/machine'
import { shapes } from './bench/options'

type Ask = (texts: string | string[]) => Promise<unknown>

const root = join(import.meta.dirname, '..')
const callers = 64

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      shape: { type: 'string', default: 'minilm' },
      texts: { type: 'string', default: '256' },
      rounds: { type: 'string', default: '3' },
      data: { type: 'string' },
    },
  })
  setLogLevel('error')
  env.allowRemoteModels = false
  const folder = mkdtempSync(join(tmpdir(), 'bench-pipelines-'))
  try {
    await saveModel(values.shape as keyof typeof shapes, folder)
    const texts = await textsOf(values.data, Number(values.texts))
    const ours = await pipeline('text-classification', folder)
    const theirs = (await theirPipeline('text-classification', folder, { dtype: 'fp32' })) as unknown as Ask
    const asks = { ours: ours as unknown as Ask, theirs }
    console.log(
      `${describeMachine()}; load average ${load()}; ${values.shape}, ${texts.length} texts, ${values.rounds} rounds`,
    )
    await compare(asks, texts, Number(values.rounds))
    await ours.dispose()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function saveModel(shape: keyof typeof shapes, folder: string): Promise<void> {
  const { layers, width, heads } = shapes[shape]
  const tokenizer = await AutoTokenizer.fromPretrained(join(root, 'examples/data/tokenizer'))
  const model = AutoModelForSequenceClassification.fromConfig(
    {
      model_type: 'bert',
      vocab_size: tokenizer.length,
      hidden_size: width,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      intermediate_size: 4 * width,
      max_position_embeddings: 512,
    },
    { numLabels: 2 },
  )
  await model.savePretrained(folder)
  await tokenizer.savePretrained(folder)
}

/** MRPC's first sentences where they are, else texts as long as they are: 10 to 40 words of the quick start's. */
async function textsOf(data: string | undefined, count: number): Promise<string[]> {
  const path = data ?? join(root, 'examples/data/sentiment')
  if (!existsSync(path)) throw new Error(`There is no ${path}.`)
  const rows = await loadDataset(path)
  const train = rows['train']!
  const column = train.columnNames.includes('sentence1') ? 'sentence1' : 'sentence'
  const sentences = Array.from(train.column(column) as ArrayLike<unknown>, String)
  if (column === 'sentence1') return sentences.slice(0, count)
  const words = sentences.join(' ').split(/\s+/)
  const lengths = Array.from({ length: count }, (_, at) => 10 + ((at * 7919) % 31))
  let first = 0
  return lengths.map(length => words.slice(first, (first += length)).join(' '))
}

async function compare(asks: Readonly<Record<'ours' | 'theirs', Ask>>, texts: string[], rounds: number): Promise<void> {
  for (const ask of Object.values(asks)) await ask(texts.slice(0, 64))
  const found: Record<string, number[]> = {}
  const keep = (name: string, value: number): void => void (found[name] ??= []).push(value)
  for (let round = 0; round < rounds; round++)
    for (const [who, ask] of Object.entries(asks)) {
      const before = process.cpuUsage()
      keep(`${who}, one call: samples/s`, texts.length / (await seconds(() => ask(texts))))
      const { user, system } = process.cpuUsage(before)
      keep(`${who}, one call: processor ms/text`, (user + system) / 1000 / texts.length)
      keep(`${who}, calls of 32: samples/s`, texts.length / (await seconds(() => inTurn(ask, texts, 32))))
      keep(`${who}, one text a call: samples/s`, texts.length / (await seconds(() => inTurn(ask, texts, 1))))
      const times: number[] = []
      keep(`${who}, ${callers} callers: samples/s`, texts.length / (await seconds(() => atOnce(ask, texts, times))))
      times.sort((a, b) => a - b)
      keep(`${who}, ${callers} callers: p50 ms`, times[Math.floor(times.length * 0.5)]!)
      keep(`${who}, ${callers} callers: p99 ms`, times[Math.floor(times.length * 0.99)]!)
    }
  for (const [name, values] of Object.entries(found).toSorted())
    console.log(`${name}: ${median(values).toFixed(1)} (${values.map(value => value.toFixed(1)).join(', ')})`)
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return (performance.now() - startedAt) / 1000
}

async function inTurn(ask: Ask, texts: string[], size: number): Promise<void> {
  for (let first = 0; first < texts.length; first += size)
    await ask(size === 1 ? texts[first]! : texts.slice(first, first + size))
}

/** Callers who each ask for the next text that nobody has asked for, until there is none. */
async function atOnce(ask: Ask, texts: readonly string[], times: number[]): Promise<void> {
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < texts.length) {
      const text = texts[next++]!
      times.push(1000 * (await seconds(() => ask(text))))
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

void main()
