import { describe, expect, it } from 'vitest'
import { OutOfMemoryError } from '../../src/errors'
import type { TrackedSession, Tracker } from '../../src/trackers/Tracker'
import { createTrainer, logged, run, tinyModel } from '../trainer/support'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { FakeCallback, fakeTracker, never } from './fakeTracker'

const saving = { saveStrategy: 'steps', saveSteps: 2 } as const

describe('a run', () => {
  it('is told with its arguments and its model, and every log of it with step and time', async () => {
    const { tracker, told } = fakeTracker()
    const before = Date.now()
    const { history, outputDir } = await run(
      { evalStrategy: 'epoch', runName: 'first', project: 'p', hubToken: 'hf_secret' },
      { callbacks: [new FakeCallback(tracker)] },
    )
    expect(told).toHaveLength(1)
    const { run: opened, logs, end } = told[0]!
    expect(opened).toMatchObject({
      name: 'first',
      trial: undefined,
      project: 'p',
      outputDir,
      step: 0,
      resumed: undefined,
    })
    expect(opened.args).toMatchObject({ output_dir: outputDir, learning_rate: 0.01, lr_scheduler_kwargs: null })
    expect(JSON.stringify(opened.args)).not.toContain('hf_secret')
    expect(opened.modelConfig).toMatchObject({ model_type: 'bert' })
    expect(opened.parameterCount).toBe(tinyModel().numParameters())
    expect(logs.map(({ logs, step }) => ({ ...logs, step }))).toEqual(history)
    expect(logs.every(({ time }) => time >= before && time <= Date.now())).toBe(true)
    expect(end).toBe('finished')
  })

  it('that fails is marked as failed, and the next one is another', async () => {
    const { tracker, told } = fakeTracker()
    let fails = true
    const failing = {
      onStepEnd: () => {
        if (fails) throw new Error('no')
      },
    }
    const trainer = createTrainer({}, { callbacks: [new FakeCallback(tracker), failing] })
    await expect(trainer.train()).rejects.toThrow('no')
    expect(told.map(({ end }) => end)).toEqual(['failed'])
    fails = false
    await trainer.train()
    await trainer.train()
    expect(told.map(({ end, run: { resumed } }) => [end, resumed])).toEqual([
      ['failed', undefined],
      ['finished', undefined],
      ['finished', undefined],
    ])
  })

  it('is the same when autoFindBatchSize starts it over', async () => {
    const { tracker, told } = fakeTracker()
    let fails = true
    const outOfMemory = {
      onStepEnd: () => {
        if (fails) throw new OutOfMemoryError('no memory', {})
      },
      onTrainBegin: (_args: unknown, { trainBatchSize = 0 }) => void (fails = trainBatchSize > 2),
    }
    logged('error')
    const callbacks = [new FakeCallback(tracker), outOfMemory]
    await run({ autoFindBatchSize: true, maxSteps: 2 }, { callbacks })
    expect(told.map(({ end, run: { step, resumed } }) => [end, step, resumed])).toEqual([
      ['failed', 0, undefined],
      ['failed', 0, { id: 'run-1' }],
      ['finished', 0, { id: 'run-1' }],
    ])
  })

  it('of a hyperparameter search is named after its trial', async () => {
    const { tracker, told } = fakeTracker()
    const trainer = createTrainer(
      { runName: 'search' },
      { modelInit: () => tinyModel(), callbacks: [new FakeCallback(tracker)] },
    )
    await trainer.hyperparameterSearch({ nTrials: 2, hpSpace: () => ({ maxSteps: 1 }) })
    const trained = told.filter(({ run: { step } }) => step === 0)
    expect(trained.map(({ run: { name, trial, outputDir } }) => [name, trial, outputDir.split('/').at(-1)])).toEqual([
      ['search-run-0', 'run-0', 'run-0'],
      ['search-run-1', 'run-1', 'run-1'],
    ])
    // the evaluation after each trial goes to the trial's run
    const after = told.filter(({ run: { step } }) => step === 1)
    expect(after.map(({ run: { resumed } }) => resumed)).toEqual([{ id: 'run-1' }, { id: 'run-3' }])
  })
})

