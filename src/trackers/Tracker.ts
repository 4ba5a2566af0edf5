import type { LogEntry } from '../callbacks/TrainerState'

/** What identifies a run to its tracker, as checkpoints keep it: an id, a folder. */
export type RunIdentity = Readonly<Record<string, string>>

/** What a tracker is told of a run before its first log. */
export interface TrackedRun {
  /** The argument `runName`; in a trial of a hyperparameter search, with the trial's name. */
  readonly name: string | undefined
  /** The trial's name, in a hyperparameter search. */
  readonly trial: string | undefined
  /** The argument `project`. */
  readonly project: string
  /** The argument `outputDir`, without a `~`. */
  readonly outputDir: string
  /** The training arguments as `training_args.json` has them: JSON values in Python's spelling, without tokens. */
  readonly args: Readonly<Record<string, unknown>>
  /** The model's config.json; empty for a model that has none. */
  readonly modelConfig: Readonly<Record<string, unknown>>
  /** How many numbers the model's parameters are; undefined for a model that does not say. */
  readonly parameterCount: number | undefined
  /** The update that the run goes on from: 0, or that of the checkpoint. What was reported after it is void. */
  readonly step: number
  /** The run that is continued, if any: what its session gave, but from a file that anybody may have written. */
  readonly resumed: RunIdentity | undefined
  /**
   * A random mark, which is the identity of a new run in checkpoints until the tracker has answered: `{ mark }`. A run that is
   * continued has that of its checkpoint, if there is one.
   */
  readonly mark: string
  /** Aborted when the run is over, or the tracker given up. Whatever keeps a process alive ends with it. */
  readonly signal: AbortSignal
}

/** How a run ended. */
export type RunEnd = 'finished' | 'failed'

/** What was logged once. */
export interface TrackedLog {
  /** As `onLog` has them, in Python's spelling: `loss`, `eval_accuracy`, `train_runtime`. */
  readonly logs: LogEntry
  /** The update. */
  readonly step: number
  /** When it was logged, in milliseconds since 1970. */
  readonly time: number
}

/** A run that is being tracked. Calls come one after the other, each after the former has been answered. */
export interface TrackedSession {
  readonly identity: RunIdentity
  /** Keeps what was logged: one log, or those that have gathered while the tracker was busy, at most 100. */
  log(entries: readonly TrackedLog[]): Promise<void>
  /** Ends the run. It may be opened again. */
  finish(end: RunEnd): Promise<void>
}

/** A place where runs are watched. */
export interface Tracker {
  /** Its name in messages: 'MLflow'. */
  readonly name: string
  /** Whether it is told what `predict()` measures, as in Hugging Face; logs are what it is told anyway. */
  readonly takesPredictions?: boolean
  /** Begins a run, or goes on with one. */
  open(run: TrackedRun): Promise<TrackedSession>
}
