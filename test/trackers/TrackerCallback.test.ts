import { describe, expect, it } from 'vitest'
import { OutOfMemoryError } from '../../src/errors'
import type { Tracker } from '../../src/trackers/Tracker'
import { createTrainer, logged, run, tinyModel } from '../trainer/support'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { FakeCallback, fakeTracker } from './fakeTracker'

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
