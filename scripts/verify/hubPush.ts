// runs push with every strategy, and Python opens what is on the Hub then
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  type Batch,
  Dataset,
  type PreTrainedModel,
  setLogLevel,
  type Tensor,
  type Tokenizer,
  Trainer,
  type TrainingArgumentsOptions,
} from '../../src/index'
import { type HubServer, startHub } from '../../test/helpers/hubServer'
import { tinyConfig } from '../../test/helpers/tinyModel'
import type { Check } from './Check'

/** Something on the Hub, and what its model and tokenizer make of texts. */
interface OnHub {
  readonly name: string
  readonly id: string
  readonly revision: string
  readonly subfolder: string
  readonly hasCard: boolean
  readonly texts: readonly string[]
  readonly ids: readonly (readonly number[])[]
  readonly logits: readonly number[]
}

/** What Python finds there. */
interface Found {
  readonly ids: readonly (readonly number[])[]
  readonly logits: readonly number[]
  readonly card: { readonly library: string; readonly tags: readonly string[]; readonly license: string } | null
  readonly files: readonly string[]
}

const tolerance = 1e-5
const texts = ['the cat sat on the mat', 'a dog', 'the mat']
const strategies = ['end', 'every_save', 'checkpoint', 'all_checkpoints'] as const

/** A run of four updates that saves after each second one and pushes by a strategy. */
async function push(strategy: (typeof strategies)[number], folder: string): Promise<OnHub[]> {
  const tokenizer = await AutoTokenizer.fromPretrained(join(import.meta.dirname, '../../test/fixtures/data/bert-tiny'))
  const vocabulary = { vocab_size: tokenizer.length, max_position_embeddings: 64, num_labels: 2 }
  const model = AutoModelForSequenceClassification.fromConfig({ ...tinyConfig, ...vocabulary })
  const args: TrainingArgumentsOptions = {
    ...{ outputDir: join(folder, strategy), disableTqdm: true, threads: 1 },
    ...{ pushToHub: true, hubAlwaysPush: true, hubStrategy: strategy },
    ...{ saveSteps: 2, maxSteps: 4, perDeviceTrainBatchSize: 2, learningRate: 0.01 },
  }
  const rows = Dataset.fromRows(texts.map((text, label) => ({ ...tokenizer(text), label: label % 2 })))
  const trainer = new Trainer({ model, args, trainDataset: rows, processingClass: tokenizer })
  try {
    await trainer.train()
    const id = `loopback/${strategy}`
    const found: OnHub[] = []
    if (strategy !== 'end') {
      const whole =
        strategy === 'checkpoint' ? 'last-checkpoint' : strategy === 'all_checkpoints' ? 'checkpoint-4' : undefined
      const places = whole === undefined ? [''] : ['', whole]
      for (const subfolder of places) {
        const name = `${strategy} ${subfolder}`.trim()
        found.push(await onHub({ name, id, revision: 'main', subfolder, hasCard: false }, trainer, tokenizer))
      }
    }
    await trainer.pushToHub({ license: 'mit', tags: 'tiny', revision: strategy === 'end' ? 'main' : 'final' })
    const revision = strategy === 'end' ? 'main' : 'final'
    const last = { name: `${strategy}, pushToHub()`, id, revision, subfolder: '', hasCard: strategy === 'end' }
    return [...found, await onHub(last, trainer, tokenizer)]
  } finally {
    await trainer.dispose()
  }
}

async function onHub(
  place: Pick<OnHub, 'name' | 'id' | 'revision' | 'subfolder' | 'hasCard'>,
  trainer: Trainer<PreTrainedModel>,
  tokenizer: Tokenizer,
): Promise<OnHub> {
  const encoded = tokenizer(texts, { padding: true })
  const rows = Dataset.fromRows(texts.map(text => tokenizer(text) as unknown as Batch))
  const { predictions } = await trainer.predict(rows)
  return { ...place, texts, ids: encoded.input_ids, logits: [...(predictions as Tensor<'float32'>).data] }
}

/** What is not the same in Python, in a few words; undefined where all is. */
function difference(expected: OnHub, found: Found): string | undefined {
  if (JSON.stringify(expected.ids) !== JSON.stringify(found.ids)) return 'other token ids'
  const largest = Math.max(...expected.logits.map((logit, i) => Math.abs(logit - found.logits[i]!)))
  if (!(largest <= tolerance) || expected.logits.length !== found.logits.length) return `logits differ by ${largest}`
  if (!expected.hasCard) return undefined
  const { library, tags = [], license } = found.card ?? {}
  return library === 'transformers' && license === 'mit' && tags.includes('tiny') ? undefined : 'another card'
}

async function inPython(python: string, pushed: readonly OnHub[], hub: HubServer, work: string): Promise<Found[]> {
  const file = join(work, 'pushed.json')
  writeFileSync(file, JSON.stringify(pushed))
  const environment = { ...process.env, HF_ENDPOINT: hub.url, HF_HOME: join(work, 'home'), HF_TOKEN: 'hf_loopback' }
  const script = join(import.meta.dirname, 'hubPush.py')
  const { stdout } = await promisify(execFile)(python, [script, file], { env: environment, maxBuffer: 2 ** 26 })
  return JSON.parse(stdout) as Found[]
}

export const hubPush: Check = {
  does: 'Pushes runs by every hubStrategy to a Hub of its own; Python opens models, tokenizers and card, and gives their logits to 1e-5.',
  needs: 'python3 with torch and transformers (--python PATH)',
  takes: 'about half a minute',
  options: '[--python PATH (python3)]',
  async run(options, print) {
    const { values } = parseArgs({ args: [...options], options: { python: { type: 'string', default: 'python3' } } })
    setLogLevel('error')
    const work = mkdtempSync(join(tmpdir(), 'hub-push-'))
    const hub = await startHub()
    Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_loopback', HF_HOME: join(work, 'home') })
    try {
      const pushed: OnHub[] = []
      for (const strategy of strategies) pushed.push(...(await push(strategy, work)))
      const found = await inPython(values.python, pushed, hub, work)
      let failed = 0
      for (const [i, one] of pushed.entries()) {
        const wrong = difference(one, found[i]!)
        if (wrong !== undefined) failed++
        print(`${one.name}: ${wrong ?? 'the same'} (${found[i]!.files.length} files)`)
      }
      print(`${pushed.length} places, ${pushed.length - failed} the same`)
      return failed === 0
    } finally {
      await hub.close()
      rmSync(work, { recursive: true, force: true })
    }
  },
}
