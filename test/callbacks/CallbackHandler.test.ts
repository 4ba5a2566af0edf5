import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CallbackHandler, type CallbackOrClass } from '../../src/callbacks/CallbackHandler'
import { EarlyStoppingCallback } from '../../src/callbacks/earlyStopping'
import { callbackEvents, type CallbackContext, TrainerCallback } from '../../src/callbacks/TrainerCallback'
import { TrainerControl } from '../../src/callbacks/TrainerControl'
import { TrainerState } from '../../src/callbacks/TrainerState'
import { setLogSink } from '../../src/logging'
import { TrainingArguments } from '../../src/TrainingArguments'

const args = new TrainingArguments()
const state = new TrainerState()
let said: string[] = []
beforeEach(() => {
  said = []
  setLogSink((_level, message) => void said.push(message))
})
afterEach(() => setLogSink(() => undefined))

describe('events', () => {
  it('go to every callback in order, each awaited', async () => {
    const order: string[] = []
    const slow: TrainerCallback = {
      async onStepEnd() {
        await new Promise(resolve => {
          setTimeout(resolve, 5)
        })
        order.push('slow')
      },
    }
    const handler = new CallbackHandler([
      slow,
      { onStepEnd: () => void order.push('quick') },
      { onLog: () => void order.push('never') },
    ])
    await handler.call('onStepEnd', args, state, new TrainerControl())
    expect(order).toEqual(['slow', 'quick'])
  })

  it.each(callbackEvents)('%s is called with arguments, state, control and context', async event => {
    const seen: unknown[][] = []
    const handler = new CallbackHandler([{ [event]: (...given: unknown[]) => void seen.push(given) }])
    handler.context = { model: 'model' }
    const control = new TrainerControl()
    await handler.call(event, args, state, control, { logs: { loss: 1 } })
    expect(seen).toEqual([[args, state, control, { model: 'model', logs: { loss: 1 } }]])
  })

  it('clear their flags before any callback receives them', async () => {
    const all = {
      shouldTrainingStop: true,
      shouldEpochStop: true,
      shouldSave: true,
      shouldEvaluate: true,
      shouldLog: true,
    }
    const cleared: Record<string, string[]> = {}
    for (const event of callbackEvents) {
      const control = Object.assign(new TrainerControl(), all)
      const handler = new CallbackHandler([
        {
          [event]: () => {
            cleared[event] = Object.keys(all).filter(flag => !control[flag as keyof typeof all])
          },
        },
      ])
      await handler.call(event, args, state, control)
    }
    expect(Object.fromEntries(Object.entries(cleared).filter(([, flags]) => flags.length > 0))).toEqual({
      onTrainBegin: ['shouldTrainingStop'],
      onEpochBegin: ['shouldEpochStop'],
      onStepBegin: ['shouldSave', 'shouldEvaluate', 'shouldLog'],
      onLog: ['shouldLog'],
      onEvaluate: ['shouldEvaluate'],
      onSave: ['shouldSave'],
    })
  })

  it('take answers set on the control and returned, and show them to the next callback', async () => {
    const control = new TrainerControl()
    const seen: boolean[] = []
    const handler = new CallbackHandler([
      {
        onStepEnd: (_args, _state, flags) => {
          flags.shouldSave = true
        },
      },
      { onStepEnd: () => ({ shouldEvaluate: true, shouldSave: undefined }) as { shouldEvaluate: boolean } },
      { onStepEnd: async () => ({ shouldLog: true }) },
      {
        onStepEnd: (_args, _state, flags) => {
          seen.push(flags.shouldSave, flags.shouldEvaluate, flags.shouldLog)
          return flags
        },
      },
      { onStepEnd: () => ({ shouldSave: false }) },
    ])
    await handler.call('onStepEnd', args, state, control)
    expect(seen).toEqual([true, true, true])
    expect(control).toMatchObject({
      shouldSave: false,
      shouldEvaluate: true,
      shouldLog: true,
      shouldTrainingStop: false,
    })
  })

  it('refuse answers that are not flags', async () => {
    const handler = new CallbackHandler([{ name: 'mine', onStepEnd: () => ({ should_save: true }) } as CallbackOrClass])
    await expect(handler.call('onStepEnd', args, state, new TrainerControl())).rejects.toThrow(
      "mine.onStepEnd returned 'should_save', but the flags are",
    )
    await expect(handler.call('onStepEnd', args, state, new TrainerControl())).rejects.toThrow(
      'Did you mean shouldSave?',
    )
  })

  it('give every callback its own copy of logs and metrics', async () => {
    const logs = { loss: 1, total_flos: 2 }
    const rude = (_args: unknown, _state: unknown, _control: unknown, context: CallbackContext): void => {
      delete (context.logs as Record<string, number>).total_flos
    }
    const seen: unknown[] = []
    const handler = new CallbackHandler([
      { onLog: rude },
      { onLog: (_args, _state, _control, context) => void seen.push(context.logs) },
    ])
    await handler.call('onLog', args, state, new TrainerControl(), { logs })
    expect(seen).toEqual([{ loss: 1, total_flos: 2 }])
    expect(logs).toEqual({ loss: 1, total_flos: 2 })
  })
})

