// every program of docs/hub.md is run, against a Hub on the loopback address
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setLogLevel } from 'ts-trainer'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { labelled } from '../../scripts/examples/rows'
import { writeModel } from '../../scripts/examples/run'
import { type HubServer, startHub } from '../helpers/hubServer'
import { printedBy, programFolder } from '../helpers/snippets'
import { hub as hubPage, written } from './programs'

setLogLevel('error')

const page = hubPage.text
const folder = programFolder('hub')
const programs = written(hubPage, folder)

let hub: HubServer

beforeAll(async () => {
  hub = await startHub()
  for (const [name, value] of Object.entries({
    HF_ENDPOINT: hub.url,
    HF_HOME: join(folder, 'hf'),
    MY_TOKEN: 'hf_loopback',
  }))
    vi.stubEnv(name, value)
  for (const name of ['HF_TOKEN', 'HF_HUB_CACHE', 'HF_TOKEN_PATH', 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'])
    vi.stubEnv(name, undefined)
  const rows = labelled(['sentence1', 'sentence2'], 2)
  const bert = join(folder, 'bert')
  await writeModel({ 'mrpc/train': rows }, bert)
  const files = readdirSync(bert).filter(name => name !== 'onnx')
  hub.add('model', 'google-bert/bert-base-uncased', {
    ...Object.fromEntries(files.map(name => [name, readFileSync(join(bert, name))])),
    'README.md': '---\nlicense: apache-2.0\n---\n',
  })
  const lines = rows.map(row => JSON.stringify(row)).join('\n')
  const card = ['train', 'validation'].map(split => `  - split: ${split}\n    path: mrpc/${split}.jsonl\n`).join('')
  hub.add('dataset', 'nyu-mll/glue', {
    'README.md': `---\nconfigs:\n- config_name: mrpc\n  data_files:\n${card}---\n`,
    'mrpc/train.jsonl': lines,
    'mrpc/validation.jsonl': lines,
  })
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await hub.close()
})

const printed: Readonly<Record<string, readonly unknown[][]>> = {
  'Logging in': [['loopback', [{ name: 'acme' }]]],
  'Models and tokenizers': [[expect.any(Number), 'bert'], [true]],
  Datasets: [[['train', 'validation'], 2, 'nyu-mll/glue']],
  Streaming: [[['sentence1', 'sentence2', 'label', 'idx']], [2]],
  'Pushing a dataset': [[['sentence1', 'sentence2', 'label', 'idx']]],
  'Pushing a run': [
    [
      expect.stringMatching(/\/loopback\/bert-mrpc\/commit\/[0-9a-f]{40}$/),
      expect.stringMatching(/\/loopback\/bert-mrpc$/),
    ],
  ],
}

describe('docs/hub.md', () => {
  it('has programs that are all run', () => {
    expect(programs.map(({ title }) => title)).toEqual(Object.keys(printed))
  })

  it.each(programs)('$title: runs', async ({ title, file }) => {
    const lines = await printedBy(file, folder)
    const expected = printed[title]!
    expect(lines.slice(-expected.length)).toEqual(expected)
  })

  it('has pushed what the page says', () => {
    const pushed = Object.keys(hub.files('model', 'loopback/bert-mrpc'))
    const whole = [
      'README.md',
      'model.safetensors',
      'tokenizer.json',
      'onnx/model.onnx',
      'last-checkpoint/trainer_state.json',
    ]
    expect(pushed).toEqual(expect.arrayContaining(whole))
    const card = Buffer.from(hub.files('model', 'loopback/bert-mrpc')['README.md']!).toString()
    expect(card).toContain('base_model: google-bert/bert-base-uncased')
    expect(card).toContain('license: apache-2.0')
    expect(card).toMatch(/config: mrpc\n +split: validation/)
    expect(hub.repository('model', 'loopback/bert-mrpc-only')).toMatchObject({ private: true })
  })

  it('has pushed the datasets that the page says', () => {
    const paths = Object.keys(hub.files('dataset', 'loopback/paraphrases'))
    const names = ['README.md', 'data/train-00000-of-00001.parquet', 'alike/train-00000-of-00001.parquet']
    expect(paths).toEqual(expect.arrayContaining(names))
    expect(hub.repository('dataset', 'loopback/paraphrases')).toMatchObject({ private: true })
  })

  it('names the variables that are read', () => {
    const source = readFileSync(join(import.meta.dirname, '../../src/hub/environment.ts'), 'utf8')
    const read = [...source.matchAll(/'((?:HF|HUGGING|TRANSFORMERS|XDG)\w+)'/g)].map(([, name]) => name!)
    expect(read.length).toBeGreaterThan(8)
    expect(
      [...new Set(read)].filter(name => !page.includes(`\`${name}\``) && name !== 'HUGGINGFACE_HUB_CACHE'),
    ).toEqual([])
  })
})
