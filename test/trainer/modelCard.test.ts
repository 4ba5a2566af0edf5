import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { parse } from 'yaml'
import {
  AutoModelForMultipleChoice,
  AutoModelForTokenClassification,
  type LogEntry,
  type ModelCardOptions,
} from '../../src/index'
import { parseJson } from '../../src/json'
import { writeModelCard } from '../../src/modelCard/modelCard'
import { resultsTable } from '../../src/modelCard/results'
import { camelCase } from '../../src/arguments/spelling'
import { PreTrainedModel } from '../../src/auto/PreTrainedModel'
import { type TrainableModel } from '../../src/auto/TrainableModel'
import { TrainingArguments } from '../../src/TrainingArguments'
import { startHub } from '../helpers/hubServer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig, tinyModel } from '../helpers/tinyModel'
import { createTrainer, logged, run } from './support'

interface Case {
  readonly arguments: Readonly<Record<string, unknown>>
  readonly options: Readonly<Record<string, unknown>>
  readonly log_history: readonly LogEntry[]
  readonly metadata: Readonly<Record<string, unknown>>
  readonly body: string
}

const fixture = join(import.meta.dirname, '../fixtures/hub/modelCards.json')
const cases = parseJson(readFileSync(fixture, 'utf8')) as unknown as readonly Case[]

const inCamelCase = (values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [camelCase(name), value]))

interface Written {
  readonly fields: Readonly<Record<string, unknown>>
  readonly body: string
}

interface Given {
  readonly args?: Record<string, unknown>
  readonly logHistory?: readonly LogEntry[]
  readonly model?: TrainableModel
  readonly optimizer?: string
  readonly datasets?: readonly unknown[]
  readonly older?: string
}

/** The card that is written, in a folder `my-model`. */
async function card(options: ModelCardOptions = {}, given: Given = {}): Promise<Written> {
  const outputDir = join(temporaryFolder(), 'my-model')
  mkdirSync(outputDir)
  if (given.older !== undefined) writeFileSync(join(outputDir, 'README.md'), given.older)
  const { logHistory = [], model = tinyModel(), optimizer, datasets = [] } = given
  const args = new TrainingArguments({ ...given.args, outputDir })
  await writeModelCard({ args, model, logHistory, optimizer, datasets }, options)
  return cardIn(outputDir)
}

function cardIn(folder: string): Written {
  const text = readFileSync(join(folder, 'README.md'), 'utf8')
  const [, yaml, body] = /^---\n([^]*?\n)---\n([^]*)$/.exec(text)!
  // as Python reads it
  return { fields: parse(yaml!, { version: '1.1' }) as Record<string, unknown>, body: body! }
}

const ours = ['ts-trainer', 'onnx', 'transformers.js']

/** Two results, as a run logs them. */
const history = [
  { eval_loss: 0.9, eval_accuracy: 0.5, eval_runtime: 1, epoch: 0.5, step: 1 },
  { loss: 0.71234567, learning_rate: 1, epoch: 1, step: 2 },
  { eval_loss: 0.25, eval_accuracy: 0.75, eval_samples_per_second: 2, epoch: 1, step: 2 },
  { train_runtime: 3, train_loss: 1, epoch: 1, step: 2 },
  { eval_loss: 0.2, eval_accuracy: 0.8, epoch: 2, step: 3 },
]

