// what is logged, when, and where
import { expect, onTestFinished } from 'vitest'
import { JsonlLogCallback, type LogLevel, PrinterCallback, ProgressCallback, setLogLevel } from '../../../src/index'
import { createTrainer, rows, run, logged } from '../support'
import { brokenModel, type Effects, onlyStep, stepsOf } from './effects'

export const logging: Effects = {
  loggingStrategy: async () => {
    expect(stepsOf((await run({ loggingStrategy: 'epoch' })).history)).toEqual([3, 6, 6])
    expect(stepsOf((await run({ loggingStrategy: 'no' })).history)).toEqual([6])
  },
  loggingSteps: async () => {
    expect(stepsOf((await run({ loggingSteps: 2 })).history)).toEqual([2, 4, 6, 6])
    expect(stepsOf((await run({ loggingSteps: 0.5 })).history)).toEqual([3, 6, 6])
  },
  loggingFirstStep: async () =>
    expect(stepsOf((await run({ loggingSteps: 4, loggingFirstStep: true })).history)).toEqual([1, 4, 6]),
  loggingNanInfFilter: async () => {
    const first = async (loggingNanInfFilter: boolean) =>
      (await run({ ...onlyStep, onNonFinite: 'continue', loggingNanInfFilter }, { model: brokenModel() })).losses[0]
    expect(await first(true)).toBe(0)
    expect(await first(false)).toBeNaN()
  },
  includeNumInputTokensSeen: async () => {
    const seen = async (includeNumInputTokensSeen: 'no' | 'all' | 'non_padding') =>
      (await run({ ...onlyStep, trainSamplingStrategy: 'sequential', includeNumInputTokensSeen })).history[0]!
    const lengths = rows(4).map(row => row.input_ids.length)
    expect(await seen('no')).not.toHaveProperty('num_input_tokens_seen')
    expect((await seen('all')).num_input_tokens_seen).toBe(4 * Math.max(...lengths))
    expect(await seen('non_padding')).toMatchObject({
      num_input_tokens_seen: lengths.reduce((a, b) => a + b),
      train_tokens_per_second: expect.any(Number),
    })
  },
  logLevel: async () => {
    const heard = async (logLevel: LogLevel): Promise<boolean> => {
      const messages = logged()
      await run({
        ...onlyStep,
        logLevel,
        labelSmoothingFactor: 0,
        saveStrategy: 'steps',
        evalStrategy: 'steps',
        loadBestModelAtEnd: true,
        evalSteps: 1,
        saveSteps: 1,
      })
      return messages.some(message => message.includes('The model is that of step 1'))
    }
    onTestFinished(() => setLogLevel('warning'))
    expect([await heard('info'), await heard('warning')]).toEqual([true, false])
  },
  disableTqdm: () => {
    const printers = (disableTqdm: boolean): boolean[] =>
      [PrinterCallback, ProgressCallback].map(kind =>
        createTrainer({ disableTqdm }).callbackHandler.callbacks.some(one => one instanceof kind),
      )
    expect(printers(true)).toEqual([true, false])
    expect(printers(false)).toEqual([false, true])
  },
  reportTo: () => {
    expect(createTrainer({ reportTo: 'none' }).callbackHandler.callbacks).toHaveLength(1) // the flow of the loop alone
    expect(() => createTrainer({ reportTo: 'wandb' })).toThrow(/reportTo.*wandb/s)
  },
  runName: async () => {
    const lines: string[] = []
    await run({ ...onlyStep, runName: 'mine' }, { callbacks: [new JsonlLogCallback(line => void lines.push(line))] })
    expect(JSON.parse(lines[0]!)).toMatchObject({ run_name: 'mine', step: 1 })
  },
}
