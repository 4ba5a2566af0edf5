// a cache that we fill is a hit for Python without a connection, and the other way round
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { AutoModelForSequenceClassification, AutoTokenizer, setLogLevel, Trainer } from '../../src/index'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import { openRepository } from '../../src/hub/repository'
import { type HubServer, startHub } from '../../test/helpers/hubServer'
import type { Check } from './Check'

/** What a client finds, or has fetched. */
interface Found {
  readonly snapshot: string
  /** SHA-256 of each file. */
  readonly files: Readonly<Record<string, string>>
  readonly tokens: readonly number[]
  /** What Python says is wrong with the cache. */
  readonly warnings?: readonly string[]
}

const model = 'acme/tiny'
const dataset = 'acme/rows'
const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'the', 'quick', 'fox']

/** A model whose weights are large enough to lie on the other host, and a dataset of a branch with slashes. */
async function fill(hub: HubServer, work: string): Promise<void> {
  const folder = join(work, 'model')
  mkdirSync(folder)
  const config = { model_type: 'bert', vocab_size: words.length, hidden_size: 256, num_attention_heads: 4 }
  const tiny = modelFromConfig({ ...config, num_hidden_layers: 4, intermediate_size: 1024 }, { numLabels: 2 })
  const trainer = new Trainer({ model: tiny, args: { outputDir: join(work, 'run'), threads: 1 } })
  await trainer.saveModel(folder)
  await trainer.dispose()
  const saved = (name: string): Uint8Array => readFileSync(join(folder, name))
  hub.add(
    'model',
    model,
    {
      'config.json': saved('config.json'),
      'model.safetensors': saved('model.safetensors'),
      'vocab.txt': `${words.join('\n')}\n`,
      'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'BertTokenizer', do_lower_case: true }),
      'special_tokens_map.json': '{"mask_token": "[MASK]"}',
      'README.md': 'not needed',
    },
    { cdn: true },
  )
  hub.add('dataset', dataset, { 'README.md': 'rows' })
  hub.add('dataset', dataset, { 'data/train.csv': 'text,label\na,1\n' }, { revision: 'refs/convert/parquet' })
}

/** Loads everything here. */
async function here(revision?: string): Promise<Found> {
  const options = revision === undefined ? {} : { revision }
  const tokenizer = await AutoTokenizer.fromPretrained(model, options)
  await AutoModelForSequenceClassification.fromPretrained(model, options)
  const repository = await openRepository('model', model, options)
  const paths = ['config.json', 'model.safetensors', 'tokenizer_config.json', 'vocab.txt']
  const snapshot = await repository.fetch(paths)
  const rows = await openRepository('dataset', dataset, { revision: 'refs/convert/parquet' })
  const folder = await rows.fetch(['data/train.csv'])
  const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
  const files = Object.fromEntries(paths.map(path => [path, digest(join(snapshot, path))]))
  files['data/train.csv'] = digest(join(folder, 'data/train.csv'))
  return { snapshot, files, tokens: [...(tokenizer('the quick fox').input_ids as readonly number[])] }
}

/** Does some work with the variables that say which Hub and cache are used. */
async function withHub<T>(url: string, cache: string, isOffline: boolean, work: () => Promise<T>): Promise<T> {
  const variables = {
    HF_ENDPOINT: url,
    HF_HOME: cache,
    HF_HUB_CACHE: '',
    HF_TOKEN: '',
    HF_HUB_OFFLINE: isOffline ? '1' : '',
  }
  const before = Object.fromEntries(Object.keys(variables).map(name => [name, process.env[name]]))
  const set = (values: Readonly<Record<string, string | undefined>>): void => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined || value === '') delete process.env[name]
      else process.env[name] = value
    }
  }
  set(variables)
  try {
    return await work()
  } finally {
    set(before)
  }
}

async function inPython(python: string): Promise<Found> {
  const script = join(import.meta.dirname, 'hubCache.py')
  const { stdout } = await promisify(execFile)(python, [script, model, dataset], { env: process.env })
  return JSON.parse(stdout) as Found
}

/** What differs between two clients; nothing where they have the same files, and read them alike. */
function difference(one: Found, other: Found): string | undefined {
  const told = (found: Found): string => JSON.stringify([found.snapshot, found.files, found.tokens])
  if (other.warnings !== undefined && other.warnings.length > 0) return other.warnings.join('; ')
  return told(one) === told(other) ? undefined : `${told(one)} is not ${told(other)}`
}

export const hubCache: Check = {
  does: 'Fills a cache of the Hub here and in Python; the other finds all of it without a connection, and asks for no file with one.',
  needs: 'python3 with torch, transformers and huggingface_hub (--python PATH)',
  takes: 'about a minute',
  options: '[--python PATH (python3)]',
  async run(options, print) {
    const { values } = parseArgs({ args: [...options], options: { python: { type: 'string', default: 'python3' } } })
    setLogLevel('error')
    const work = mkdtempSync(join(tmpdir(), 'hub-cache-'))
    const hub = await startHub()
    const clients = { here, Python: () => inPython(values.python) }
    let passed = true
    const say = (what: string, wrong: string | undefined): void => {
      passed &&= wrong === undefined
      print(`${what}: ${wrong ?? 'the same'}`)
    }
    /** How many files are asked for while some work is done. */
    const asked = async (work: () => Promise<unknown>, pattern: RegExp): Promise<number> => {
      const before = hub.requests.length
      await work()
      return hub.requests.slice(before).filter(({ method, path }) => pattern.test(`${method} ${path}`)).length
    }
    try {
      await fill(hub, work)
      for (const [first, second] of [
        ['here', 'Python'],
        ['Python', 'here'],
      ] as const) {
        const cache = join(work, `filled-${first}`)
        const filled = await withHub(hub.url, cache, false, clients[first])
        const found = await withHub('http://127.0.0.1:9', cache, true, clients[second])
        say(`filled ${first}, found ${second} offline`, difference(filled, found))
        const files = await asked(() => withHub(hub.url, cache, false, clients[second]), /^GET .*\/(resolve|cdn)\//)
        say(`filled ${first}, then ${second} with a connection`, files === 0 ? undefined : `${files} files are fetched`)
      }
      const commit = hub.commits('model', model)[0]!.oid
      const again = await asked(
        () => withHub(hub.url, join(work, 'filled-Python'), false, () => here(commit)),
        new RegExp(` .*${model}`),
      )
      say('filled Python, a commit here', again === 0 ? undefined : `${again} requests are made`)
      return passed
    } finally {
      await hub.close()
      rmSync(work, { recursive: true, force: true })
    }
  },
}
