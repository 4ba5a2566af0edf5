import { describe, expect, it } from 'vitest'
import type { TrackedSession, Tracker } from '../../src/trackers/Tracker'
import { createTrainer, logged, run } from '../trainer/support'
import { FakeCallback, fakeTracker, never } from './fakeTracker'

const saving = { saveStrategy: 'steps', saveSteps: 2 } as const

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
      'when it is opened, with a question',
      { open: () => Promise.reject(new Error('no door. Did you mean the window?')) },
      ['Fake is not reported to any longer: no door. Did you mean the window? Training goes on.'],
    ],
    [
      'at the end',
      { open: async () => ({ ...session, log: async () => undefined, finish: log }) },
      ["Fake did not take the run's end: the log is full."],
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

  it('is told that it was given up, so that nothing of it goes on', async () => {
    logged()
    const { tracker } = fakeTracker({ open: async () => session })
    let signal: AbortSignal | undefined
    const open: Tracker['open'] = async opened => ((signal = opened.signal), tracker.open(opened))
    const aborted: (boolean | undefined)[] = []
    const watching = { onStepEnd: () => void aborted.push(signal?.aborted) }
    await run({}, { callbacks: [new FakeCallback({ ...tracker, open }), watching] })
    expect(aborted.at(0)).toBe(false)
    expect(aborted.at(-1)).toBe(true)
  })

  it('outside of training is not asked again', async () => {
    const messages = logged()
    let calls = 0
    const { tracker } = fakeTracker({ open: () => (calls++, Promise.reject(new Error('no door'))) })
    const trainer = createTrainer({}, { callbacks: [new FakeCallback(tracker)] })
    await trainer.evaluate()
    await trainer.evaluate()
    expect(calls).toBe(1)
    expect(messages).toEqual(['Fake is not reported to any longer: no door. Training goes on.'])
    await trainer.train()
    expect(calls).toBe(2)
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
        return { ...(await tracker.open(opened)), log: async entries => void batches.push(entries.length) }
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
      /^Fake has not answered in time\. What may be missing there: (?:the run's end|\d logs? of the run, and its end)\.$/,
    )
  })

  it('leaves the others their time, in training and outside of it', async () => {
    logged()
    const [hanging, good] = [fakeTracker({ open: () => never<TrackedSession>() }), fakeTracker()]
    const slow: Tracker = {
      ...good.tracker,
      open: async opened => {
        const session = await good.tracker.open(opened)
        const finish: TrackedSession['finish'] = async end => {
          await new Promise(resolve => setTimeout(resolve, 200))
          await session.finish(end)
        }
        return { ...session, finish }
      },
    }
    class Other extends FakeCallback {}
    const trainer = createTrainer({}, { callbacks: [new FakeCallback(hanging.tracker), new Other(slow)] })
    await trainer.train()
    await trainer.evaluate()
    expect(good.told.map(({ end }) => end)).toEqual(['finished', 'finished'])
  })

  it('is said to lack the end alone where it has every log', async () => {
    const messages = logged()
    const { tracker, told } = fakeTracker()
    const open: Tracker['open'] = async opened => ({ ...(await tracker.open(opened)), finish: () => never<void>() })
    await run({}, { callbacks: [new FakeCallback({ ...tracker, open })] })
    expect(told[0]!.logs).toHaveLength(7)
    expect(messages).toEqual(["Fake has not answered in time. What may be missing there: the run's end."])
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
