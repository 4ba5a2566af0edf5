import { TrainerError } from '../errors'
import { checkOptions } from '../options'
import { log, logOnce } from '../logging'
import { isBetter } from '../metrics/better'
import type { TrainingArguments } from '../TrainingArguments'
import type { CallbackState } from './CallbackState'
import { type CallbackContext, TrainerCallback } from './TrainerCallback'
import type { TrainerControl } from './TrainerControl'
import type { TrainerState } from './TrainerState'

/** Options of {@link EarlyStoppingCallback}. */
interface EarlyStoppingOptions {
  /** Evaluations without improvement after which training stops; 1 by default. */
  readonly earlyStoppingPatience?: number
  /** The metric has to improve by more than this; 0 by default. */
  readonly earlyStoppingThreshold?: number
}

/** The names of {@link EarlyStoppingOptions}. */
const earlyStoppingOptions = Object.keys({
  earlyStoppingPatience: 1,
  earlyStoppingThreshold: 1,
} satisfies Record<keyof EarlyStoppingOptions, 1>)

/**
 * Stops training when `metricForBestModel` has not improved for some evaluations in a row.
 *
 * It improves if it is strictly better than the best so far, by more than the threshold; NaN is not better. The count
 * is kept in checkpoints.
 */
export class EarlyStoppingCallback extends TrainerCallback {
  readonly earlyStoppingPatience: number
  readonly earlyStoppingThreshold: number
  /** Evaluations in a row without improvement. */
  earlyStoppingPatienceCounter = 0

  /** @throws TrainerError (`argument`) for an unknown option, a patience below 1 or a negative threshold. */
  constructor(options: EarlyStoppingOptions = {}) {
    super()
    const { earlyStoppingPatience, earlyStoppingThreshold } = checkedOptions(options)
    this.earlyStoppingPatience = earlyStoppingPatience
    this.earlyStoppingThreshold = earlyStoppingThreshold
  }

  /** @throws TrainerError (`argument`) without `metricForBestModel` or without evaluations. */
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
        'EarlyStoppingCallback without loadBestModelAtEnd: the final model is the last one, not the best one.',
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
      logOnce('warning', `EarlyStoppingCallback does not count an evaluation without ${key}; this one has ${found}.`)
      return
    }
    const improved = this.#improves(value, state.bestMetric, greaterIsBetter)
    this.earlyStoppingPatienceCounter = improved ? 0 : this.earlyStoppingPatienceCounter + 1
    if (this.earlyStoppingPatienceCounter >= this.earlyStoppingPatience) control.shouldTrainingStop = true
  }

  /** As in Hugging Face, any value improves on no best yet, NaN too. */
  #improves(value: number, best: number | undefined, greaterIsBetter: boolean): boolean {
    if (best === undefined) return true
    return isBetter(value, best, greaterIsBetter) && Math.abs(value - best) > this.earlyStoppingThreshold
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

  /** Takes over the count; patience and threshold keep their present values. */
  override restore({ attributes }: CallbackState): void {
    const counter = attributes.early_stopping_patience_counter
    if (typeof counter === 'number') this.earlyStoppingPatienceCounter = counter
  }
}

function checkedOptions(options: EarlyStoppingOptions): Required<EarlyStoppingOptions> {
  if (typeof options !== 'object') {
    throw new TrainerError('argument', 'EarlyStoppingCallback takes an object.', {
      fix: `Write { earlyStoppingPatience: ${String(options)} }.`,
    })
  }
  checkOptions(options, earlyStoppingOptions, 'EarlyStoppingCallback')
  const { earlyStoppingPatience: patience = 1, earlyStoppingThreshold: threshold = 0 } = options
  if (!Number.isInteger(patience) || patience < 1) {
    throw new TrainerError(
      'argument',
      `earlyStoppingPatience should be a whole number of at least 1, but is ${JSON.stringify(patience)}.`,
    )
  }
  if (!(threshold >= 0)) {
    throw new TrainerError(
      'argument',
      `earlyStoppingThreshold should be a number of at least 0, but is ${String(threshold)}.`,
    )
  }
  return { earlyStoppingPatience: patience, earlyStoppingThreshold: threshold }
}
