import type { LogEntry } from '../callbacks/TrainerState'

/** What identifies a run to its tracker, as checkpoints keep it: an id, a folder. */
export type RunIdentity = Readonly<Record<string, string>>

/** What a tracker is told of a run before its first log. */
export interface TrackedRun {
  /** The argument `runName`; in a trial of a hyperparameter search, with the trial's name. */
  readonly name: string | undefined
  /** The argument `project`. */
  readonly project: string
  readonly outputDir: string
  /** The training arguments in Python's spelling, without tokens: booleans, numbers and texts. */
  readonly args: Readonly<Record<string, boolean | number | string>>
  /** The model's config.json; empty for a model that has none. */
  readonly modelConfig: Readonly<Record<string, unknown>>
  /** How many numbers the model's parameters are; undefined for a model that does not say. */
  readonly parameterCount: number | undefined
  /** The update that the run goes on from: 0, or that of the checkpoint. */
  readonly step: number
  /** The run that is continued, if any. */
  readonly resumed: RunIdentity | undefined
  /** Aborted when nobody waits any longer. Whatever keeps a process alive ends with it. */
  readonly signal: AbortSignal
}

/** How a run ended. */
export type RunEnd = 'finished' | 'failed'

/** A run that is being tracked. Calls come one after the other, each after the former has been answered. */
export interface TrackedSession {
  readonly identity: RunIdentity
  /**
   * Keeps what was logged.
   * @param logs as `onLog` has them, in Python's spelling: `loss`, `eval_accuracy`, `train_runtime`.
   * @param step the update.
   * @param time when it was logged, in milliseconds since 1970.
   */
  log(logs: LogEntry, step: number, time: number): Promise<void>
  finish(end: RunEnd): Promise<void>
}

/** A place where runs are watched. */
export interface Tracker {
  /** Its name in messages: 'MLflow'. */
  readonly name: string
  /** Begins a run, or goes on with one. */
  open(run: TrackedRun): Promise<TrackedSession>
}
