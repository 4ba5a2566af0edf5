import {
  type PreTrainedModel,
  PrinterCallback,
  ProgressCallback,
  type TrainableModel,
  Trainer,
  type TrainerOptions,
  type TrainingArgumentsOptions,
} from '../../src/index'

export interface QuietOptions<Model extends TrainableModel> extends TrainerOptions<Model> {
  readonly args: TrainingArgumentsOptions
}

/**
 * A Trainer, or a subclass, that prints nothing. It needs nothing of Vitest, so that other processes and threads can
 * make one.
 */
export function quietTrainer<Model extends TrainableModel = PreTrainedModel>(
  options: QuietOptions<Model>,
  kind: typeof Trainer<Model> = Trainer,
): Trainer<Model> {
  const { args } = options
  const trainer = new kind({ ...options, args: { ...args, disableTqdm: true } })
  for (const loud of [PrinterCallback, ProgressCallback]) trainer.removeCallback(loud)
  return trainer
}
