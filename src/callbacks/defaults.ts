import type { TrainingArguments } from '../TrainingArguments'
import { DefaultFlowCallback } from './defaultFlow'
import { PrinterCallback } from './printer'
import { ProgressCallback } from './progress'
import { type CheckpointPusher, PushToHubCallback } from './pushToHub'
import type { TrainerCallback } from './TrainerCallback'

/** The callbacks of every Trainer: those before the user's and those after, in Hugging Face's order. */
export function defaultCallbacks(
  args: TrainingArguments,
  pusher: CheckpointPusher,
): {
  readonly first: readonly TrainerCallback[]
  readonly last: readonly TrainerCallback[]
} {
  return {
    first: [new DefaultFlowCallback()],
    last: [
      args.disableTqdm ? new PrinterCallback() : new ProgressCallback(),
      ...(args.pushToHub ? [new PushToHubCallback(pusher)] : []),
    ],
  }
}
