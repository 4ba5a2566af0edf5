import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { AutoModelForSequenceClassification, AutoTokenizer, PushToHubCallback, TrainerCallback } from '../../src/index'
import type { TrainingArgumentsOptions } from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { useHub } from '../helpers/useHub'
import { createTrainer, logged, run, tinyModel } from './support'

const used = useHub({ token: 'hf_loopback' })
const words = fileURLToPath(new URL('../fixtures/data/bert-tiny', import.meta.url))
const id = 'loopback/tiny'

/** Six updates, a checkpoint after each second one; its folder is called like the repository. */
const pushing = (args: TrainingArgumentsOptions = {}): TrainingArgumentsOptions => ({
  pushToHub: true,
  hubAlwaysPush: true,
  saveStrategy: 'steps',
  saveSteps: 2,
  outputDir: join(temporaryFolder(), 'tiny'),
  ...args,
})
const commits = (revision?: string): [string, readonly string[]][] =>
  used.hub
    .commits('model', id, revision)
    .map(({ message, paths }): [string, readonly string[]] => [message, paths.toSorted()])
    .slice(0, -1) // the one that the Hub makes
    .reverse()
const messages = (revision?: string): string[] => commits(revision).map(([message]) => message)
const pushed = (revision?: string): Record<string, Uint8Array> => used.hub.files('model', id, revision)
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

const modelFiles = ['config.json', 'model.safetensors', 'training_args.json']
const stateFiles = ['optimizer.safetensors', 'rng.json', 'scheduler.json', 'trainer_state.json']
const checkpointFiles = [...modelFiles, ...stateFiles].toSorted()
const below = (folder: string): string[] => checkpointFiles.map(name => `${folder}/${name}`)