describe('callbacks', () => {
  class Loud extends TrainerCallback {
    override onLog(): void {
      /* heard */
    }
  }

  it('are added, popped and removed, as objects and as classes', () => {
    const first = new Loud()
    const plain = { onLog: () => undefined }
    const handler = new CallbackHandler([first, plain])
    handler.add(Loud)
    expect(said).toEqual(['There is already a Loud among the callbacks; now there are two.'])
    expect(handler.callbacks).toHaveLength(3)
    expect(handler.pop(Loud)).toBe(first)
    expect(handler.pop(plain)).toBe(plain)
    handler.remove(Loud)
    expect(handler.callbacks).toEqual([])
    expect(handler.pop(Loud)).toBeUndefined()
  })

  it('with a misspelt event do not compile as an object, and are refused as a class', () => {
    const add = (callback: CallbackOrClass) => () => new CallbackHandler([callback])
    // @ts-expect-error there is no such event
    const misspelt = add({ onLogg: () => undefined })
    expect(misspelt).toThrow('Did you mean onLog?')
    class Misspelt extends TrainerCallback {
      onEpochStart(): void {
        /* never called */
      }
    }
    expect(add(Misspelt)).toThrow(
      'Misspelt has a method onEpochStart, but no event has that name: it would never be called.',
    )
    class Python extends TrainerCallback {
      on_log(): void {
        /* never called */
      }
    }
    class Child extends Python {}
    expect(add(new Child())).toThrow('Did you mean onLog?')
    expect(add({ onLog: 3 } as never)).toThrow('onLog is not a method')
    expect(add('progress' as never)).toThrow('A callback is an object or a class')
  })

  it('may have members that are not events', () => {
    class Fine extends TrainerCallback {
      once = 1
      online(): void {
        /* not an event's name */
      }
    }
    expect(() => new CallbackHandler([Fine])).not.toThrow()
  })

  it('are disposed of when training has thrown', () => {
    let disposed = 0
    new CallbackHandler([
      {
        dispose: () => {
          disposed += 1
        },
      },
      {},
    ]).dispose()
    expect(disposed).toBe(1)
  })
})

describe('stored states', () => {
  const pair = (): [EarlyStoppingCallback, EarlyStoppingCallback] => [
    new EarlyStoppingCallback({ earlyStoppingPatience: 3 }),
    new EarlyStoppingCallback({ earlyStoppingPatience: 5, earlyStoppingThreshold: 0.1 }),
  ]

  it('keep one state a class, or a list of them, besides the control', () => {
    const [first, second] = pair()
    first.earlyStoppingPatienceCounter = 2
    const control = Object.assign(new TrainerControl(), { shouldSave: true })
    const args3 = { early_stopping_patience: 3, early_stopping_threshold: 0 }
    expect(new CallbackHandler([first, {}]).exportStates(control)).toEqual({
      EarlyStoppingCallback: { args: args3, attributes: { early_stopping_patience_counter: 2 } },
      TrainerControl: {
        args: {
          should_training_stop: false,
          should_epoch_stop: false,
          should_save: true,
          should_evaluate: false,
          should_log: false,
        },
        attributes: {},
      },
    })
    expect(new CallbackHandler([first, second]).exportStates(control).EarlyStoppingCallback).toEqual([
      { args: args3, attributes: { early_stopping_patience_counter: 2 } },
      {
        args: { early_stopping_patience: 5, early_stopping_threshold: 0.1 },
        attributes: { early_stopping_patience_counter: 0 },
      },
    ])
  })

  it('come back to each in its place, and leave the list of callbacks as it is', () => {
    const [first, second] = pair()
    first.earlyStoppingPatienceCounter = 1
    second.earlyStoppingPatienceCounter = 4
    const stored = new CallbackHandler([first, second]).exportStates(new TrainerControl())
    const fresh = new EarlyStoppingCallback({ earlyStoppingPatience: 9 })
    const other = new EarlyStoppingCallback()
    const handler = new CallbackHandler([fresh, other])
    handler.restoreStates(JSON.parse(JSON.stringify(stored)) as typeof stored)
    expect([fresh, other].map(one => [one.earlyStoppingPatience, one.earlyStoppingPatienceCounter])).toEqual([
      [9, 1],
      [1, 4],
    ])
    expect(handler.callbacks).toEqual([fresh, other])
    expect(Object.keys(handler.exportStates(new TrainerControl()))).toEqual(['TrainerControl', 'EarlyStoppingCallback'])
  })

  it('without a callback are reported', () => {
    new CallbackHandler([]).restoreStates({ EarlyStoppingCallback: { args: {}, attributes: {} } })
    expect(said.at(-1)).toBe(
      'The checkpoint has the state of 1 EarlyStoppingCallback, but this run has 0: the rest is not used.',
    )
  })
})
