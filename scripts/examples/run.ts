// an example, on a model and rows that are made on the spot → what it has learnt of them
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { AutoModelForMaskedLM } from '../../src/index'
import type { ExampleCase } from './cases'

const root = join(import.meta.dirname, '../..')
const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href

/** What an example came to. */
export interface Learnt {
  readonly passed: boolean
  /** The result by its name, and for perplexity what it was before. */
  readonly text: string
}

/** Enough to learn sixteen rows by heart: nothing but the number of epochs and the rate differs from the recipe. */
const learning = [
  ...['--learning_rate=2e-3', '--num_train_epochs=60', '--per_device_train_batch_size=4', '--weight_decay=0'],
  ...['--eval_strategy=no', '--save_strategy=no', '--no_load_best_model_at_end', '--disable_tqdm', '--log_level=error'],
]

/**
 * Runs an example in a process of its own, in an empty folder.
 * @throws the error of the process, with what it wrote on stderr, where it fails.
 */
export async function runExample(example: ExampleCase, folder: string): Promise<Learnt> {
  const data = join(folder, 'data')
  const model = join(folder, 'model')
  const out = join(folder, 'out')
  const isWhole = Object.keys(example.files).length === 0
  if (!isWhole) {
    await writeRows(example.files, data)
    await writeModel(example.files, model)
  }
  const made = isWhole ? [] : [`--model=${model}`, `--data=${data}`, ...learning]
  await promisify(execFile)(
    process.execPath,
    [
      ...['--import', tsx, join(root, 'examples', `${example.script}.ts`)],
      ...[...made, `--output_dir=${out}`, ...(example.flags ?? [])],
    ],
    { cwd: folder, env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') } },
  )
  return learntOf(example, out)
}

async function learntOf({ result: name, goal = 0.95 }: ExampleCase, out: string): Promise<Learnt> {
  const results = JSON.parse(await readFile(join(out, 'eval_results.json'), 'utf8')) as Record<string, number>
  const value = results[name] ?? NaN
  if (name !== 'perplexity') return { passed: value >= goal, text: `${name.slice('eval_'.length)} ${value.toFixed(3)}` }
  const before = Math.exp(await firstLoss(out))
  return { passed: value <= before / 2, text: `${name} ${before.toFixed(1)} → ${value.toFixed(1)}` }
}

/** The loss of the evaluation before training. */
async function firstLoss(out: string): Promise<number> {
  const state = JSON.parse(await readFile(join(out, 'trainer_state.json'), 'utf8')) as {
    log_history: Record<string, number>[]
  }
  return state.log_history.find(entry => entry['eval_loss'] !== undefined)?.['eval_loss'] ?? NaN
}

/** Writes the rows of each file as JSON Lines. */
export async function writeRows(files: ExampleCase['files'], folder: string): Promise<void> {
  for (const [name, rows] of Object.entries(files)) {
    const path = join(folder, `${name}.jsonl`)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, rows.map(row => `${JSON.stringify(row)}\n`).join(''))
  }
}

/** A BERT of two layers with random weights, and the vocabulary of the rows: long words are two pieces. */
export async function writeModel(files: ExampleCase['files'], folder: string): Promise<void> {
  const words = new Set(
    JSON.stringify(files)
      .toLowerCase()
      .match(/[a-z]+|[^a-z\s]/g),
  )
  const pieces = [...words].flatMap(word => (word.length > 6 ? [word.slice(0, 4), `##${word.slice(4)}`] : [word]))
  const vocabulary = [...new Set(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...pieces])]
  const model = AutoModelForMaskedLM.fromConfig({
    model_type: 'bert',
    vocab_size: vocabulary.length,
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 128,
    max_position_embeddings: 128,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
  })
  await model.savePretrained(folder)
  await writeFile(join(folder, 'vocab.txt'), vocabulary.map(word => `${word}\n`).join(''))
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'BertTokenizer' }))
}
