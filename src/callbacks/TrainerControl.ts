import { nearest, TrainerError } from '../errors'
import type { CallbackState } from './CallbackState'

/** What a callback can ask of the loop. */
export interface ControlFlags {
  /** Stop training after this update. */
  shouldTrainingStop: boolean
  /** End this epoch after this update. */
  shouldEpochStop: boolean
  /** Write a checkpoint. */
  shouldSave: boolean
  /** Evaluate. */
  shouldEvaluate: boolean
  /** Log the training loss. */
  shouldLog: boolean
}

const names: readonly (keyof ControlFlags)[] = [
  'shouldTrainingStop',
  'shouldEpochStop',
  'shouldSave',
  'shouldEvaluate',
  'shouldLog',
]

/** The flags through which callbacks answer; the loop acts on them. All are false at first. */
export class TrainerControl implements ControlFlags {
  shouldTrainingStop = false
  shouldEpochStop = false
  shouldSave = false
  shouldEvaluate = false
  shouldLog = false

  constructor() {
    Object.preventExtensions(this) // a misspelt flag is a TypeError, not a flag that nothing reads
  }

  /**
   * Takes over the flags that a callback returned.
   * @throws TrainerError (`argument`) for a flag that there is not, with the nearest.
   */
  take(answer: Partial<ControlFlags>, from: string): void {
    for (const [name, value] of Object.entries(answer)) {
      if (!names.includes(name as keyof ControlFlags)) {
        const near = nearest(name, names)
        throw new TrainerError(
          'argument',
          `${from} returned '${name}', but the flags are ${names.join(', ')}.`,
          near === undefined ? {} : { fix: `Did you mean ${near}?` },
        )
      }
      if (value !== undefined) this[name as keyof ControlFlags] = Boolean(value)
    }
  }

  /** The flags, as a checkpoint keeps them for Python; a resumed run of ours asks for nothing. */
  state(): CallbackState {
    return {
      args: {
        should_training_stop: this.shouldTrainingStop,
        should_epoch_stop: this.shouldEpochStop,
        should_save: this.shouldSave,
        should_evaluate: this.shouldEvaluate,
        should_log: this.shouldLog,
      },
      attributes: {},
    }
  }
}