describe('a run that resumes from a checkpoint', () => {
  it.each([true, false])(
    'goes on with what it reported to; restoreCallbackStatesFromCheckpoint: %s',
    async restores => {
      const outputDir = temporaryFolder()
      const first = fakeTracker()
      await run({ ...saving, outputDir, maxSteps: 2 }, { callbacks: [new FakeCallback(first.tracker)] })
      const second = fakeTracker()
      const trainer = createTrainer(
        { ...saving, outputDir, restoreCallbackStatesFromCheckpoint: restores },
        { callbacks: [new FakeCallback(second.tracker)] },
      )
      await trainer.train({ resumeFromCheckpoint: true })
      await trainer.evaluate()
      expect(second.told.map(({ run: { resumed, step } }) => [resumed, step])).toEqual([
        [{ id: 'run-1' }, 2],
        [{ id: 'run-1' }, 6],
      ])
    },
  )

  it('is that of the checkpoint, whatever was reported since', async () => {
    const { tracker, told } = fakeTracker()
    const trainer = createTrainer(saving, { callbacks: [new FakeCallback(tracker)] })
    const { outputDir } = trainer.args
    await trainer.train()
    await trainer.train()
    await trainer.train({ resumeFromCheckpoint: `${outputDir}/checkpoint-4` })
    expect(told.map(({ run: { resumed } }) => resumed)).toEqual([undefined, undefined, { id: 'run-2' }])
  })

  it('is a new one where the checkpoint knows none', async () => {
    const { outputDir } = await run({ ...saving, maxSteps: 2 })
    const { tracker, told } = fakeTracker()
    await run({ ...saving, outputDir }, { callbacks: [new FakeCallback(tracker)], resumeFromCheckpoint: true })
    expect(told.map(({ run: { resumed, step } }) => [resumed, step])).toEqual([[undefined, 2]])
  })

  it('has a name in the first checkpoint though the tracker took a while to say it', async () => {
    const { tracker } = fakeTracker()
    const slow: Tracker = {
      ...tracker,
      open: async opened => {
        await new Promise(resolve => setTimeout(resolve, 200))
        return tracker.open(opened)
      },
    }
    const { trainer } = await run({ ...saving, maxSteps: 2 }, { callbacks: [new FakeCallback(slow)] })
    expect(trainer.state.statefulCallbacks['FakeCallback']).toEqual({ args: {}, attributes: { run: { id: 'run-1' } } })
  })
})

describe('what is logged outside of training', () => {
  it('goes to the run that is trained next, or was trained last', async () => {
    const { tracker, told } = fakeTracker()
    const trainer = createTrainer({}, { callbacks: [new FakeCallback(tracker)] })
    await trainer.evaluate()
    await trainer.train()
    await trainer.evaluate()
    await trainer.log({ mine: 1 })
    expect(
      told.map(({ run: { resumed, step }, end, logs }) => [resumed, step, end, Object.keys(logs[0]!.logs)[0]]),
    ).toEqual([
      [undefined, 0, 'finished', 'eval_loss'],
      [{ id: 'run-1' }, 0, 'finished', 'loss'],
      [{ id: 'run-1' }, 6, 'finished', 'eval_loss'],
      [{ id: 'run-1' }, 6, 'finished', 'mine'],
    ])
  })

  it('may be what predict() measures', async () => {
    const [takes, takesNot] = [fakeTracker({ takesPredictions: true }), fakeTracker()]
    const callbacks = [new FakeCallback(takes.tracker), new (class Other extends FakeCallback {})(takesNot.tracker)]
    const trainer = createTrainer({}, { callbacks })
    await trainer.predict(trainer.evalDataset as never)
    expect(takes.told.map(({ logs }) => Object.keys(logs[0]!.logs))).toEqual([expect.arrayContaining(['test_loss'])])
    expect(takesNot.told).toEqual([])
  })
})

