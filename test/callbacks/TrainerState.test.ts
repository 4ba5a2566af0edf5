import { describe, expect, it } from 'vitest'
import { TrainerState } from '../../src/callbacks/TrainerState'
import { TrainingArguments } from '../../src/TrainingArguments'

/** What transformers 5.17 wrote (shortened to one log), with Python's literals put in. */
const python = `{
  "best_global_step": 12,
  "best_metric": 0.9945316314697266,
  "best_model_checkpoint": "out/NaN/checkpoint-12",
  "epoch": 3.0,
  "eval_steps": 500,
  "global_step": 18,
  "is_hyper_param_search": false,
  "is_local_process_zero": true,
  "is_world_process_zero": true,
  "log_history": [
    {
      "epoch": 0.5454545454545454,
      "grad_norm": NaN,
      "learning_rate": 0.004916666666666666,
      "loss": -Infinity,
      "note": "a \\"NaN, Infinity\\" in text",
      "step": 3
    }
  ],
  "logging_steps": 3,
  "max_steps": 120,
  "num_input_tokens_seen": 0,
  "num_train_epochs": 20,
  "save_steps": 500,
  "stateful_callbacks": {
    "EarlyStoppingCallback": {
      "args": {
        "early_stopping_patience": 1,
        "early_stopping_threshold": 0.0
      },
      "attributes": {
        "early_stopping_patience_counter": 1
      }
    }
  },
  "total_flos": 0,
  "train_batch_size": 4,
  "trial_name": null,
  "trial_params": null
}
`

describe('TrainerState', () => {
  it('reads what Python wrote, literals too', () => {
    const state = TrainerState.fromJSON(python)
    expect(state).toMatchObject({
      epoch: 3,
      globalStep: 18,
      maxSteps: 120,
      bestMetric: 0.9945316314697266,
      bestModelCheckpoint: 'out/NaN/checkpoint-12',
      trialName: undefined,
      logHistory: [{ grad_norm: NaN, loss: -Infinity, step: 3, note: 'a "NaN, Infinity" in text' }],
    })
  })

  it('writes the same text, with null for numbers that JSON does not have', () => {
    const written = TrainerState.fromJSON(python).toJsonString()
    const expected = python
      .replace('"grad_norm": NaN', '"grad_norm": null')
      .replace('"loss": -Infinity', '"loss": null')
      .replaceAll(/(\d)\.0\b/g, '$1')
    expect(written).toBe(expected)
    expect(TrainerState.fromJSON(written).logHistory).toMatchObject([{ grad_norm: NaN, loss: NaN }])
  })

  it("begins as Hugging Face's does, and fills in what a file does not have", () => {
    const start = {
      epoch: 0,
      globalStep: 0,
      loggingSteps: 500,
      evalSteps: 500,
      saveSteps: 500,
      logHistory: [],
      isWorldProcessZero: true,
    }
    expect(new TrainerState()).toMatchObject(start)
    expect(TrainerState.fromJSON('{"global_step": 4, "from_the_future": 1}')).toMatchObject({ ...start, globalStep: 4 })
  })

  it('turns shares of the run into intervals, rounded up', () => {
    const state = new TrainerState()
    state.computeSteps(
      new TrainingArguments({ loggingSteps: 0.25, evalStrategy: 'steps', evalSteps: 0.5, saveSteps: 7 }),
      18,
    )
    expect([state.loggingSteps, state.evalSteps, state.saveSteps]).toEqual([5, 9, 7])
  })

  it('refuses what is not an object', () => {
    expect(() => TrainerState.fromJSON('[')).toThrow('not valid JSON')
    expect(() => TrainerState.fromJSON('3')).toThrow('should hold one object')
  })

  it.each([
    [{ global_step: 1.5 }, 'global_step in trainer_state.json should be a whole number, but is 1.5.'],
    [{ epoch: '3' }, 'epoch in trainer_state.json should be a number, but is "3".'],
    [{ is_world_process_zero: 1 }, 'should be true or false, but is 1.'],
    [{ best_model_checkpoint: 7 }, 'should be a text, but is 7.'],
    [{ trial_params: [] }, 'should be an object, but is [].'],
    [{ log_history: [1] }, 'should be a list of logs, but is [1].'],
    [{ stateful_callbacks: { A: 3 } }, 'should be an object of states, but is {"A":3}.'],
  ])('refuses a field of another kind: %j', (file, message) => {
    expect(() => TrainerState.fromJSON(file)).toThrow(message)
    expect(() => TrainerState.fromJSON(JSON.stringify(file))).toThrow(message)
  })

  it('gives every state its own lists and objects', () => {
    new TrainerState().logHistory.push({ loss: 1 })
    expect(new TrainerState().logHistory).toEqual([])
  })
})
