import { readOptions, writeOptions } from './arguments/files'
import { type OptimizerKind, optimizerKinds } from './arguments/optimizers'
import {
  checkpointingNames,
  type ResolvedArguments,
  resolveArguments,
  type TrainingArgumentsOptions,
} from './arguments/resolve'
import { TrainerError } from './errors'
import type { LogLevel } from './logging'

export type { OptimizerArguments, OptimizerKind, OptimizerName } from './arguments/optimizers'
export type { ResolvedArguments, TrainingArgumentsOptions } from './arguments/resolve'

/* oxlint-disable typescript/no-unsafe-declaration-merging -- the constructor assigns every property of the table */

/**
 * Every training argument is a property, in camelCase: as given, by default, or derived. docs/arguments.md lists them.
 */
export interface TrainingArguments extends ResolvedArguments {}

/**
 * How to train: Hugging Face's `TrainingArguments` (late 5.x) in camelCase, with the same defaults, and a few more.
 *
 * All are checked once, here; then they cannot change. `with` makes a changed copy.
 *
 * @example
 * const args = new TrainingArguments({ outputDir: 'out', evalStrategy: 'epoch', learningRate: 2e-5 })
 */
export class TrainingArguments {
  readonly #given: TrainingArgumentsOptions

  /**
   * @throws TrainerError (`argument`) for an unknown, renamed or removed name (with the present one), a value of a
   * wrong kind, anything but the default of an unsupported argument, or arguments that contradict each other.
   */
  constructor(options: TrainingArgumentsOptions = {}) {
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      throw new TrainerError(
        'argument',
        `TrainingArguments takes one object of options, but was given ${JSON.stringify(options)}.`,
        { fix: "Write new TrainingArguments({ outputDir: 'out' })." },
      )
    }
    this.#given = { ...options }
    Object.assign(this, resolveArguments(options))
    // whoever prints the arguments, or copies them, does not publish the token
    if (this.hubToken !== undefined) Object.defineProperty(this, 'hubToken', { enumerable: false })
    if (new.target === TrainingArguments) Object.freeze(this)
  }

  /**
   * Reads arguments from JSON or YAML text, or from the object parsed from it, in snake_case or camelCase: a
   * `training_args.json`, Python's `to_dict()`, a configuration file.
   * @throws TrainerError (`file`) for text that is neither; (`argument`) as the constructor does.
   */
  static fromJSON(source: string | object): TrainingArguments {
    return new TrainingArguments(readOptions(source) as TrainingArgumentsOptions)
  }

  /**
   * Reads a JSON or YAML file of arguments.
   * @param readText reads the file, e.g. `path => readFileSync(path, 'utf8')`: this class does not open files.
   * @throws TrainerError like {@link TrainingArguments.fromJSON}.
   */
  static fromFile(path: string, readText: (path: string) => string): TrainingArguments {
    return TrainingArguments.fromJSON(readText(path))
  }

  /** Whether an argument was given, be it by its default's value. */
  isGiven(name: keyof ResolvedArguments): boolean {
    return this.#given[name] !== undefined
  }

  /** A copy with some arguments changed; derived ones are derived again. */
  with(changes: TrainingArgumentsOptions): TrainingArguments {
    const given: Record<string, unknown> = { ...this.#given }
    if (checkpointingNames.some(name => changes[name] !== undefined))
      for (const name of checkpointingNames) delete given[name] // either name changes what both say
    return new TrainingArguments({ ...given, ...changes })
  }

  /** Rows in a micro-batch of training, on all devices together. */
  get trainBatchSize(): number {
    return this.perDeviceTrainBatchSize
  }

  /** Rows in a batch of evaluation, on all devices together. */
  get evalBatchSize(): number {
    return this.perDeviceEvalBatchSize
  }

  /** The update rule that `optim` names. */
  get optimizerKind(): OptimizerKind {
    return optimizerKinds[this.optim]
  }

  /** The number of processes that train together: 1. */
  get worldSize(): number {
    return 1
  }

  /** This process's index among them: 0. */
  get processIndex(): number {
    return 0
  }

  /** This process's index among those of this machine: 0. */
  get localProcessIndex(): number {
    return 0
  }

  /** Whether this process logs: true. */
  get shouldLog(): boolean {
    return true
  }

  /** Whether this process writes files: true. */
  get shouldSave(): boolean {
    return true
  }

  /** The level of messages that `logLevel` sets; `undefined` for 'passive', which does not set it. */
  getProcessLogLevel(): LogLevel | undefined {
    if (this.logLevel === 'passive') return undefined
    return this.logLevel === 'detail' ? 'debug' : this.logLevel
  }

  /** Updates of warm-up in a run of `totalSteps` updates. */
  getWarmupSteps(totalSteps: number): number {
    return this.warmupSteps >= 1 ? Math.trunc(this.warmupSteps) : Math.ceil(totalSteps * this.warmupSteps)
  }

  /** The arguments in Python's spelling, as in `training_args.json`. Tokens are replaced by placeholders. */
  toDict(): Record<string, unknown> {
    return writeOptions(this)
  }

  /** {@link TrainingArguments.toDict}, for `JSON.stringify`. */
  toJSON(): Record<string, unknown> {
    return this.toDict()
  }

  /** The text of `training_args.json`, indented by 2. */
  toJsonString(): string {
    return JSON.stringify(this.toDict(), undefined, 2)
  }

  /**
   * For trackers: {@link TrainingArguments.toDict} with the batch sizes, and everything but booleans, numbers and texts
   * as text.
   */
  toSanitizedDict(): Record<string, boolean | number | string> {
    const all = { ...this.toDict(), train_batch_size: this.trainBatchSize, eval_batch_size: this.evalBatchSize }
    return Object.fromEntries(
      Object.entries(all).map(([name, value]) => [
        name,
        ['boolean', 'number', 'string'].includes(typeof value)
          ? (value as boolean | number | string)
          : JSON.stringify(value),
      ]),
    )
  }
}