describe('what hubStrategy pushes while training', () => {
  it("'end': nothing, but the repository is there", async () => {
    await run(pushing({ hubStrategy: 'end' }))
    expect(used.hub.repository('model', id)).toBeDefined()
    expect(messages()).toEqual([])
  })

  it("'every_save': the model of each checkpoint, and what else is in the folder", async () => {
    const { outputDir } = await run(pushing())
    expect(commits()).toEqual([
      ['Training in progress, step 2', modelFiles],
      ['Training in progress, step 4', ['model.safetensors']],
      ['Training in progress, step 6', ['model.safetensors']],
    ])
    expect(readdirSync(outputDir)).toEqual(['checkpoint-2', 'checkpoint-4', 'checkpoint-6'])
  })

  it("'checkpoint': the whole checkpoint too, in place of the one before", async () => {
    const { outputDir } = await run(pushing({ hubStrategy: 'checkpoint', saveSteps: 3 }))
    expect(commits()).toEqual([
      ['Training in progress, step 3', modelFiles],
      ['Training in progress, step 3, checkpoint', below('last-checkpoint')],
      ['Training in progress, step 6', ['model.safetensors']],
      ['Training in progress, step 6, checkpoint', expect.arrayContaining(['last-checkpoint/trainer_state.json'])],
    ])
    for (const name of checkpointFiles)
      expect(text(pushed()[`last-checkpoint/${name}`]!)).toBe(text(readFileSync(join(outputDir, 'checkpoint-6', name))))
    expect(pushed()['model.safetensors']).toEqual(pushed()['last-checkpoint/model.safetensors'])
  })

  it("'all_checkpoints': each under its own name; by epochs the messages count epochs", async () => {
    await run(pushing({ hubStrategy: 'all_checkpoints', saveStrategy: 'epoch' }))
    expect(commits()).toEqual([
      ['Training in progress, epoch 1', modelFiles],
      ['Training in progress, epoch 1, checkpoint', below('checkpoint-3')],
      ['Training in progress, epoch 2', ['model.safetensors']],
      ['Training in progress, epoch 2, checkpoint', below('checkpoint-6')],
    ])
  })

  it('is whole although the checkpoint is removed, or replaced, while it is pushed', async () => {
    used.hub.fault({ delay: 150, match: '/revision/', times: 2 })
    const { checkpoints, outputDir } = await run(pushing({ hubStrategy: 'all_checkpoints', saveTotalLimit: 1 }))
    expect(checkpoints).toEqual(['checkpoint-6'])
    expect(Object.keys(pushed())).toEqual(expect.arrayContaining([...below('checkpoint-2'), ...below('checkpoint-4')]))
    for (const step of [2, 4, 6]) {
      const state = JSON.parse(Buffer.from(pushed()[`checkpoint-${step}/trainer_state.json`]!).toString()) as object
      expect(state).toMatchObject({ global_step: step })
    }
    expect(readdirSync(outputDir)).toEqual(['checkpoint-6']) // nothing that was kept for the push is left
  })

  it('removes a graph for transformers.js that holds other weights', async () => {
    const files = { 'onnx/model.onnx': 'old', 'onnx/model_quantized.onnx': 'old', 'onnx.md': 'kept', 'notes/a': 'kept' }
    used.hub.add('model', id, files)
    const { trainer } = await run(pushing({ saveSteps: 6 }))
    const paths = Object.keys(pushed()).filter(path => path !== '.gitattributes')
    expect(paths.toSorted()).toEqual([...modelFiles, 'notes/a', 'onnx.md'].toSorted())
    await trainer.pushToHub()
    expect(Object.keys(pushed())).toEqual(expect.arrayContaining(['README.md', 'onnx/model.onnx']))
  })

  it('has the files of the folder that are not its own business, in the state of that time', async () => {
    const args = pushing()
    mkdirSync(join(args.outputDir!, 'notes'), { recursive: true })
    for (const name of ['notes/one.txt', '_private.txt', '.env', 'onnx.txt', 'report.html'])
      writeFileSync(join(args.outputDir!, name), name)
    for (const folder of ['checkpoint-99', 'runs/checkpoint-1', 'onnx']) {
      mkdirSync(join(args.outputDir!, folder), { recursive: true })
      writeFileSync(join(args.outputDir!, folder, 'old.txt'), 'old')
    }
    const tokenizer = await AutoTokenizer.fromPretrained(words)
    await run(args, { processingClass: tokenizer })
    const files = Object.keys(pushed()).filter(path => path !== '.gitattributes')
    const tokenizerFiles = ['special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json']
    expect(files.toSorted()).toEqual([...modelFiles, 'notes/one.txt', 'onnx.txt', ...tokenizerFiles].toSorted())
  })

  it('is awaited when a signal stops the run: its last checkpoint is pushed', async () => {
    used.hub.fault({ delay: 200, match: '/revision/', times: 1 })
    const controller = new AbortController()
    const onStepEnd = (_: unknown, { globalStep }: { readonly globalStep: number }): void => {
      if (globalStep === 3) controller.abort()
    }
    const { output } = await run(pushing(), { signal: controller.signal, callbacks: [{ onStepEnd }] })
    expect(output).toMatchObject({ globalStep: 3, interrupted: true })
    expect(messages()).toEqual([2, 3].map(step => `Training in progress, step ${step}`))
  })

  it('is nothing without its callback, and says each push to the callbacks', async () => {
    const events: string[] = []
    class Listening extends TrainerCallback {
      override onSave(): void {
        events.push('save')
      }
      override onPushBegin(): void {
        events.push('push')
      }
    }
    await run(pushing({ saveSteps: 3 }), { callbacks: [Listening] })
    expect(events).toEqual(['save', 'push', 'save', 'push'])
    used.hub.add('model', id, {})
    const trainer = createTrainer(pushing())
    trainer.removeCallback(PushToHubCallback)
    await trainer.train()
    expect(used.hub.commits('model', id)[0]!.message).toBe('Add 0 files')
  })
})

