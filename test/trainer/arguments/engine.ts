import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { checkBfloat16 } from '../../../src/engine/bfloat16'
import { findLibrary } from '../../../src/engine/library'
import { providerOptionsOf } from '../../../src/training/createRunner'
import { createProfile, TrainingArguments, type TrainingArgumentsOptions } from '../../../src/index'
import { temporaryFolder } from '../../helpers/temporaryFolder'
import { createTrainer, tinyModel, run } from '../support'
import { broken, type Effects, onlyStep } from './effects'

/** What ONNX Runtime's own profiler notes of an operator. */
interface OperatorRun {
  readonly op_name: string
  readonly provider: string
  /** Empty where there is one thread. */
  readonly thread_scheduling_stats: '' | { readonly sub_threads: object }
}

/** The operators of one update of a model of two layers, as ONNX Runtime's profiler has them. */
async function profiled(
  args: TrainingArgumentsOptions,
): Promise<{ losses: readonly number[]; operators: OperatorRun[] }> {
  const profile = createProfile({ operators: join(temporaryFolder(), 'operators') })
  const { trainer, losses } = await run(
    { ...onlyStep, ...args },
    { model: tinyModel({ num_hidden_layers: 2, hidden_dropout_prob: 0.3 }), profile },
  )
  await trainer.dispose()
  const events = JSON.parse(readFileSync(profile.programs[0]!.file, 'utf8')) as { name: string; args: OperatorRun }[]
  return {
    losses,
    operators: events.filter(({ name }) => name.endsWith('_kernel_time')).map(event => event.args),
  }
}

async function expectOnProcessor(args: TrainingArgumentsOptions): Promise<void> {
  const { operators } = await profiled(args)
  expect([...new Set(operators.map(({ provider }) => provider))]).toEqual(['CPUExecutionProvider'])
}

/**
 * Numbers in bfloat16, with 8 significant bits, are close to those in float32 but not the same, where the processor has
 * AMX and the plug-in is there. Elsewhere it is refused before anything is done.
 */
async function expectBfloat16(args: TrainingArgumentsOptions, reduced: 'training' | 'evaluation'): Promise<void> {
  try {
    checkBfloat16()
  } catch (error) {
    expect(() => new TrainingArguments(args)).toThrow((error as Error).message)
    return
  }
  const losses = async (given: TrainingArgumentsOptions): Promise<Record<string, readonly number[]>> => {
    const { trainer, losses: training } = await run(given)
    return { training, evaluation: [(await trainer.evaluate()).eval_loss!] }
  }
  const single = await losses({ learningRate: 0 })
  const half = await losses({ learningRate: 0, ...args })
  for (const [use, expected] of Object.entries(single)) {
    half[use]!.forEach((loss, i) => expect(Math.abs(loss / expected[i]! - 1)).toBeLessThan(2 ** -5))
    if (use === reduced) expect(half[use]).not.toEqual(expected)
    else expect(half[use]).toEqual(expected)
  }
}

/** Numbers in float16 are close to those in float32 but not the same. */
async function expectFloat16(args: TrainingArgumentsOptions, reduced: 'training' | 'evaluation'): Promise<void> {
  const losses = async (given: TrainingArgumentsOptions): Promise<Record<string, readonly number[]>> => {
    const { trainer, losses: training } = await run({ learningRate: 0, ...given })
    return { training, evaluation: [(await trainer.evaluate()).eval_loss!] }
  }
  const single = await losses({})
  const half = await losses(args)
  for (const [use, expected] of Object.entries(single)) {
    half[use]!.forEach((loss, i) => expect(Math.abs(loss / expected[i]! - 1)).toBeLessThan(2 ** -9))
    if (use === reduced) expect(half[use]).not.toEqual(expected)
    else expect(half[use]).toEqual(expected)
  }
}

async function expectRecomputed(name: 'activationCheckpointing' | 'gradientCheckpointing'): Promise<void> {
  const kept = await profiled({ [name]: false })
  const again = await profiled({ [name]: true })
  const products = ({ operators }: typeof kept): number => operators.filter(({ op_name }) => op_name === 'Gemm').length
  expect(again.losses).toEqual(kept.losses)
  expect(products(again)).toBe(products(kept) + 6) // the first of two layers
}

