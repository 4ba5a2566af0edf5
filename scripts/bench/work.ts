// options → rows and weights in files that both sides read
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensors } from '../../src/files/writeSafetensors'
import { AutoModelForSequenceClassification, AutoTokenizer, loadDataset, type ModelConfig } from '../../src/index'
import { checkShape, configOf, dropoutOf, hasSegments } from './families'
import type { FlopShape } from './flops'
import { type BenchOptions, columns, shapes } from './options'

/** What is trained on, and what. */
export interface Work {
  /** Folders of config and weights, and of the tokenizer. */
  readonly model: string
  readonly tokenizer: string
  /** The file of rows. */
  readonly rows: string
  readonly rowCount: number
  readonly numLabels: number
  readonly flops: FlopShape
  /** The config's probabilities of dropout: 0.1 each, and 0 each. */
  readonly dropout: Readonly<Record<string, number>>
  readonly noDropout: Readonly<Record<string, number>>
  /** Where rows and weights come from, in words. */
  readonly sources: readonly string[]
}

const examples = join(import.meta.dirname, '../../examples/data')
const maxLength = 128

/** Tokenizes the task's rows, and puts a model with its head into a folder. */
export async function prepareWork(options: BenchOptions, folder: string): Promise<Work> {
  const tokenizer =
    options.model !== undefined && existsSync(join(options.model, 'tokenizer.json'))
      ? options.model
      : join(examples, 'tokenizer')
  const target = join(folder, 'model')
  const { label, ...encoded } = await prepareRows(options, tokenizer)
  const numLabels = options.task === 'stsb' ? 1 : new Set(label).size
  const { config } = await prepareModel(options, numLabels, target)
  const { token_type_ids: segments, ...others } = encoded
  const rows = join(folder, 'rows.json')
  writeFileSync(rows, JSON.stringify({ ...others, ...(hasSegments(config) && { token_type_ids: segments }), label }))
  const { layers, width } = shapes[options.shape]
  return {
    model: target,
    tokenizer,
    rows,
    rowCount: label.length,
    numLabels,
    flops: { layers, width, innerWidth: 4 * width, labels: numLabels },
    dropout: dropoutOf(config, 0.1),
    noDropout: dropoutOf(config, 0),
    sources: [
      options.data === undefined
        ? `rows: the quick start's sentences${options.fallback ? ', since GLUE is not here (--data)' : ''}`
        : `rows: GLUE's ${options.task}, whole training file`,
      options.model === undefined
        ? `weights: random, ${options.family} of the shape ${layers}×${width}, seed 42`
        : 'weights: those of the folder, with a new head, seed 42',
    ],
  }
}

async function prepareRows(
  { task, data, length }: BenchOptions,
  tokenizerFolder: string,
): Promise<Record<string, (number | number[])[]> & { label: number[] }> {
  const dataset = data === undefined ? await loadDataset(join(examples, 'sentiment')) : await loadDataset(data, task)
  const tokenizer = await AutoTokenizer.fromPretrained(tokenizerFolder)
  const [first, second] = columns[task]!
  const texts = dataset.train.column(first) as string[]
  const encoded = tokenizer(texts, second === undefined ? undefined : (dataset.train.column(second) as string[]), {
    truncation: true,
    maxLength: length ?? maxLength,
  }) as unknown as Record<string, ArrayLike<number>[]>
  const label = Array.from(dataset.train.column('label') as ArrayLike<number>)
  const plain = Object.entries(encoded).map(([name, values]) => [
    name,
    values.map(row => filled(Array.from(row), length ?? row.length)),
  ])
  return { ...(Object.fromEntries(plain) as Record<string, number[][]>), label }
}

/** A row's numbers, repeated until there are so many. */
function filled(row: readonly number[], length: number): number[] {
  return Array.from({ length }, (_, i) => row[i % row.length]!)
}

async function prepareModel(
  options: BenchOptions,
  numLabels: number,
  target: string,
): Promise<{ config: ModelConfig }> {
  const model =
    options.model === undefined
      ? AutoModelForSequenceClassification.fromConfig(configOf(options.family, options.shape), { numLabels, seed: 42 })
      : await AutoModelForSequenceClassification.fromPretrained(options.model, { numLabels, seed: 42 })
  checkShape(model.config, options.family, options.shape, options.model)
  mkdirSync(target)
  writeFileSync(join(target, 'config.json'), JSON.stringify(model.config))
  await writeSafetensors(join(target, 'model.safetensors'), model.parameters)
  return model
}
