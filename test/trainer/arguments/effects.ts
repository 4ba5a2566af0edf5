// what the tests of arguments share
import type { ArgumentName } from '../../../src/arguments/table'
import type { PreTrainedModel, Tensor, TrainingArgumentsOptions } from '../../../src/index'
import { tinyModel } from '../../helpers/tinyModel'

/** For each argument, a test of what it changes. */
export type Effects = Partial<Record<ArgumentName, () => Promise<void> | void>>

export const onlyStep = { maxSteps: 1, loggingSteps: 1 } as const satisfies TrainingArgumentsOptions

export function accuracy({ predictions, labels }: { predictions: Tensor; labels: Tensor }): Record<string, number> {
  const chosen = predictions.argmax(-1)
  const right = labels.data.filter((label: unknown, i: number) => Number(label) === Number(chosen.data[i]))
  return { accuracy: right.length / labels.size }
}

/** The steps at which something was logged. */
export function stepsOf(entries: readonly Readonly<Record<string, unknown>>[]): unknown[] {
  return entries.map(entry => entry.step)
}

/** Metrics that are 2, 3, 1: the second evaluation has the highest, the third the lowest. */
export function threeScores(): () => Record<string, number> {
  const scores = [2, 3, 1]
  return () => ({ score: scores.shift()! })
}

/** A model whose loss is NaN. */
export function brokenModel(): PreTrainedModel {
  const made = tinyModel()
  made.parameter('classifier.bias').data[0] = NaN
  return made
}
