import { refuseUnknown, TrainerError } from '../errors'
import { log, logOnce } from '../logging'
import type { TrainingArguments } from '../TrainingArguments'
import type { CallbackState } from './CallbackState'
import { type CallbackContext, TrainerCallback } from './TrainerCallback'
import type { TrainerControl } from './TrainerControl'
import type { TrainerState } from './TrainerState'

/**
 * Stops training when `metricForBestModel` has not got better for some evaluations in a row.
 *
 * Better is: strictly better than the best so far, and by more than the threshold. NaN is not. The count goes into
 * checkpoints and comes back.
 */
export class EarlyStoppingCallback extends TrainerCallback {
  readonly earlyStoppingPatience: number
  readonly earlyStoppingThreshold: number
  /** Evaluations in a row that were no better. */
  earlyStoppingPatienceCounter = 0

  /**
   * @param options.earlyStoppingPatience evaluations without improvement after which training stops; 1 unless given.
   * @param options.earlyStoppingThreshold by how much more than this the metric has to improve; 0 unless given.
   * @throws TrainerError (`argument`) for a patience below 1 or a negative threshold.
   */
  constructor(options: { earlyStoppingPatience?: number; earlyStoppingThreshold?: number } = {}) {
    super()
    if (typeof options !== 'object') {
      throw new TrainerError('argument', 'EarlyStoppingCallback takes an object.', {
        fix: `Write { earlyStoppingPatience: ${String(options)} }.`,
      })
    }
    refuseUnknown(options, ['earlyStoppingPatience', 'earlyStoppingThreshold'], 'EarlyStoppingCallback')
    const { earlyStoppingPatience = 1, earlyStoppingThreshold = 0 } = options
    if (!Number.isInteger(earlyStoppingPatience) || earlyStoppingPatience < 1) {
      throw new TrainerError(
        'argument',
        `earlyStoppingPatience should be a whole number of at least 1, but is ${JSON.stringify(earlyStoppingPatience)}.`,
      )
    }
    if (!(earlyStoppingThreshold >= 0)) {
      throw new TrainerError(
        'argument',
        `earlyStoppingThreshold should be a number of at least 0, but is ${String(earlyStoppingThreshold)}.`,
      )
    }
    this.earlyStoppingPatience = earlyStoppingPatience
    this.earlyStoppingThreshold = earlyStoppingThreshold
  }

  /** @throws TrainerError (`argument`) where there is no metric to look at, or never an evaluation. */
  override onTrainBegin(args: TrainingArguments): void {
    if (args.metricForBestModel === undefined) {
      throw new TrainerError('argument', 'EarlyStoppingCallback needs metricForBestModel.', {
        fix: "Set it, for instance to 'loss'.",
      })
    }
    if (args.evalStrategy === 'no') {
      throw new TrainerError('argument', "EarlyStoppingCallback needs evaluations, but evalStrategy is 'no'.", {
        fix: "Set it to 'epoch' or 'steps'.",
      })
    }
    if (!args.loadBestModelAtEnd) {
      log(
        'warning',
        'EarlyStoppingCallback without loadBestModelAtEnd: the model is left as it was when training stopped, not as it was best.',
      )
    }
  }

  override onEvaluate(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    control: TrainerControl,
    { metrics = {} }: CallbackContext,
  ): void {
    const { metricForBestModel: wanted = 'loss', greaterIsBetter = false } = args
    const key = wanted.startsWith('eval_') ? wanted : `eval_${wanted}`
    const value = metrics[key]
    if (typeof value !== 'number') {
      const found = Object.keys(metrics).join(', ')
      logOnce(
        'warning',
        `EarlyStoppingCallback found no ${key} in this evaluation, and does not count it; there are ${found}.`,
      )
      return
    }
    const { bestMetric: best } = state
    const better =
      best === undefined ||
      ((greaterIsBetter ? value > best : value < best) && Math.abs(value - best) > this.earlyStoppingThreshold)
    this.earlyStoppingPatienceCounter = better ? 0 : this.earlyStoppingPatienceCounter + 1
    if (this.earlyStoppingPatienceCounter >= this.earlyStoppingPatience) control.shouldTrainingStop = true
  }

  override state(): CallbackState {
    return {
      args: {
        early_stopping_patience: this.earlyStoppingPatience,
        early_stopping_threshold: this.earlyStoppingThreshold,
      },
      attributes: { early_stopping_patience_counter: this.earlyStoppingPatienceCounter },
    }
  }

  /** Takes up the count; patience and threshold stay as they are now. */
  override restore({ attributes }: CallbackState): void {
    const counter = attributes.early_stopping_patience_counter
    if (typeof counter === 'number') this.earlyStoppingPatienceCounter = counter
  }
}
