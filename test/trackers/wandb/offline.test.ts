import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TrainingArguments } from '../../../src/index'
import { logMessages } from '../../helpers/logMessages'
import { temporaryFolder } from '../../helpers/temporaryFolder'
import { trackedTrainer } from '../../helpers/trackedTraining'
import { newestRun, readRun, type Values } from '../../helpers/wandbRun'

const golden = readRun(join(import.meta.dirname, '../../fixtures/wandb/run.wandb'))
const messages = logMessages('warning')
let folder: string
let runs: string

beforeEach(() => {
  folder = temporaryFolder()
  runs = join(folder, 'wandb')
  for (const name of Object.keys(process.env).filter(key => key.startsWith('WANDB_'))) vi.stubEnv(name, undefined)
  vi.stubEnv('WANDB_MODE', 'offline')
  vi.stubEnv('WANDB_DIR', folder)
})
afterEach(() => vi.unstubAllEnvs())

const out = (): string => join(folder, 'out')
const stepsOf = (history: readonly Values[]): unknown[] => history.map(row => row['train/global_step'])
const keysOf = (history: readonly Values[]): string[][] => history.map(row => Object.keys(row).toSorted())

describe('a run in files', () => {
  it("has the kinds, keys and axes that Python's has", async () => {
    await trackedTrainer(out()).train()
    const { folder: place, file } = newestRun(runs)
    expect(place).toMatch(/offline-run-\d{8}_\d{6}-[a-z0-9]{8}$/)
    const run = readRun(file)
    expect(run.numbers).toEqual(run.numbers.map((_, at) => at + 1))
    expect(file).toBe(join(place, `run-${run.run.id}.wandb`))
    expect(run.run).toEqual({
      id: expect.stringMatching(/^[a-z0-9]{8}$/) as string,
      project: 'huggingface',
      name: 'tiny',
    })
    expect(run.metrics.toSorted()).toEqual(golden.metrics.toSorted())
    expect(keysOf(run.history)).toEqual(keysOf(golden.history))
    expect(stepsOf(run.history)).toEqual(stepsOf(golden.history))
    expect(run.history.map(row => row['_step'])).toEqual([0, 1, 2, 3, 4, 5, 6])
    for (const { _timestamp: time } of run.history)
      expect(Math.abs(Date.now() / 1000 - (time as number)), 'seconds').toBeLessThan(60)
    expect(Object.keys(run.summary).toSorted()).toEqual(Object.keys(golden.summary).toSorted())
    expect(run.ofTheRun.toSorted()).toEqual(golden.ofTheRun.toSorted())
    expect(run.exitCode).toBe(0)
    expect(new Set(golden.kinds.filter(kind => ![6, 11].includes(kind)))).toEqual(new Set(run.kinds)) // files, telemetry
    expect(readlinkSync(join(runs, 'latest-run'))).toBe(place.slice(runs.length + 1))
    expect(messages).toEqual([])
  })

  it('has the arguments over the configuration of the model, and no token', async () => {
    await trackedTrainer(out(), { hubToken: 'hf_secret', seed: 7 }).train()
    const { file } = newestRun(runs)
    const { config } = readRun(file)
    const names = Object.keys(new TrainingArguments({ outputDir: 'out' }).toDict())
    expect(Object.keys(golden.config).filter(name => names.includes(name) && !(name in config))).toEqual([])
    expect(config).toMatchObject({ ...{ model_type: 'bert', vocab_size: 30, seed: 7, max_steps: 4, run_name: 'tiny' } })
    expect(config['model/num_parameters']).toBe(golden.config['model/num_parameters'])
    expect(config['hub_token']).toBe(golden.config['hub_token'])
    expect(readFileSync(file, 'latin1')).not.toContain('hf_secret')
  })

  it('is called as the environment says', async () => {
    const set = { WANDB_PROJECT: 'reviews', WANDB_NAME: 'other', WANDB_RUN_ID: 'mine-1' }
    for (const [name, value] of Object.entries(set)) vi.stubEnv(name, value)
    await trackedTrainer(out(), { runName: undefined }).train()
    expect(readRun(newestRun(runs).file).run).toEqual({ id: 'mine-1', project: 'reviews', name: 'other' })
  })

  it('goes on in its file when it is evaluated afterwards', async () => {
    const trainer = trackedTrainer(out())
    await trainer.train()
    const { file } = newestRun(runs)
    writeFileSync(`${file}.synced`, '')
    await trainer.evaluate()
    expect(newestRun(runs).folders).toHaveLength(1)
    const run = readRun(file)
    expect(stepsOf(run.history)).toEqual([1, 2, 2, 3, 4, 4, 4, 4])
    expect(run.kinds.filter(kind => kind === 18)).toHaveLength(1)
    expect(run.numbers).toEqual(run.numbers.map((_, at) => at + 1))
    expect(existsSync(`${file}.synced`)).toBe(false)
  })

  it('that is resumed is whole in a new folder, without what came after the checkpoint, and the old one stays', async () => {
    await trackedTrainer(out()).train()
    const old = newestRun(runs)
    const before = readFileSync(old.file)
    const { history } = readRun(old.file)
    await trackedTrainer(out()).train({ resumeFromCheckpoint: join(out(), 'checkpoint-2') })
    const { file, folders } = newestRun(runs)
    expect(folders).toHaveLength(2)
    const run = readRun(file)
    expect(run.run).toEqual(readRun(old.file).run)
    expect(run.history.slice(0, 3)).toEqual(history.slice(0, 3))
    expect(stepsOf(run.history)).toEqual([1, 2, 2, 3, 4, 4, 4])
    expect(run.history.map(row => row['train/loss'])).toEqual(history.map(row => row['train/loss']))
    expect(run.history.map(row => row['_step'])).toEqual([0, 1, 2, 3, 4, 5, 6])
    const times = run.history.map(row => row['_runtime'] as number)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(readFileSync(old.file)).toEqual(before)
    expect(messages).toEqual([])
  })

  it('that was cut off in the middle of a record is resumed from what is whole', async () => {
    await trackedTrainer(out()).train()
    const old = newestRun(runs)
    const bytes = readFileSync(old.file)
    writeFileSync(old.file, bytes.subarray(0, bytes.length - 30))
    await trackedTrainer(out(), { maxSteps: 6 }).train({ resumeFromCheckpoint: join(out(), 'checkpoint-4') })
    const run = readRun(newestRun(runs).file)
    expect(stepsOf(run.history)).toEqual([1, 2, 2, 3, 4, 4, 4, 5, 6, 6, 6])
    expect(run.numbers).toEqual(run.numbers.map((_, at) => at + 1))
  })

  it('is a new one where the old one is not there, or a checkpoint names one that none can be', async () => {
    await trackedTrainer(out()).train()
    const { run } = readRun(newestRun(runs).file)
    const checkpoint = join(out(), 'checkpoint-2')
    vi.stubEnv('WANDB_DIR', join(folder, 'elsewhere'))
    await trackedTrainer(out()).train({ resumeFromCheckpoint: checkpoint })
    const other = newestRun(join(folder, 'elsewhere', 'wandb'))
    expect(readRun(other.file).run.id).not.toBe(run.id)
    expect(messages.filter(message => message.includes('so that a new run is begun'))).toEqual([
      expect.stringContaining(`the offline run ${run.id} is not in ${join(folder, 'elsewhere', 'wandb')}`),
    ])
    const state = join(checkpoint, 'trainer_state.json')
    writeFileSync(state, readFileSync(state, 'utf8').replace(run.id, '../../../evil'))
    await trackedTrainer(out()).train({ resumeFromCheckpoint: checkpoint })
    expect(newestRun(join(folder, 'elsewhere', 'wandb')).folders).toHaveLength(2)
    expect(readdirSync(folder).toSorted()).toEqual(['elsewhere', 'out', 'wandb'])
  })

  it('has numbers that are not finite as words', async () => {
    const trainer = trackedTrainer(out(), { evalStrategy: 'no' })
    trainer.addCallback({ onStepEnd: () => void trainer.log({ odd: NaN, low: -Infinity, text: 'NaN' }) })
    await trainer.train()
    const odd = { 'train/odd': NaN, 'train/low': -Infinity, 'train/text': 'NaN' }
    const { history, summary } = readRun(newestRun(runs).file)
    expect(history).toEqual(expect.arrayContaining([expect.objectContaining(odd)]))
    expect(summary).toMatchObject(odd)
  })

  it('ends with 1 where training throws', async () => {
    const trainer = trackedTrainer(out())
    trainer.addCallback({
      onStepEnd(_args, { globalStep }) {
        if (globalStep === 3) throw new Error('stop here')
      },
    })
    await expect(trainer.train()).rejects.toThrow('stop here')
    await vi.waitFor(() => expect(readRun(newestRun(runs).file).exitCode).toBe(1))
  })
})