describe('a push that fails', () => {
  it.each<[string, object]>([
    ['faults without end', { status: 500, match: '/preupload/' }],
    ['a limit', { status: 429, retryAfter: 0, match: '/preupload/' }],
    ['connections that break', { cut: 0, match: /\/(preupload|revision)\// }],
    ['a commit that is not taken', { status: 400, match: '/commit/' }],
  ])('by %s changes nothing in training, and is said at once and at the end', async (_, fault) => {
    const { losses } = await run({ saveStrategy: 'steps', saveSteps: 2 })
    const lines = logged()
    const trainer = createTrainer(pushing())
    await trainer.initHfRepo()
    used.hub.fault(fault)
    const output = await trainer.train()
    expect(output.globalStep).toBe(6)
    expect(trainer.state.logHistory.flatMap(({ loss }) => (loss === undefined ? [] : [loss]))).toEqual(losses)
    expect(messages()).toEqual([])
    const failures = lines.filter(line => line.includes('failed, and training goes on'))
    expect(failures).toHaveLength(3)
    expect(lines.at(-1)).toMatch(
      /^3 of 3 pushes to loopback\/tiny failed: "Training in progress, step 2", .*trainer\.pushToHub\(\) pushes/,
    )
    expect(readdirSync(trainer.args.outputDir)).toEqual(['checkpoint-2', 'checkpoint-4', 'checkpoint-6'])
    used.hub.clearFaults()
    await trainer.pushToHub()
    expect(messages()).toEqual(['End of training'])
  })

  it('for a while is made up for', async () => {
    const lines = logged()
    const trainer = createTrainer(pushing())
    await trainer.initHfRepo()
    used.hub.fault({ status: 503, times: 2, match: '/commit/' })
    used.hub.fault({ cut: 3, times: 1, match: '/commit/' })
    used.hub.fault({ status: 429, retryAfter: 0, times: 2, match: '/preupload/' })
    await trainer.train()
    expect(messages()).toEqual([2, 4, 6].map(step => `Training in progress, step ${step}`))
    expect(lines).toEqual([])
  })

  it.each([
    ['no token', { HF_TOKEN: '' }, {}, /There is no token to write to model "tiny"/],
    ['a token that nobody has', {}, { hubToken: 'hf_wrong' }, /does not accept the token/],
    ['a foreign repository', {}, { hubModelId: 'google/tiny' }, /may not do this with model "google\/tiny"/],
  ])('for %s fails before the first step', async (_, environment, args, message) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    const steps = vi.fn<() => void>()
    const trainer = createTrainer(pushing(args), { callbacks: [{ onStepBegin: steps }] })
    await expect(trainer.train()).rejects.toThrow(message)
    expect(steps).not.toHaveBeenCalled()
  })
})

describe('trainer.pushToHub()', () => {
  it('pushes model, tokenizer and card in one commit, and returns it', async () => {
    const trainer = createTrainer(pushing({ pushToHub: false, saveStrategy: 'no' }), {
      processingClass: await AutoTokenizer.fromPretrained(words),
    })
    await trainer.train()
    const commit = await trainer.pushToHub({ license: 'mit', private: true })
    const [made] = used.hub.commits('model', id)
    expect(made).toMatchObject({ message: 'End of training', oid: commit.oid })
    const repoUrl = `${used.hub.url}/${id}`
    expect(commit).toEqual({ oid: made!.oid, url: `${repoUrl}/commit/${made!.oid}`, repoUrl })
    expect(used.hub.repository('model', id)?.private).toBe(true)
    const paths = [...modelFiles, 'README.md', 'onnx/model.onnx', 'tokenizer.json', 'tokenizer_config.json']
    expect(made!.paths.toSorted()).toEqual([...paths, 'special_tokens_map.json'].toSorted())
    const card = Buffer.from(pushed()['README.md']!).toString()
    expect(card).toContain('license: mit')
    expect(card).toContain('# tiny')
  })

  it('waits for what is under way, or is itself waited for later', async () => {
    const lines = logged('info')
    const args = pushing({ hubStrategy: 'checkpoint', saveSteps: 6 })
    const trainer = createTrainer(args)
    await trainer.train()
    used.hub.fault({ delay: 200, match: '/revision/', times: 1 })
    const { id: name, finished } = await trainer.pushToHub({ blocking: false, commitMessage: 'Beside' })
    expect(name).toBe(id)
    const { oid } = await trainer.pushToHub({ commitMessage: 'After', revision: 'other' })
    expect(messages().at(-1)).toBe('Beside')
    expect((await finished).oid).toBe(used.hub.commits('model', id)[0]!.oid)
    expect(used.hub.commits('model', id, 'other')[0]).toMatchObject({ message: 'After', oid })
    used.hub.fault({ status: 500, match: '/preupload/' })
    const failing = await trainer.pushToHub({ blocking: false })
    await expect(failing.finished).rejects.toThrow('answered 500')
    expect(lines.join('\n')).toContain(`The push to ${id} failed: The Hub answered 500`)
    await expect(trainer.pushToHub()).rejects.toThrow('answered 500')
  })

  it('refuses a commit message in place of options, and values of other kinds', async () => {
    const trainer = createTrainer(pushing())
    await expect(trainer.pushToHub('mine' as never)).rejects.toThrow("takes its options as an object, not 'mine'")
    await expect(trainer.pushToHub({ blocking: 1 as never })).rejects.toThrow('blocking is 1')
    await expect(trainer.pushToHub({ token: false as never })).rejects.toThrow('token is no text')
    expect(used.hub.repository('model', id)).toBeUndefined()
  })

  it('is called by saveModel() of the user, where pushToHub is set', async () => {
    const trainer = createTrainer(pushing())
    const other = join(temporaryFolder(), 'other')
    await trainer.saveModel(other)
    await trainer.saveModel()
    expect(messages()).toEqual(['Model save', 'Model save'])
    expect(text(pushed()['model.safetensors']!)).toBe(text(readFileSync(join(other, 'model.safetensors'))))
    expect(existsSync(join(trainer.args.outputDir, 'model.safetensors'))).toBe(true)
    await createTrainer({ outputDir: join(temporaryFolder(), 'tiny') }).saveModel()
    expect(messages()).toHaveLength(2)
  })
})

describe('pushToHub() of a model and of a tokenizer', () => {
  it('pushes what they save, under the messages of Python', async () => {
    const model = tinyModel()
    const commit = await model.pushToHub('tiny', { private: true })
    expect(commits()).toEqual([
      ['Upload BertForSequenceClassification', ['config.json', 'model.safetensors', 'onnx/model.onnx']],
    ])
    expect(commit).toEqual({
      oid: expect.stringMatching(/^[0-9a-f]{40}$/),
      url: expect.stringContaining(commit.oid),
      repoUrl: `${used.hub.url}/${id}`,
    })
    expect(used.hub.repository('model', id)?.private).toBe(true)
    const tokenizer = await AutoTokenizer.fromPretrained(words)
    const { pullRequestUrl } = await tokenizer.pushToHub(id, { createPr: true, commitDescription: 'more' })
    expect(pullRequestUrl).toBe(`${used.hub.url}/${id}/discussions/1`)
    await tokenizer.pushToHub(id, { commitMessage: 'Words', revision: 'words' })
    expect(messages()).toEqual(['Upload BertForSequenceClassification'])
    expect(messages('words').at(-1)).toBe('Words')
    const again = await AutoTokenizer.fromPretrained(id, { revision: 'words' })
    expect(again('a text').input_ids).toEqual(tokenizer('a text').input_ids)
    const weights = (await AutoModelForSequenceClassification.fromPretrained(id)).parameter('classifier.weight')
    expect(weights.data).toEqual(model.parameter('classifier.weight').data)
  })

  it('refuse what is no name and no option', async () => {
    const model = tinyModel()
    await expect(model.pushToHub({} as never)).rejects.toThrow('takes the name of a repository')
    await expect(model.pushToHub('a b')).rejects.toThrow('cannot be the name of a repository')
    await expect(model.pushToHub('a', { private: 'yes' as never })).rejects.toThrow("private is 'yes'")
    await expect(model.pushToHub('a', { commitMessage: '' })).rejects.toThrow("commitMessage is ''")
  })
})
