// options → rows and weights in files that both sides read
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensors } from '../../src/files/writeSafetensors'
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  loadDataset,
  type ModelConfig,
  TrainerError,
} from '../../src/index'
import type { FlopShape } from './flops'
import { type BenchOptions, columns, type ShapeName, shapes } from './options'

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
  const { rows, rowCount, numLabels } = await prepareRows(options, tokenizer, folder)
  const target = join(folder, 'model')
  const { config } = await prepareModel(options, numLabels, target)
  const names = Object.hasOwn(config, 'dropout')
    ? ['dropout', 'attention_dropout', 'seq_classif_dropout']
    : ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'classifier_dropout']
  const { layers, width } = shapes[options.shape]
  return {
    model: target,
    tokenizer,
    rows,
    rowCount,
    numLabels,
    flops: { layers, width, innerWidth: 4 * width, labels: numLabels },
    dropout: Object.fromEntries(names.map(name => [name, 0.1])),
    noDropout: Object.fromEntries(names.map(name => [name, 0])),
    sources: [
      options.data === undefined
        ? `rows: the quick start's sentences${options.fallback ? ', since GLUE is not here (--data)' : ''}`
        : `rows: GLUE's ${options.task}, whole training file`,
      options.model === undefined
        ? `weights: random, of the shape ${layers}×${width}, seed 42`
        : 'weights: those of the folder, with a new head, seed 42',
    ],
  }
}

async function prepareRows(
  { task, data, length }: BenchOptions,
  tokenizerFolder: string,
  folder: string,
): Promise<Pick<Work, 'rows' | 'rowCount' | 'numLabels'>> {
  const dataset = data === undefined ? await loadDataset(join(examples, 'sentiment')) : await loadDataset(data, task)
  const tokenizer = await AutoTokenizer.fromPretrained(tokenizerFolder)
  const [first, second] = columns[task]!
  const texts = dataset.train.column(first) as string[]
  const encoded = tokenizer(texts, second === undefined ? undefined : (dataset.train.column(second) as string[]), {
    truncation: true,
    maxLength: length ?? maxLength,
  }) as unknown as Record<string, ArrayLike<number>[]>
  const label = Array.from(dataset.train.column('label') as ArrayLike<number>)
  const rows = join(folder, 'rows.json')
  const plain = Object.fromEntries(
    Object.entries(encoded).map(([name, values]) => [
      name,
      values.map(row => filled(Array.from(row), length ?? row.length)),
    ]),
  )
  writeFileSync(rows, JSON.stringify({ ...plain, label }))
  return { rows, rowCount: label.length, numLabels: task === 'stsb' ? 1 : new Set(label).size }
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
      ? AutoModelForSequenceClassification.fromConfig(configOf(options.shape), { numLabels, seed: 42 })
      : await AutoModelForSequenceClassification.fromPretrained(options.model, { numLabels, seed: 42 })
  checkShape(model.config, options)
  mkdirSync(target)
  writeFileSync(join(target, 'config.json'), JSON.stringify(model.config))
  await writeSafetensors(join(target, 'model.safetensors'), model.parameters)
  return model
}

function configOf(shape: ShapeName): ModelConfig {
  const { layers, width, heads } = shapes[shape]
  const common = { vocab_size: 30522, max_position_embeddings: 512, pad_token_id: 0, initializer_range: 0.02 }
  if (shape === 'distil') {
    return {
      ...common,
      model_type: 'distilbert',
      n_layers: layers,
      dim: width,
      n_heads: heads,
      hidden_dim: 4 * width,
      activation: 'gelu',
      dropout: 0.1,
      attention_dropout: 0.1,
      seq_classif_dropout: 0.1,
    }
  }
  return {
    ...common,
    model_type: 'bert',
    num_hidden_layers: layers,
    hidden_size: width,
    num_attention_heads: heads,
    intermediate_size: 4 * width,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    layer_norm_eps: 1e-12,
    type_vocab_size: 2,
  }
}

function checkShape(config: ModelConfig, { shape, model }: BenchOptions): void {
  const { layers, width } = shapes[shape]
  const found = [
    config['num_hidden_layers'] ?? config['n_layers'],
    config['hidden_size'] ?? config['dim'],
    config['vocab_size'],
  ]
  if (found[0] === layers && found[1] === width && found[2] === 30522) return
  throw new TrainerError(
    'argument',
    `--shape ${shape} is ${layers}×${width} with a vocabulary of 30522, ` +
      `but the model in ${model ?? ''} is ${found[0]}×${found[1]} with ${found[2]}.`,
    { fix: 'Leave --model out for random weights.' },
  )
}
