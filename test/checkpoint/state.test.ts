import { readFileSync } from 'node:fs'
import { mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { TrainerState } from '../../src/callbacks/TrainerState'
import { readJsonObject } from '../../src/files/json'
import { formatJson, parseJson } from '../../src/json'
import {
  loadCheckpointState,
  loadTrainerState,
  missingFromCheckpoint,
  saveCheckpointState,
  type CheckpointState,
} from '../../src/checkpoint/state'
import { saveWeights } from '../../src/files/weights'
import { Tensor } from '../../src/tensor'
import { temporaryFolder } from '../helpers/temporaryFolder'

const root = temporaryFolder()
const state: CheckpointState = {
  optimizer: {
    name: 'adamw_torch',
    step: 20,
    slots: new Map([
      [
        'bert.encoder.weight',
        { exp_avg: Tensor.from('float32', [[1, 2]]), exp_avg_sq: Tensor.from('float32', [[3, 4]]) },
      ],
      ['classifier.bias', { exp_avg: Tensor.from('float32', [5]), step: Tensor.from('int64', 7) }],
    ]),
  },
  scheduler: { last_step: 20, best: 0.25 },
  rng: { seed: 42, words: [1, 4294967295] },
  trainerState: {
    best_global_step: 10,
    best_metric: 0.91,
    best_model_checkpoint: 'out/checkpoint-10',
    epoch: 2,
    eval_steps: 10,
    global_step: 20,
    is_hyper_param_search: false,
    is_local_process_zero: true,
    is_world_process_zero: true,
    log_history: [
      { epoch: 1, loss: 0.41, step: 10 },
      { eval_loss: NaN, step: 20 },
    ],
    logging_steps: 10,
    max_steps: 30,
    num_input_tokens_seen: 0,
    num_train_epochs: 3,
    save_steps: 10,
    stateful_callbacks: { TrainerControl: { args: {}, attributes: {} } },
    total_flos: 1.2e13,
    train_batch_size: 8,
    trial_name: null,
    trial_params: null,
  },
  trainingArguments: { learning_rate: 5e-5, output_dir: 'out' },
}

async function saved(name: string, what = state): Promise<string> {
  const folder = join(root, name)
  await mkdir(folder)
  await saveWeights(folder, [['w', Tensor.from('float32', [1])]])
  await saveCheckpointState(folder, what)
  return folder
}

describe('the state of a checkpoint', () => {
  it('is read as it was written, numbers that are not finite as null', async () => {
    const folder = await saved('whole')
    const loaded = await loadCheckpointState(folder)
    expect(loaded).toEqual({
      ...state,
      trainerState: {
        ...state.trainerState,
        log_history: [
          { epoch: 1, loss: 0.41, step: 10 },
          { eval_loss: null, step: 20 },
        ],
      },
    })
    expect(await missingFromCheckpoint(folder)).toEqual([])
    const text = readFileSync(join(folder, 'trainer_state.json'), 'utf8')
    const keys = Object.keys(JSON.parse(text) as object)
    expect(keys).toEqual([...keys].sort())
    expect(text).toMatch(/^\{\n  "best_global_step": 10,\n/)
    expect(text.endsWith('}\n')).toBe(true)
  })

  it('may be that of saveOnlyModel', async () => {
    const folder = await saved('model only', { trainerState: state.trainerState })
    expect(await missingFromCheckpoint(folder)).toEqual([])
    expect(await loadCheckpointState(folder)).toMatchObject({
      optimizer: undefined,
      scheduler: undefined,
      rng: undefined,
      trainingArguments: undefined,
    })
  })

  it.each([
    ['model.safetensors', (path: string) => truncate(path, 20)],
    ['optimizer.safetensors', (path: string) => truncate(path, 300)],
    ['optimizer.safetensors', (path: string) => rm(path)],
    ['scheduler.json', (path: string) => writeFile(path, '{"a":')],
    ['rng.json', (path: string) => rm(path)],
    ['trainer_state.json', (path: string) => writeFile(path, '{}')],
    ['trainer_state.json', (path: string) => rm(path)],
  ])('is not whole without a whole %s', async (name, harm) => {
    const folder = await saved(`${name} ${String(Math.random())}`)
    await harm(join(folder, name))
    expect(await missingFromCheckpoint(folder)).toEqual([name])
  })

  it("is not whole with an adapter's weights instead of a model's", async () => {
    const folder = await saved('adapter')
    await rename(join(folder, 'model.safetensors'), join(folder, 'adapter_model.safetensors'))
    expect(await missingFromCheckpoint(folder)).toEqual(['model.safetensors'])
  })

  it("reads Python's trainer_state.json, also with NaN, and refuses other files", async () => {
    const folder = join(root, 'python')
    await mkdir(folder)
    await writeFile(
      join(folder, 'trainer_state.json'),
      '{"global_step": 3, "epoch": 0.5, ' +
        '"log_history": [{"loss": NaN, "note": "a \\"NaN\\" in text"}, {"loss": -Infinity}]}',
    )
    const loaded = await loadTrainerState(folder)
    expect(loaded).toMatchObject({
      global_step: 3,
      log_history: [{ loss: NaN, note: 'a "NaN" in text' }, { loss: -Infinity }],
    })
    expect(TrainerState.fromJSON(loaded)).toMatchObject({ globalStep: 3, maxSteps: 0, bestMetric: undefined })
    await writeFile(join(folder, 'trainer_state.json'), '{"global_step": "3"}')
    await expect(loadTrainerState(folder)).rejects.toThrow('should have a whole global_step, not "3"')
    await expect(loadTrainerState(root)).rejects.toThrow(`There is no file ${join(root, 'trainer_state.json')}`)
    await writeFile(join(folder, 'list.json'), '[1]')
    await expect(readJsonObject(join(folder, 'list.json'))).rejects.toThrow('should hold a JSON object, not a list')
    await writeFile(join(folder, 'list.json'), '[1')
    await expect(readJsonObject(join(folder, 'list.json'))).rejects.toThrow('list.json is not valid JSON')
  })
})

describe('JSON', () => {
  it('is valid, whatever the value', () => {
    const text = formatJson(
      { b: [NaN, Infinity, 2n], a: { d: Float32Array.of(0.5, NaN), c: undefined } },
      { sorted: true },
    )
    expect(JSON.parse(text)).toEqual({ a: { d: [0.5, null] }, b: [null, null, 2] })
    expect(text.indexOf('"a"')).toBeLessThan(text.indexOf('"b"'))
  })

  it('has fractions in the fields that are said to have them', () => {
    const value = { whole: 2, eps: 1, rope: { eps: 160_000 }, small: 1e-12, eps2: 2, text: 'eps: 2' }
    expect(formatJson(value, { floats: ['eps', 'small'], indent: 0 }).replaceAll('\n', '')).toBe(
      '{"whole":2,"eps":1.0,"rope":{"eps":160000.0},"small":1e-12,"eps2":2,"text":"eps: 2"}',
    )
  })

  it('is read with the literals of Python, and no others', () => {
    expect(parseJson('\uFEFF{"a": [NaN, -Infinity, Infinity, "Infinity"]}')).toEqual({
      a: [NaN, -Infinity, Infinity, 'Infinity'],
    })
    expect(() => parseJson('{"a": nan}')).toThrow(SyntaxError)
    expect(() => parseJson('{"a": NaN')).toThrow(SyntaxError)
  })
})
