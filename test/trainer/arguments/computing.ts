// where and in which precision is computed
import { expect } from 'vitest'
import { checkBfloat16 } from '../../../src/engine/bfloat16'
import { TrainingArguments, type TrainingArgumentsOptions } from '../../../src/index'
import { createTrainer, run } from '../support'
import { type Effects, onlyStep } from './effects'

/**
 * bfloat16 computes where the processor has AMX and the plug-in is there: `figure` is then that of float32 but for some
 * per cent. Elsewhere it is refused, before anything is done.
 */
async function expectBfloat16(
  args: TrainingArgumentsOptions,
  figure: (ran: Awaited<ReturnType<typeof run>>) => number,
): Promise<void> {
  try {
    checkBfloat16()
  } catch (error) {
    expect(() => new TrainingArguments(args)).toThrow((error as Error).message)
    return
  }
  const common = { ...onlyStep, evalStrategy: 'steps', evalSteps: 1 } as const
  const ratio = figure(await run({ ...common, ...args })) / figure(await run(common))
  expect(ratio).not.toBe(1)
  expect(ratio).toBeCloseTo(1, 1)
}

export const computing: Effects = {
  useCpu: async () => {
    expect(new TrainingArguments({ device: 'auto', useCpu: true }).device).toBe('cpu')
    expect(() => createTrainer({ device: 'cuda', useCpu: true })).toThrow(/useCpu and device 'cuda'/)
    expect((await run({ ...onlyStep, device: 'auto', useCpu: true })).output.globalStep).toBe(1)
  },
  bf16: () => expectBfloat16({ bf16: true }, ({ losses }) => losses[0]!),
  bf16FullEval: () => expectBfloat16({ bf16FullEval: true }, ({ evaluations }) => Number(evaluations[0]!.eval_loss)),
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
}
