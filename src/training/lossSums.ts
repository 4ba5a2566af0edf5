// losses as programs give them: sums, and what they are to be divided by
import type { EngineValue, EngineValues } from '../engine/Engine'
import { TrainerError } from '../errors'
import type { LabelFeed } from '../heads/Head'
import type { TrainingProgram } from '../programs/TrainingProgram'
import { Tensor } from '../tensor'

/** The sum of a batch's loss, and what it is to be divided by. */
export interface LossSum {
  readonly loss: number
  readonly count: number
  /** Of an evaluation whose loss is one of several, each divided by a count of its own: these, which it is the sum of. */
  readonly terms?: readonly LossSum[] | undefined
}

/** The loss that a run has returned. */
export function lossOf(outputs: EngineValues, { sum, count }: TrainingProgram['loss']): LossSum {
  const [sums, counts] = [numbersOf(outputs[sum]), numbersOf(outputs[count])]
  if (sums.length === 1) return { loss: sums[0]!, count: counts[0]! }
  const terms = sums.map((loss, term) => ({ loss, count: counts[term]! }))
  return { ...terms.reduce((a, b) => addedLoss(a, b)), terms }
}

/** The numbers of an output, which a run has returned as a tensor. */
function numbersOf(value: EngineValue | undefined): readonly number[] {
  return value instanceof Tensor ? Array.from(value.data as Float32Array, Number) : [NaN]
}

/** The loss of two batches together. */
export function addedLoss(a: LossSum, b: LossSum): LossSum {
  const terms = a.terms?.map((term, i) => addedLoss(term, b.terms![i]!))
  return { loss: a.loss + b.loss, count: a.count + b.count, ...(terms && { terms }) }
}

/** A loss divided: NaN where nothing counts. Of several one that nothing counts of adds nothing, as in training. */
export function meanLoss({ loss, count, terms }: LossSum): number {
  if (terms === undefined || count === 0) return loss / count
  return terms.reduce((sum, term) => sum + (term.count === 0 ? 0 : term.loss / term.count), 0)
}

/** The labels that count. */
export type Counted = Pick<LabelFeed, 'count' | 'counts'>

/**
 * In training each of several losses is divided by how many labels of its column count, whatever its own count says; so
 * both have to agree.
 * @throws TrainerError ('argument') where they do not.
 */
export function checkCounted(count: number, labels: Counted | undefined, model: string): void {
  if (labels?.counts === undefined || !Number.isFinite(count)) return
  if (Math.abs(count - labels.count) <= 1e-4 * Math.max(1, labels.count)) return
  const found = `of ${model} count ${count}, but ${labels.count} labels of their columns count in the batch`
  throw new TrainerError('argument', `The losses ${found}.`, {
    fix: 'Leave out of sum and count what is labelled -100. A loss that counts otherwise (one with classWeights) is returned alone, as { sum, count }.',
  })
}
