import type { TrainingArguments } from '../TrainingArguments'
import { TrainerCallback } from './TrainerCallback'
import type { TrainerControl } from './TrainerControl'
import type { TrainerState } from './TrainerState'

/**
 * Decides when the loop logs, evaluates, saves and ends, from the arguments' strategies. As in transformers 5, with
 * evaluation by steps the last step is always evaluated. Without this callback none of that happens.
 */
export class DefaultFlowCallback extends TrainerCallback {
  override onStepEnd(args: TrainingArguments, state: Readonly<TrainerState>, control: TrainerControl): void {
    const { globalStep: step } = state
    const last = step >= state.maxSteps
    if ((step === 1 && args.loggingFirstStep) || (args.loggingStrategy === 'steps' && step % state.loggingSteps === 0))
      control.shouldLog = true
    if (args.evalStrategy === 'steps' && (last || step % state.evalSteps === 0) && args.evalDelay <= step)
      control.shouldEvaluate = true
    if (args.saveStrategy === 'steps' && (last || (state.saveSteps > 0 && step % state.saveSteps === 0)))
      control.shouldSave = true
    if (last) control.shouldTrainingStop = true
  }

  override onEpochEnd(args: TrainingArguments, state: Readonly<TrainerState>, control: TrainerControl): void {
    if (args.loggingStrategy === 'epoch') control.shouldLog = true
    if (args.evalStrategy === 'epoch' && args.evalDelay <= state.epoch) control.shouldEvaluate = true
    if (args.saveStrategy === 'epoch') control.shouldSave = true
  }
}
