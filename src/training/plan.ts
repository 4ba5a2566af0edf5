import { TrainerState } from '../callbacks/TrainerState'
import { TrainerError } from '../errors'
import type { TrainingArguments } from '../TrainingArguments'

/** How long a run is, in updates: Hugging Face's step arithmetic. */
export interface Plan {
  /** Micro-batches in an epoch; undefined for data without a length. */
  readonly batchesPerEpoch: number | undefined
  readonly updatesPerEpoch: number
  readonly totalUpdates: number
  /** Epochs to go through, the last perhaps in part. */
  readonly epochs: number
  /** What `epoch` counts fractions of: micro-batches. */
  readonly epochLength: number
}

/**
 * The plan for `batches` micro-batches an epoch: updates per epoch = ⌈batches / accumulation⌉, at least 1; in all
 * `maxSteps` if it is above 0, else ⌈epochs · updates per epoch⌉.
 * @throws TrainerError when the length is not known and `maxSteps` is not given.
 */
export function planRun(batches: number | undefined, accumulation: number, epochs: number, maxSteps: number): Plan {
  if (batches === undefined) {
    if (maxSteps <= 0) {
      throw new TrainerError(
        'argument',
        'The training dataset has no length, so how long to train cannot be derived from epochs.',
        { fix: 'Set maxSteps.' },
      )
    }
    return {
      batchesPerEpoch: undefined,
      updatesPerEpoch: maxSteps,
      totalUpdates: maxSteps,
      epochs: Infinity,
      epochLength: maxSteps * accumulation,
    }
  }
  const updatesPerEpoch = Math.max(1, Math.ceil(batches / accumulation))
  const totalUpdates = maxSteps > 0 ? maxSteps : Math.ceil(epochs * updatesPerEpoch)
  return {
    batchesPerEpoch: batches,
    updatesPerEpoch,
    totalUpdates,
    epochs: maxSteps > 0 ? Math.ceil(maxSteps / updatesPerEpoch) : Math.ceil(epochs),
    epochLength: batches,
  }
}

/** The state in which a planned run begins. */
export function startState(plan: Plan, args: TrainingArguments): TrainerState {
  const numTrainEpochs = Number.isFinite(plan.epochs) ? plan.epochs : Math.ceil(args.numTrainEpochs)
  const state = new TrainerState({ maxSteps: plan.totalUpdates, numTrainEpochs, trainBatchSize: args.trainBatchSize })
  state.computeSteps(args, plan.totalUpdates)
  return state
}
