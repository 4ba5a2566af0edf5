import { expect, onTestFinished, vi } from 'vitest'
import {
  JsonlLogCallback,
  type LogLevel,
  PrinterCallback,
  ProgressCallback,
  setLogLevel,
  type TrainingArgumentsOptions,
} from '../../../src/index'
import { FakeCallback, fakeTracker } from '../../trackers/fakeTracker'
import { createTrainer, rows, run, logged } from '../support'
import { broken, type Effects, onlyStep, spoilAfter, steps } from './effects'
import { mean } from './reference'

type LoggedTokens = NonNullable<TrainingArgumentsOptions['includeNumInputTokensSeen']>

/** The first log of a run over the rows in order. */
async function firstLog(includeNumInputTokensSeen: LoggedTokens): Promise<Readonly<Record<string, unknown>>> {
  return (await run({ ...onlyStep, trainSamplingStrategy: 'sequential', includeNumInputTokensSeen })).history[0]!
}

/** Which messages of a run are shown: that of the best model is information, that of a skipped step a warning. */
async function shown(logLevel: LogLevel | 'passive' | 'detail', before: LogLevel = 'warning'): Promise<string[]> {
  const messages = logged(before)
  await run(
    {
      maxSteps: 2,
      logLevel,
      onNonFinite: 'skip',
      saveStrategy: 'steps',
      evalStrategy: 'steps',
      loadBestModelAtEnd: true,
      evalSteps: 1,
      saveSteps: 1,
    },
    { callbacks: [spoilAfter(1)] },
  )
  return [
    ...(messages.some(message => message.includes('The model is that of step 1')) ? ['info'] : []),
    ...(messages.some(message => message.includes('Step 2 is skipped')) ? ['warning'] : []),
  ]
}

/** What a run of one update prints on standard error. */
async function printed(disableTqdm: boolean): Promise<{ text: string; loss: number }> {
  let text = ''
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation(chunk => ((text += String(chunk)), true))
  try {
    const { losses } = await run({ ...onlyStep, disableTqdm, evalStrategy: 'steps' })
    return { text, loss: losses[0]! }
  } finally {
    spy.mockRestore()
  }
}

