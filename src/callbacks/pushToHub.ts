import { TrainerCallback } from './TrainerCallback'

/** What can push a run's checkpoints: the Trainer. */
export interface CheckpointPusher {
  /** Makes the repository unless it is there, and sees to it that the token may write to it. */
  prepare(): Promise<void>
  /** Begins to push the checkpoint that was just saved, as `hubStrategy` says, and does not wait for its end. */
  push(): Promise<void>
}

/**
 * Pushes to the Hub while training: a callback of every Trainer with `pushToHub`, after those of the user, so that what
 * they write at a checkpoint is pushed too. Without it `trainer.pushToHub()` alone pushes.
 *
 * @example
 * trainer.removeCallback(PushToHubCallback)
 */
export class PushToHubCallback extends TrainerCallback {
  readonly #pusher: CheckpointPusher

  constructor(pusher: CheckpointPusher) {
    super()
    this.#pusher = pusher
  }

  /** A token that may not write is found before the first step, not after hours. */
  override async onTrainBegin(): Promise<void> {
    await this.#pusher.prepare()
  }

  override async onSave(): Promise<void> {
    await this.#pusher.push()
  }
}
