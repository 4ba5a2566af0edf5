import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CallbackHandler, type CallbackOrClass } from '../../src/callbacks/CallbackHandler'
import { DefaultFlowCallback } from '../../src/callbacks/defaultFlow'
import { EarlyStoppingCallback } from '../../src/callbacks/earlyStopping'
import { JsonlLogCallback } from '../../src/callbacks/jsonlLog'
import { PrinterCallback } from '../../src/callbacks/printer'
import { TrainerControl } from '../../src/callbacks/TrainerControl'
import { TrainerState } from '../../src/callbacks/TrainerState'
import { setLogSink } from '../../src/logging'
import { TrainingArguments, type TrainingArgumentsOptions } from '../../src/TrainingArguments'

let said: string[] = []
beforeEach(() => {
  said = []
  setLogSink((_level, message) => void said.push(message))
})
afterEach(() => setLogSink(() => undefined))

/** What the default flow asks for at each step that asks for anything: L log, E evaluate, S save, X stop. */
async function flow(
  options: TrainingArgumentsOptions,
  maxSteps: number,
  stepsPerEpoch = maxSteps,
): Promise<Record<string, string>> {
  const args = new TrainingArguments(options)
  const state = new TrainerState({ maxSteps })
  state.computeSteps(args, maxSteps)
  const handler = new CallbackHandler([DefaultFlowCallback])
  const control = new TrainerControl()
  const asked: Record<string, string> = {}
  const note = (at: string): void => {
    const letters = {
      L: control.shouldLog,
      E: control.shouldEvaluate,
      S: control.shouldSave,
      X: control.shouldTrainingStop,
    }
    const flags = Object.entries(letters)
      .map(([letter, asked]) => (asked ? letter : ''))
      .join('')
    if (flags !== '') asked[at] = flags
    Object.assign(control, { shouldLog: false, shouldEvaluate: false, shouldSave: false })
  }
  for (let step = 1; step <= maxSteps; step++) {
    await handler.call('onStepBegin', args, state, control)
    Object.assign(state, { globalStep: step, epoch: step / stepsPerEpoch })
    await handler.call('onStepEnd', args, state, control)
    note(String(step))
    if (step % stepsPerEpoch !== 0) continue
    await handler.call('onEpochEnd', args, state, control)
    note(`epoch ${step / stepsPerEpoch}`)
  }
  return asked
}

describe('DefaultFlowCallback', () => {
  it("follows the document's run", async () => {
    const asked = await flow(
      { loggingSteps: 3, loggingFirstStep: true, evalStrategy: 'steps', evalSteps: 2, evalDelay: 3, saveSteps: 4 },
      10,
    )
    expect(asked).toEqual({ 1: 'L', 3: 'L', 4: 'ES', 6: 'LE', 8: 'ES', 9: 'L', 10: 'ESX', 'epoch 1': 'X' })
  })

  // The flags of transformers 5.17's runs `fractions`, `evaluation-delay` and `max-steps-mid-epoch` (18, 18 and 8
  // steps, 6 an epoch).
  it('takes shares of the run', async () => {
    const asked = await flow({ loggingSteps: 0.25, evalStrategy: 'steps', evalSteps: 0.5, saveSteps: 0.5 }, 18, 6)
    expect(asked).toEqual({ 5: 'L', 9: 'ES', 10: 'L', 15: 'L', 18: 'ESX', 'epoch 3': 'X' })
  })

  it('goes by epochs', async () => {
    const asked = await flow(
      { loggingStrategy: 'epoch', evalStrategy: 'epoch', evalDelay: 1.5, saveStrategy: 'no' },
      18,
      6,
    )
    expect(asked).toEqual({ 'epoch 1': 'L', 'epoch 2': 'LE', 18: 'X', 'epoch 3': 'LEX' })
  })

  it('evaluates the last step although it is not due, unless it is before the delay', async () => {
    expect(await flow({ loggingStrategy: 'no', evalStrategy: 'steps', evalSteps: 4, saveStrategy: 'no' }, 6)).toEqual({
      4: 'E',
      6: 'EX',
      'epoch 1': 'X',
    })
    expect(
      await flow({ loggingStrategy: 'no', evalStrategy: 'steps', evalSteps: 4, evalDelay: 7, saveStrategy: 'no' }, 6),
    ).toEqual({ 6: 'X', 'epoch 1': 'X' })
  })

  it('only saves at the end if saveSteps is 0, and not by steps with another strategy', async () => {
    expect(await flow({ loggingStrategy: 'no', saveSteps: 0 }, 4)).toEqual({ 4: 'SX', 'epoch 1': 'X' })
    expect(await flow({ loggingStrategy: 'no', saveStrategy: 'epoch' }, 4, 2)).toEqual({
      'epoch 1': 'S',
      4: 'X',
      'epoch 2': 'SX',
    })
    expect(await flow({ loggingStrategy: 'no', saveStrategy: 'best', evalStrategy: 'epoch' }, 2)).toEqual({
      2: 'X',
      'epoch 1': 'EX',
    })
  })
})