export const engine: Effects = {
  bf16: () => expectBfloat16({ bf16: true }, 'training'),
  bf16FullEval: () => expectBfloat16({ bf16FullEval: true }, 'evaluation'),
  fp16: () => expectFloat16({ fp16: true }, 'training'),
  fp16FullEval: () => expectFloat16({ fp16FullEval: true }, 'evaluation'),
  tf32: async () => {
    const options = (given: TrainingArgumentsOptions): unknown => providerOptionsOf(new TrainingArguments(given))
    expect(options({ device: 'cuda', tf32: true })).toEqual({ use_tf32: '1' })
    expect(options({ device: 'cuda:1', tf32: false, providerOptions: { gpu_mem_limit: '1' } })).toEqual({
      gpu_mem_limit: '1',
      use_tf32: '0',
    })
    expect(options({ device: 'CUDAExecutionProvider', tf32: false })).toEqual({ use_tf32: '0' })
    expect(options({ device: 'cuda' })).toBeUndefined()
    expect(options({ tf32: false })).toBeUndefined()
    expect(() => new TrainingArguments({ tf32: true })).toThrow(/NVIDIA's GPUs, and device is 'cpu'.*'cuda'/s)
    const twice = { device: 'cuda', tf32: true, providerOptions: { use_tf32: '1' } }
    expect(() => new TrainingArguments(twice)).toThrow(/one option.*Leave one of them out/s)
    await run({ ...onlyStep, tf32: false })
  },
  activationCheckpointing: () => expectRecomputed('activationCheckpointing'),
  gradientCheckpointing: () => expectRecomputed('gradientCheckpointing'),
  useCpu: async () => {
    expect(new TrainingArguments({ device: 'auto', useCpu: true }).device).toBe('cpu')
    expect(() => createTrainer({ device: 'cuda', useCpu: true })).toThrow(/useCpu and device 'cuda'/)
    await expectOnProcessor({ device: 'auto', useCpu: true })
  },
  device: async () => {
    await expectOnProcessor({ device: 'cpu' })
    await expect(run({ ...onlyStep, device: 'nowhere' })).rejects.toThrow(/'nowhere'.*cpu/s)
  },
  library: async () => {
    const { output } = await run({ ...onlyStep, library: findLibrary().path })
    expect(output.globalStep).toBe(1)
    await expect(run({ ...onlyStep, library: '/nowhere/onnxruntime.so' })).rejects.toThrow('/nowhere/onnxruntime.so')
  },
  pluginLibrary: async () => {
    await expect(run({ ...onlyStep, device: 'other:cpu', pluginLibrary: '/nowhere/plugin.so' })).rejects.toThrow(
      /plug-in provider \/nowhere\/plugin\.so does not load/,
    )
  },
  providerOptions: async () => {
    await expect(run({ ...onlyStep, providerOptions: { use_tf32: '0' } })).rejects.toThrow(
      /provider 'cpu' takes no options.*use_tf32/s,
    )
  },
  threads: async () => {
    const helpers = async (threads: number): Promise<number> => {
      const { thread_scheduling_stats: statistics } = (await profiled({ threads })).operators[0]!
      return statistics === '' ? 0 : Object.keys(statistics.sub_threads).length
    }
    expect(await helpers(1)).toBe(0)
    expect(await helpers(3)).toBe(2) // besides the one that runs the session
  },
  onNonFinite: async () => {
    await expect(run({ ...onlyStep, onNonFinite: 'error' }, { model: broken() })).rejects.toThrow(
      /loss is NaN at step 1/,
    )
    const ended = async (onNonFinite: 'skip' | 'continue') => {
      const { trainer, history } = await run({ ...onlyStep, onNonFinite }, { model: broken() })
      return { weights: Array.from(trainer.model.parameter('classifier.weight').data), log: history[0] }
    }
    const skipped = await ended('skip')
    expect(skipped.weights).toEqual(Array.from(tinyModel().parameter('classifier.weight').data))
    expect(skipped.log).toMatchObject({ skipped_updates: 1, step: 1 })
    const continued = await ended('continue')
    expect(continued.weights.every(Number.isNaN)).toBe(true) // as in Hugging Face
    expect(continued.log).not.toHaveProperty('skipped_updates')
  },
}
