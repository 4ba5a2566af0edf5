import { nearest, TrainerError } from '../errors'
import type { ProblemType } from '../models/config'
import type { LossFunction } from '../TrainingGraph'

/** A loss that is picked by its name. */
export type LossName = 'cross_entropy' | 'binary_cross_entropy' | 'mean_squared_error'

const problemTypes: Readonly<Record<LossName, ProblemType>> = {
  cross_entropy: 'single_label_classification',
  binary_cross_entropy: 'multi_label_classification',
  mean_squared_error: 'regression',
}

/**
 * What `computeLossFunc` says: a function, or the kind of head that a name stands for.
 * @throws TrainerError for another name.
 */
export function lossNamed(loss: LossFunction | LossName | undefined): {
  readonly custom?: LossFunction
  readonly problemType?: ProblemType
} {
  if (loss === undefined) return {}
  if (typeof loss === 'function') return { custom: loss }
  if (Object.hasOwn(problemTypes, loss)) return { problemType: problemTypes[loss] }
  const near = nearest(String(loss), Object.keys(problemTypes))
  throw new TrainerError('argument', `computeLossFunc is "${String(loss)}", which is no loss.`, {
    fix:
      near === undefined
        ? `Name one of ${Object.keys(problemTypes).join(', ')}, or give a function.`
        : `Did you mean "${near}"?`,
  })
}