describe('the environment', () => {
  it("writes nothing with WANDB_MODE=disabled, or WANDB_DISABLED, which is told of today's name", async () => {
    vi.stubEnv('WANDB_MODE', 'disabled')
    await trackedTrainer(out()).train()
    expect(messages).toEqual([])
    vi.stubEnv('WANDB_MODE', 'offline')
    vi.stubEnv('WANDB_DISABLED', 'true')
    await trackedTrainer(join(folder, 'other')).train()
    expect(messages).toEqual([expect.stringContaining('The names for this are WANDB_MODE=disabled')])
    expect(existsSync(runs)).toBe(false)
  })

  it('is refused by name where it asks for what is not done', async () => {
    vi.stubEnv('WANDB_LOG_MODEL', 'checkpoint')
    vi.stubEnv('WANDB_WATCH', 'all')
    await trackedTrainer(out()).train()
    expect(messages).toEqual([
      expect.stringContaining('WANDB_LOG_MODEL=checkpoint is refused'),
      expect.stringContaining('WANDB_WATCH=all is refused'),
    ])
    expect(readRun(newestRun(runs).file).history).toHaveLength(7)
  })

  it.each([
    ['WANDB_MODE', 'offlne', "should be online, offline or disabled, but is 'offlne'. Did you mean 'offline'?"],
    ['WANDB_RUN_ID', 'a/b', "WANDB_RUN_ID should be letters, digits, dots, dashes and underscores, but is 'a/b'"],
    ['WANDB_DIR', join(import.meta.filename, 'x'), 'Cannot write'],
  ])('does not stop a run by %s=%s', async (name, value, told) => {
    vi.stubEnv(name, value)
    await trackedTrainer(out()).train()
    expect(messages).toEqual([expect.stringContaining(told)])
    expect(messages[0]).toContain('Training goes on.')
  })
})
