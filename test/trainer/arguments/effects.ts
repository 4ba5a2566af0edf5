import type { ArgumentName } from '../../../src/arguments/table'
import type { PreTrainedModel } from '../../../src/index'
import { tinyModel } from '../support'

/** By argument, a test of what it changes. */
export type Effects = Partial<Record<ArgumentName, () => Promise<void> | void>>

/** The steps of log entries. */
export const steps = (entries: readonly Readonly<Record<string, unknown>>[]): unknown[] =>
  entries.map(entry => entry.step)

/** The arguments of a run of one update. */
export const onlyStep = { maxSteps: 1, loggingSteps: 1 } as const

/** Metrics with the scores 2, 3, 1: the second evaluation has the highest, the third the lowest. */
export function rising(): () => { score: number } {
  const scores = [2, 3, 1]
  return () => ({ score: scores.shift()! })
}

/** A model whose loss is NaN. */
export function broken(): PreTrainedModel {
  const made = tinyModel()
  made.parameter('classifier.bias').data[0] = NaN
  return made
}

/** A callback that makes a bias NaN after so many updates. */
export const spoilAfter = (updates: number) => ({
  onStepBegin: (
    _args: unknown,
    { globalStep }: { readonly globalStep: number },
    _control: unknown,
    context: { readonly model?: unknown },
  ) => void (globalStep === updates && (context.model as PreTrainedModel).parameter('classifier.bias').data.fill(NaN)),
})
