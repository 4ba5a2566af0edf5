import { clipCoefficient } from './clip'

/** The sums that an update is made of. */
export interface UpdateSums {
  /** Of the losses. */
  readonly loss: number
  /** Of what losses and gradients are divided by. */
  readonly count: number
  /** Of the squares of the gradients' sums. */
  readonly squaredNorm: number
}

/** The means that an update is judged by. */
export interface UpdateMeans {
  readonly loss: number
  /** The norm of the mean loss's gradient. */
  readonly gradNorm: number
  /** What the gradients' sums are multiplied by to be those of the mean. */
  readonly scale: number
}

/** @param lossScale what the loss was multiplied by before gradients were made of it. */
export function meansOf({ loss, count, squaredNorm }: UpdateSums, lossScale = 1): UpdateMeans {
  const divisor = count === 0 ? 1 : count // an update whose labels are all -100 has nothing to learn from
  const scale = 1 / (divisor * lossScale)
  return { loss: loss / divisor, gradNorm: Math.sqrt(squaredNorm) * scale, scale }
}

/** Whether an update can be made. */
export function isFiniteUpdate({ loss, gradNorm }: Pick<UpdateMeans, 'loss' | 'gradNorm'>): boolean {
  return Number.isFinite(loss) && Number.isFinite(gradNorm)
}

/** What the gradients' sums are multiplied by in an update: the mean's gradient, clipped to a norm. */
export function gradientScale({ gradNorm, scale }: UpdateMeans, maxNorm: number): number {
  return scale * clipCoefficient(gradNorm, maxNorm)
}