export const logging: Effects = {
  loggingStrategy: async () => {
    expect(steps((await run({ loggingStrategy: 'epoch' })).history)).toEqual([3, 6, 6])
    expect(steps((await run({ loggingStrategy: 'no' })).history)).toEqual([6])
    expect(steps((await run({ loggingStrategy: 'steps' })).history)).toEqual([1, 2, 3, 4, 5, 6, 6])
  },
  loggingSteps: async () => {
    const each = (await run({ loggingSteps: 1 })).losses
    const pairs = await run({ loggingSteps: 2 })
    expect(steps(pairs.history)).toEqual([2, 4, 6, 6])
    pairs.losses.forEach((loss, i) => expect(loss).toBeCloseTo(mean(each.slice(2 * i, 2 * i + 2)), 6))
    expect(steps((await run({ loggingSteps: 0.5 })).history)).toEqual([3, 6, 6])
    expect(steps((await run({ loggingSteps: 0.6 })).history)).toEqual([4, 6]) // ⌈0.6 · 6⌉ updates
  },
  loggingFirstStep: async () => {
    expect(steps((await run({ loggingSteps: 4, loggingFirstStep: true })).history)).toEqual([1, 4, 6])
    expect(steps((await run({ loggingStrategy: 'no', loggingFirstStep: true })).history)).toEqual([1, 6])
    expect(steps((await run({ loggingSteps: 4, loggingFirstStep: false })).history)).toEqual([4, 6])
  },
  loggingNanInfFilter: async () => {
    const first = async (loggingNanInfFilter: boolean) =>
      (await run({ ...onlyStep, onNonFinite: 'continue', loggingNanInfFilter }, { model: broken() })).losses[0]
    expect(await first(true)).toBe(0)
    expect(await first(false)).toBeNaN()
    const still = { learningRate: 0, numTrainEpochs: 1 } as const
    const finite = (await run(still)).losses
    const { losses } = await run({ ...still, loggingSteps: 3, onNonFinite: 'continue' }, { callbacks: [spoilAfter(2)] })
    const sum = finite[0]! + finite[1]!
    expect(losses[0]).toBeCloseTo((sum + sum / (1 + 2 - 0)) / 3, 5) // two updates since step 0, the last log
  },
  includeNumInputTokensSeen: async () => {
    const lengths = rows(4).map(row => row.input_ids.length)
    const padded = 4 * Math.max(...lengths)
    for (const none of ['no', false] as const) expect(await firstLog(none)).not.toHaveProperty('num_input_tokens_seen')
    for (const all of ['all', true] as const) expect((await firstLog(all)).num_input_tokens_seen).toBe(padded)
    const {
      num_input_tokens_seen: seen,
      train_tokens_per_second: speed,
      train_runtime: seconds,
    } = await firstLog('non_padding')
    expect(seen).toBe(lengths.reduce((a, b) => a + b))
    expect((speed as number) * (seconds as number)).toBeCloseTo(seen as number, -1)
  },
  logLevel: async () => {
    onTestFinished(() => setLogLevel('warning'))
    for (const level of ['detail', 'debug', 'info'] as const)
      expect(await shown(level), level).toEqual(['info', 'warning'])
    expect(await shown('warning')).toEqual(['warning'])
    for (const level of ['error', 'critical'] as const) expect(await shown(level), level).toEqual([])
    expect(await shown('passive', 'info')).toEqual(['info', 'warning'])
    expect(await shown('passive', 'error')).toEqual([])
  },
  disableTqdm: async () => {
    const printers = (disableTqdm: boolean): boolean[] =>
      [PrinterCallback, ProgressCallback].map(kind =>
        createTrainer({ disableTqdm }).callbackHandler.callbacks.some(one => one instanceof kind),
      )
    expect(printers(true)).toEqual([true, false])
    expect(printers(false)).toEqual([false, true])
    const plain = await printed(true)
    const table = /\|? *Step *\|? *Training Loss/
    expect(plain.text).toMatch(/^\{'loss': '/)
    expect(Number(/'loss': '([\d.]+)'/.exec(plain.text)![1])).toBeCloseTo(plain.loss, 3)
    expect(plain.text).not.toMatch(table)
    expect((await printed(false)).text).toMatch(table)
  },
  reportTo: () => {
    for (const none of ['none', ['none'], null] as const)
      expect(createTrainer({ reportTo: none as 'none' }).callbackHandler.callbacks).toHaveLength(1) // the loop's flow alone
    const callbacks = [new (class Own {})()]
    const names = (reportTo: TrainingArgumentsOptions['reportTo']): string[] =>
      createTrainer({ reportTo, disableTqdm: true }, { callbacks }).callbackHandler.callbacks.map(
        one => one.constructor.name,
      )
    const [tensorBoard, jsonl, others] = ['TensorBoardCallback', 'JsonlFileCallback', ['Own', 'PrinterCallback']]
    expect(names('none')).toEqual(['DefaultFlowCallback', ...others])
    expect(names('tensorboard')).toEqual(['DefaultFlowCallback', tensorBoard, ...others])
    expect(names(['jsonl', 'tensorboard'])).toEqual(['DefaultFlowCallback', jsonl, tensorBoard, ...others])
    expect(names('all')).toEqual(expect.arrayContaining([tensorBoard, jsonl]))
  },
  project: async () => {
    const project = async (args: TrainingArgumentsOptions): Promise<unknown> => {
      const { tracker, told } = fakeTracker()
      await run({ ...onlyStep, ...args }, { callbacks: [new FakeCallback(tracker)] })
      return told[0]!.run.project
    }
    expect(await project({ project: 'mine' })).toBe('mine')
    expect(await project({})).toBe('huggingface')
  },
  runName: async () => {
    const namesIn = async (args: TrainingArgumentsOptions): Promise<unknown[]> => {
      const lines: string[] = []
      await run({ ...onlyStep, ...args }, { callbacks: [new JsonlLogCallback(line => void lines.push(line))] })
      return lines.map(line => JSON.parse(line) as object).map(entry => ('run_name' in entry ? entry.run_name : 'none'))
    }
    expect(await namesIn({ runName: 'mine' })).toEqual(['mine', 'mine']) // the update, and the end of training
    expect(await namesIn({})).toEqual(['none', 'none'])
  },
}