describe('EarlyStoppingCallback', () => {
  const best: TrainingArgumentsOptions = {
    evalStrategy: 'epoch',
    saveStrategy: 'epoch',
    loadBestModelAtEnd: true,
    metricForBestModel: 'accuracy',
  }

  /**
   * The counter after each evaluation, up to the stop. The best metric is kept as the Trainer keeps it: after the
   * callback.
   */
  async function counters(
    callback: EarlyStoppingCallback,
    metrics: readonly number[],
    options = best,
  ): Promise<number[]> {
    const args = new TrainingArguments(options)
    const state = new TrainerState()
    const control = new TrainerControl()
    const handler = new CallbackHandler([callback])
    await handler.call('onTrainBegin', args, state, control)
    const seen: number[] = []
    for (const value of metrics) {
      await handler.call('onEvaluate', args, state, control, {
        metrics: { [`eval_${args.metricForBestModel}`]: value },
      })
      const than = state.bestMetric ?? (args.greaterIsBetter === true ? -Infinity : Infinity)
      if (args.greaterIsBetter === true ? value > than : value < than) state.bestMetric = value
      seen.push(callback.earlyStoppingPatienceCounter)
      if (control.shouldTrainingStop) break
    }
    return seen
  }

  it('counts as the document has it', async () => {
    const strict = new EarlyStoppingCallback({ earlyStoppingPatience: 2, earlyStoppingThreshold: 0.01 })
    expect(await counters(strict, [0.5, 0.6, 0.605, 0.6, 1])).toEqual([0, 0, 1, 2])
    expect(
      await counters(new EarlyStoppingCallback({ earlyStoppingPatience: 2 }), [0.5, NaN, 0.6, NaN, NaN, 1]),
    ).toEqual([0, 1, 0, 1, 2])
  })

  it("takes the metric's direction", async () => {
    const loss = { ...best, metricForBestModel: 'loss' }
    expect(await counters(new EarlyStoppingCallback(), [1, 0.9, 0.8, 0.85], loss)).toEqual([0, 0, 0, 1])
  })

  it('continues to count from a stored state', async () => {
    const first = new EarlyStoppingCallback({ earlyStoppingPatience: 3 })
    await counters(first, [0.5, 0.4, 0.3])
    const second = new EarlyStoppingCallback({ earlyStoppingPatience: 3 })
    second.restore(JSON.parse(JSON.stringify(first.state())) as ReturnType<typeof first.state>)
    expect(second.earlyStoppingPatienceCounter).toBe(2)
  })

  it('names what it needs, and the metric that it misses', async () => {
    const begin = (options: TrainingArgumentsOptions) =>
      new CallbackHandler([EarlyStoppingCallback]).call(
        'onTrainBegin',
        new TrainingArguments(options),
        new TrainerState(),
        new TrainerControl(),
      )
    await expect(begin({ evalStrategy: 'epoch' })).rejects.toThrow('needs metricForBestModel')
    await expect(begin({ metricForBestModel: 'loss' })).rejects.toThrow("evalStrategy is 'no'")
    await begin({ metricForBestModel: 'loss', evalStrategy: 'epoch' })
    expect(said).toEqual([
      'EarlyStoppingCallback without loadBestModelAtEnd: the final model is the last one, not the best one.',
    ])

    const callback = new EarlyStoppingCallback()
    const control = new TrainerControl()
    await new CallbackHandler([callback]).call('onEvaluate', new TrainingArguments(best), new TrainerState(), control, {
      metrics: { eval_b_loss: 1 },
    })
    expect(said[1]).toBe(
      'EarlyStoppingCallback does not count an evaluation without eval_accuracy; this one has eval_b_loss.',
    )
    expect([callback.earlyStoppingPatienceCounter, control.shouldTrainingStop]).toEqual([0, false])
  })

  it('refuses an impossible patience or threshold', () => {
    expect(() => new EarlyStoppingCallback({ earlyStoppingPatience: 0 })).toThrow('at least 1, but is 0')
    expect(() => new EarlyStoppingCallback({ earlyStoppingThreshold: NaN })).toThrow('at least 0, but is NaN')
  })
})

describe('logs', () => {
  const logAt = (callback: CallbackOrClass, options: TrainingArgumentsOptions = {}) =>
    new CallbackHandler([callback]).call(
      'onLog',
      new TrainingArguments(options),
      new TrainerState({ globalStep: 7 }),
      new TrainerControl(),
      { logs: { loss: 0.41234567, grad_norm: NaN, epoch: 1.5, total_flos: 9 } },
    )

  it('are printed as lines', async () => {
    let text = ''
    await logAt(
      new PrinterCallback({
        stream: {
          write: (more: string) => {
            text += more
          },
        },
      }),
    )
    expect(text).toBe("{'loss': '0.4123', 'grad_norm': 'nan', 'epoch': '1.5'}\n")
  })

  it("are written as JSON Lines, with the run's name", async () => {
    const lines: string[] = []
    await logAt(new JsonlLogCallback(line => lines.push(line)))
    await logAt(
      new JsonlLogCallback({
        write: async line => {
          lines.push(line)
        },
      }),
      { runName: 'first' },
    )
    expect(lines).toEqual([
      '{"loss":0.41234567,"grad_norm":null,"epoch":1.5,"total_flos":9,"step":7}\n',
      '{"run_name":"first","loss":0.41234567,"grad_norm":null,"epoch":1.5,"total_flos":9,"step":7}\n',
    ])
  })

  it('need somewhere to go', () => {
    expect(() => new JsonlLogCallback('log.jsonl' as never)).toThrow("Open a file with createWriteStream('log.jsonl'")
  })
})
