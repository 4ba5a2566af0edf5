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

/** Every flag, with its name in Python. */
const flags = {
  shouldTrainingStop: 'should_training_stop',
  shouldEpochStop: 'should_epoch_stop',
  shouldSave: 'should_save',
  shouldEvaluate: 'should_evaluate',
  shouldLog: 'should_log',
} as const satisfies Record<keyof ControlFlags, string>

const flagNames = Object.keys(flags) as (keyof ControlFlags)[]

/** The flags through which callbacks answer; the loop acts on them. All are false at first. */
export class TrainerControl implements ControlFlags {
  shouldTrainingStop = false
  shouldEpochStop = false
  shouldSave = false
  shouldEvaluate = false
  shouldLog = false

  constructor() {
    Object.preventExtensions(this) // setting a misspelt flag is a TypeError
  }

  /**
   * Takes over the flags that a callback returned.
   * @param from the callback's method, for errors.
   * @throws TrainerError (`argument`) for an unknown flag, with the nearest.
   */
  take(answer: Partial<ControlFlags>, from: string): void {
    for (const [name, value] of Object.entries(answer)) {
      if (!Object.hasOwn(flags, name)) {
        const near = nearest(name, flagNames)
        throw new TrainerError(
          'argument',
          `${from} returned '${name}', but the flags are ${flagNames.join(', ')}.`,
          near === undefined ? {} : { fix: `Did you mean ${near}?` },
        )
      }
      if (value !== undefined) this[name as keyof ControlFlags] = Boolean(value)
    }
  }

  /** The flags, as a checkpoint keeps them for Python; ts-trainer does not read them when it resumes. */
  state(): CallbackState {
    return { args: Object.fromEntries(flagNames.map(name => [flags[name], this[name]])), attributes: {} }
  }
}
