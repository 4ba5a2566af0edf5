import { describe, expect, it } from 'vitest'
import type { CallbackEvent, EvaluateOptions, LogEntry, Metrics, TrainerCallback } from '../../src/index'
import { createTrainer } from './support'

const by = {
  epoch: { evalStrategy: 'epoch', loggingStrategy: 'epoch', saveStrategy: 'epoch' },
  steps: {
    evalStrategy: 'steps',
    loggingStrategy: 'steps',
    saveStrategy: 'steps',
    loggingSteps: 1,
    evalSteps: 1,
    saveSteps: 1,
  },
} as const

/** Two epochs of two updates in which a callback evaluates on its own: what is logged at which step. */
async function logsOf(
  event: CallbackEvent,
  strategy: keyof typeof by,
): Promise<readonly (readonly [string, number])[]> {
  let isOwn = false
  const evaluates: TrainerCallback = {
    async [event](): Promise<void> {
      if (isOwn) return
      isOwn = true
      await trainer.evaluate(undefined, { metricKeyPrefix: 'own' })
      isOwn = false
    },
  }
  const trainer = createTrainer(
    { ...by[strategy], numTrainEpochs: 2, perDeviceTrainBatchSize: 6 },
    { callbacks: [evaluates] },
  )
  await trainer.train()
  const names = ['loss', 'eval_loss', 'own_loss']
  return trainer.state.logHistory.flatMap((entry: LogEntry) => {
    const name = names.find(one => entry[one] !== undefined)
    return name === undefined ? [] : [[name, Number(entry.step)] as const]
  })
}

/** Where the run itself logs and evaluates: after each of these steps. */
const own = { epoch: [2, 4], steps: [1, 2, 3, 4] } as const

describe.each(['epoch', 'steps'] as const)('a callback that evaluates, with strategies by %s', strategy => {
  it.each([
    ['onStepEnd', [1, 2, 3, 4]],
    ['onEpochEnd', [2, 4]],
    ['onEvaluate', own[strategy]],
    ['onSave', own[strategy]],
    ['onLog', undefined],
  ] as const)('in %s takes nothing from what the run logs and evaluates', async (event, asked) => {
    const logs = await logsOf(event, strategy)
    const stepsOf = (name: string): number[] => logs.flatMap(([one, step]) => (one === name ? [step] : []))
    expect(stepsOf('loss')).toEqual(own[strategy])
    expect(stepsOf('eval_loss')).toEqual(own[strategy])
    if (asked !== undefined) expect(stepsOf('own_loss')).toEqual(asked)
  })
})

it('a callback that logs on its own takes nothing from the log of the run', async () => {
  const trainer = createTrainer(
    { loggingStrategy: 'epoch', numTrainEpochs: 2, perDeviceTrainBatchSize: 6 },
    { callbacks: [{ onEpochEnd: () => trainer.log({ mine: 1 }) }] },
  )
  await trainer.train()
  expect(trainer.state.logHistory.filter(({ loss }) => loss !== undefined).map(({ step }) => step)).toEqual([2, 4])
})

it('evaluating in onEvaluate without end is an error that says so', async () => {
  const evaluate = (options: EvaluateOptions): Promise<Metrics> => trainer.evaluate(undefined, options)
  const trainer = createTrainer({}, { callbacks: [{ onEvaluate: async () => void (await evaluate({})) }] })
  await expect(trainer.evaluate()).rejects.toThrow(/evaluate\(\) in onEvaluate.*without end.*return at once/s)
})

it("an evaluation of a callback's own runs to its end when the run is asked to stop", async () => {
  const asked = new AbortController()
  let isOwn = false
  const heard: number[] = []
  const trainer = createTrainer(
    { evalStrategy: 'steps', evalSteps: 1, maxSteps: 3, perDeviceEvalBatchSize: 2 },
    {
      callbacks: [
        {
          async onEvaluate() {
            if (isOwn) return
            isOwn = true
            asked.abort()
            heard.push((await trainer.evaluate(undefined, { metricKeyPrefix: 'own' })).own_loss!)
          },
        },
      ],
    },
  )
  const { interrupted, globalStep } = await trainer.train({ signal: asked.signal })
  expect([interrupted, globalStep, heard.length]).toEqual([true, 1, 1])
  expect(trainer.state.logHistory.filter(({ eval_loss: loss }) => loss !== undefined)).toHaveLength(1)
})