describe('a tracker that fails', () => {
  const log = async (): Promise<void> => {
    throw new Error('the log is full')
  }
  const session: TrackedSession = { identity: {}, log, finish: async () => undefined }

  it.each([
    [
      'when it is opened',
      { open: () => Promise.reject(new Error('no door')) },
      ['Fake is not reported to any longer: no door. Training goes on.'],
    ],
    [
      'before it waits for anything',
      {
        open: () => {
          throw new Error('no hinge')
        },
      },
      ['Fake is not reported to any longer: no hinge. Training goes on.'],
    ],
    [
      'at every log',
      { open: async () => session },
      [
        'Fake did not take a log: the log is full.',
        'Fake did not take a log: the log is full.',
        'Fake is not reported to any longer: the log is full. Training goes on.',
      ],
    ],
  ] as const)('%s is a warning', async (_, replaced, expected) => {
    const messages = logged()
    const { output } = await run({}, { callbacks: [new FakeCallback(fakeTracker(replaced).tracker)] })
    expect(output.globalStep).toBe(6)
    expect(messages).toEqual(expected)
  })

  it('once goes on', async () => {
    const messages = logged()
    const { tracker, told } = fakeTracker()
    let calls = 0
    const once: Tracker = {
      ...tracker,
      open: async opened => {
        const good = await tracker.open(opened)
        return { ...good, log: async (...given) => (++calls === 2 ? log() : good.log(...given)) }
      },
    }
    await run({}, { callbacks: [new FakeCallback(once)] })
    expect(messages).toEqual(['Fake did not take a log: the log is full.'])
    expect(told[0]!.logs.map(({ step }) => step)).toEqual([1, 3, 4, 5, 6, 6])
    expect(told[0]!.end).toBe('finished')
  })
})

describe('a tracker that takes its time', () => {
  it('is given at once what has gathered', async () => {
    const { tracker } = fakeTracker()
    const batches: number[] = []
    let open = (): void => undefined
    const busy: Tracker = {
      ...tracker,
      open: async opened => {
        await new Promise<void>(resolve => (open = resolve))
        return { ...(await tracker.open(opened)), logAll: async entries => void batches.push(entries.length) }
      },
    }
    await run(
      {},
      {
        callbacks: [
          new FakeCallback(busy),
          { onTrainEnd: () => undefined, onStepEnd: (_a, { globalStep }) => void (globalStep === 6 && open()) },
        ],
      },
    )
    expect(batches.reduce((sum, count) => sum + count)).toBe(7)
    expect(batches[0]).toBeGreaterThan(4)
  })

  it.each([
    ['to open', { open: () => never<TrackedSession>() }],
    ['for a log', { open: async () => ({ identity: {}, log: () => never<void>(), finish: async () => undefined }) }],
    ['to end', { open: async () => ({ identity: {}, log: async () => undefined, finish: () => never<void>() }) }],
    [
      'of 60 seconds',
      {
        open: () =>
          new Promise<TrackedSession>(resolve =>
            setTimeout(
              () => resolve({ identity: {}, log: () => never<void>(), finish: () => never<void>() }),
              60_000,
            ).unref(),
          ),
      },
    ],
  ] as const)('%s holds the end up for 4 seconds, and three of them do too', async (_, replaced) => {
    const messages = logged()
    const signals: AbortSignal[] = []
    const { tracker } = fakeTracker(replaced)
    const remembering: Tracker = { ...tracker, open: opened => (signals.push(opened.signal), tracker.open(opened)) }
    let last = 0
    const kinds = [class A extends FakeCallback {}, class B extends FakeCallback {}, class C extends FakeCallback {}]
    const trainer = createTrainer(saving, {
      callbacks: [...kinds.map(kind => new kind(remembering)), { onStepEnd: () => void (last = performance.now()) }],
    })
    await trainer.train()
    expect(performance.now() - last).toBeLessThan(5000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true])
    expect(messages).toHaveLength(3)
    expect(messages[0]).toMatch(
      /^Fake has not answered in time: \d logs of the run may be missing there, and its end\.$/,
    )
  })

  it('outside of training is waited for once', async () => {
    const messages = logged()
    const { tracker } = fakeTracker({ open: () => never<TrackedSession>() })
    const trainer = createTrainer({}, { callbacks: [new FakeCallback(tracker)] })
    await trainer.evaluate()
    const before = performance.now()
    await trainer.evaluate()
    expect(performance.now() - before).toBeLessThan(3000)
    expect(messages).toHaveLength(1)
  })
})