describe('model card', () => {
  beforeAll(() => vi.stubEnv('HF_HUB_OFFLINE', '1'))
  afterAll(() => vi.unstubAllEnvs())

  it.each(cases.map((given, at) => [at, given] as const))("is Python's: case %i", async (_at, given) => {
    const { fields, body } = await card(inCamelCase(given.options), {
      args: inCamelCase(given.arguments),
      logHistory: given.log_history,
    })
    const { tags, pipeline_tag: pipeline, ...others } = fields
    const { tags: expectedTags, ...expected } = given.metadata
    expect(others).toEqual(expected)
    expect(Object.keys(others)).toEqual(Object.keys(expected))
    expect(tags).toEqual([...(expectedTags as string[]), ...ours])
    const [task] = [given.options['tasks'] ?? ['text-classification']].flat()
    expect(pipeline).toBe(task)
    expect(body.slice(0, body.indexOf('### Framework versions'))).toBe(given.body)
  })

  it('has a row for every evaluation, those after training included, and those without training', () => {
    expect(resultsTable(history)).toEqual([
      '| Training Loss | Epoch | Step | Validation Loss | Accuracy |',
      '|:-------------:|:-----:|:----:|:---------------:|:--------:|',
      '| No log        | 0.5   | 1    | 0.9             | 0.5      |',
      '| 0.7123        | 1.0   | 2    | 0.25            | 0.75     |',
      '| 0.7123        | 2.0   | 3    | 0.2             | 0.8      |',
    ])
    expect(resultsTable([{ eval_loss: 1, epoch: 0, step: 0 }])).toHaveLength(3)
    expect(resultsTable([{ loss: 1 }])).toEqual([])
  })

  it('shows metrics that are no numbers as Python does, and leaves cells empty where there are none', async () => {
    const logHistory = [
      { eval_loss: 1, 'eval_no|yes': true, eval_PER: { f1: 0.5, number: 3, "it's": [null, 'a'] }, epoch: 1, step: 1 },
      { eval_loss: 0.5, eval_text: 'well', epoch: 2, step: 2 },
    ]
    expect(resultsTable(logHistory).at(-1)).toMatch(/\| 0\.5 +\| +\| +\| well \|$/)
    const { body } = await card({}, { logHistory: logHistory.slice(0, 1) })
    expect(body).toContain(`\n- Loss: 1.0\n- No|yes: True\n- Per: {'f1': 0.5, 'number': 3, 'it's': [None, 'a']}\n`)
  })

  it('knows the dataset, the task and the versions', async () => {
    const info = { repository: 'nyu-mll/glue', configuration: 'mrpc', split: 'validation' }
    const { fields, body } = await card({}, { logHistory: history, datasets: [undefined, { a: 1 }, { info }] })
    expect(fields).toMatchObject({
      library_name: 'transformers',
      datasets: ['nyu-mll/glue'],
      metrics: ['accuracy'],
      pipeline_tag: 'text-classification',
    })
    expect(fields['model-index']).toEqual([
      {
        name: 'my-model',
        results: [
          {
            task: { name: 'Text Classification', type: 'text-classification' },
            dataset: { name: 'nyu-mll/glue', type: 'nyu-mll/glue', config: 'mrpc', split: 'validation', args: 'mrpc' },
            metrics: [{ name: 'Accuracy', type: 'accuracy', value: 0.8 }],
          },
        ],
      },
    ])
    expect(body).toContain('This model was trained from scratch on the nyu-mll/glue dataset.')
    expect(body).toMatch(
      /### Framework versions\n\n- ts-trainer \d+\.\d+\.\d+\n- ONNX Runtime 1\.\d+\.\d+\n- Node\.js \d+\.\d+\.\d+\n$/,
    )
    // what was given counts; another dataset does not get the configuration and the split of the one that was loaded
    const given = await card({ datasetTags: 'a/b', dataset: 'B' }, { logHistory: history, datasets: [{ info }] })
    expect(given.fields).toMatchObject({
      datasets: ['a/b'],
      'model-index': [{ results: [{ dataset: { name: 'B', type: 'a/b' } }] }],
    })
    expect(JSON.stringify(given)).not.toMatch(/mrpc|validation"/)
    const own = await card({ datasetArgs: 'rte' }, { logHistory: history, datasets: [{ info }] })
    expect(JSON.stringify(own.fields)).toContain('"config":"rte","split":"validation","args":"rte"')
  })

  it.each([
    ['multiple-choice', AutoModelForMultipleChoice, ['ts-trainer', 'onnx']],
    ['token-classification', AutoModelForTokenClassification, ours],
  ] as const)('says what opens a model for %s', async (task, auto, tags) => {
    const { fields } = await card({}, { model: await auto.fromConfig(tinyConfig) })
    expect(fields).toEqual({
      library_name: 'transformers',
      tags: ['generated_from_trainer', ...tags],
      pipeline_tag: task,
      'model-index': [{ name: 'my-model', results: [] }],
    })
  })

  it('names the base model by its id, takes its license, and never tells a path of this machine', async () => {
    const loadedBy = (name: string, repository?: string): TrainableModel => {
      const { config, parameters } = tinyModel()
      return new PreTrainedModel(config, parameters, undefined, { nameOrPath: name, repository })
    }
    const model = loadedBy('google/bert', 'google/bert')
    const byId = await card({ license: 'mit' }, { model, logHistory: history })
    expect(byId.fields).toMatchObject({ license: 'mit', base_model: 'google/bert' })
    expect(byId.body).toContain('fine-tuned version of [google/bert](https://huggingface.co/google/bert) on')
    const folder = temporaryFolder()
    const paths = [
      folder,
      `${folder}/no/more`,
      './bert',
      '../bert',
      '~/bert',
      'C:\\models\\bert',
      'a/b/c',
      'out/../bert',
      'out/bert', // looks like an id, and its folder is gone
      'test/fixtures', // looks like one, and is there
    ]
    for (const path of paths) {
      const { fields, body } = await card({}, { model: loadedBy(path) })
      expect(fields, path).not.toHaveProperty('base_model')
      expect(body, path).toContain('This model was trained from scratch')
      expect(JSON.stringify([fields, body]), path).not.toContain(JSON.stringify(path).slice(1, -1))
    }

    writeFileSync(join(folder, 'README.md'), '\uFEFF---\r\nlicense: [gpl, mit]\r\n---\r\n# Bert\r\n')
    expect((await card({}, { model: loadedBy(folder) })).fields).toMatchObject({ license: 'mit' })
    expect((await card({ license: 'gpl' }, { model: loadedBy(folder) })).fields).toMatchObject({ license: 'gpl' })
    writeFileSync(join(folder, 'README.md'), '---\nlicense: [\n---\n')
    expect((await card({}, { model: loadedBy(folder) })).fields).not.toHaveProperty('license')
  })

  it("asks the Hub for the base model's license, and does without where it does not answer", async () => {
    const hub = await startHub()
    onTestFinished(() => hub.close())
    vi.stubEnv('HF_HUB_OFFLINE', '')
    vi.stubEnv('HF_ENDPOINT', hub.url)
    vi.stubEnv('HF_HUB_CACHE', temporaryFolder())
    hub.add('model', 'google/bert', { 'README.md': '---\nlicense: apache-2.0\n---\n', 'config.json': '{}' })
    hub.add('model', 'google/bare', { 'config.json': '{}' })
    expect((await card({ finetunedFrom: 'google/bert' })).fields).toMatchObject({ license: 'apache-2.0' })
    expect(hub.requests.filter(({ path }) => path.includes('config.json'))).toEqual([])
    for (const id of ['google/bare', 'google/missing'])
      expect((await card({ finetunedFrom: id })).fields, id).not.toHaveProperty('license')
    vi.stubEnv('HF_HUB_OFFLINE', '1') // from the cache
    expect((await card({ finetunedFrom: 'google/bert' })).fields).toMatchObject({ license: 'apache-2.0' })
  })

  it('keeps the tags of an older card', async () => {
    const older = '---\nlicense: mit\ntags:\n- mine\n- no\n- "own: one"\n- onnx\n---\nold\n'
    const { fields, body } = await card({ tags: ['given', 'mine'] }, { older })
    expect(fields.tags).toEqual([
      'given',
      'mine',
      'no',
      'own: one',
      'onnx',
      'generated_from_trainer',
      'ts-trainer',
      'transformers.js',
    ])
    expect(fields).not.toHaveProperty('license')
    expect(body).not.toContain('old')
    expect((await card({}, { older: '---\ntags: one\n---' })).fields.tags).toContain('one')
    const messages = logged()
    expect((await card({}, { older: '---\ntags: [\n---\n' })).fields.tags).toEqual(['generated_from_trainer', ...ours])
    expect(messages).toEqual([
      expect.stringMatching(/The YAML of .*README\.md cannot be read, so its tags are not kept: /),
    ])
  })

  it('is named by the folder, else by the base', async () => {
    const { trainer } = await run({})
    const args = new TrainingArguments({ outputDir: '.' })
    const folder = temporaryFolder()
    const before = process.cwd()
    process.chdir(folder)
    try {
      const parts = { args, model: trainer.model, logHistory: [], optimizer: 'mine', datasets: [] }
      await writeModelCard(parts, { finetunedFrom: 'google/bert' })
    } finally {
      process.chdir(before)
    }
    const { fields, body } = cardIn(folder)
    expect(fields).toMatchObject({ 'model-index': [{ name: 'google/bert' }] })
    expect(body).toContain('\n# google/bert\n')
    expect(body).toContain('\n- optimizer: Use mine\n')
  })

  it('is written after a run', async () => {
    const { trainer, outputDir } = await run({ evalStrategy: 'epoch' })
    await trainer.createModelCard({ modelName: 'true' })
    const { fields, body } = cardIn(outputDir)
    expect(fields['model-index']).toEqual([{ name: 'true', results: [] }])
    expect(body).toContain('This model was trained from scratch on an unknown dataset.')
    expect(body.match(/^\| .*$/gm)).toHaveLength(3)
  })

  it('refuses options that it could not honour', async () => {
    const trainer = createTrainer()
    const refused = (options: object): Promise<void> => trainer.createModelCard(options)
    await expect(refused({ datasetTag: 'x' })).rejects.toThrow('Did you mean datasetTags?')
    await expect(refused({ license: ['mit'] })).rejects.toThrow(
      'createModelCard(): license is a list; a text was expected.',
    )
    await expect(refused({ tags: [1] })).rejects.toThrow('tags is a list; a text, or a list of texts was expected.')
    await expect(refused({ finetunedFrom: './bert' })).rejects.toThrow(
      "finetunedFrom is './bert', which is not an id of the Hub. Give the id, ORGANIZATION/NAME, or leave it out",
    )
  })
})
