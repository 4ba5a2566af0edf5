import { TrainerError } from '../errors'
import type { TrainingArguments } from '../TrainingArguments'
import type { CallbackState } from './CallbackState'

/** One log: keys as Python spells them. */
export type LogEntry = Readonly<Record<string, number | string | boolean>>

/** What a run knows of itself. "Step" is always an update, never a micro-batch. */
export interface TrainerStateFields {
  /** Epochs done, with the fraction of the one that runs. */
  epoch: number
  /** Updates done. */
  globalStep: number
  /** Updates and epochs planned. */
  maxSteps: number
  numTrainEpochs: number
  /** Updates between two logs, evaluations, checkpoints: absolute numbers, where the arguments may have shares. */
  loggingSteps: number
  evalSteps: number
  saveSteps: number
  trainBatchSize: number | undefined
  numInputTokensSeen: number
  totalFlos: number
  /** Every log in order, each with its `step`. */
  logHistory: LogEntry[]
  bestMetric: number | undefined
  bestGlobalStep: number | undefined
  /** Path of the checkpoint with the best metric. */
  bestModelCheckpoint: string | undefined
  isLocalProcessZero: boolean
  isWorldProcessZero: boolean
  isHyperParamSearch: boolean
  trialName: string | undefined
  trialParams: Readonly<Record<string, unknown>> | undefined
  /** By class name: the state of a callback, or of several of that class in their order. */
  statefulCallbacks: Record<string, CallbackState | CallbackState[]>
}

/** Python's name of each field. */
const spelling: Readonly<Record<keyof TrainerStateFields, string>> = {
  epoch: 'epoch',
  globalStep: 'global_step',
  maxSteps: 'max_steps',
  numTrainEpochs: 'num_train_epochs',
  loggingSteps: 'logging_steps',
  evalSteps: 'eval_steps',
  saveSteps: 'save_steps',
  trainBatchSize: 'train_batch_size',
  numInputTokensSeen: 'num_input_tokens_seen',
  totalFlos: 'total_flos',
  logHistory: 'log_history',
  bestMetric: 'best_metric',
  bestGlobalStep: 'best_global_step',
  bestModelCheckpoint: 'best_model_checkpoint',
  isLocalProcessZero: 'is_local_process_zero',
  isWorldProcessZero: 'is_world_process_zero',
  isHyperParamSearch: 'is_hyper_param_search',
  trialName: 'trial_name',
  trialParams: 'trial_params',
  statefulCallbacks: 'stateful_callbacks',
}

/** The state of a run: what callbacks see, and what `trainer_state.json` holds. */
export interface TrainerState extends TrainerStateFields {}

/* oxlint-disable typescript/no-unsafe-declaration-merging -- the fields are those of TrainerStateFields; the constructor assigns them all */

/** The state of a run; see {@link TrainerStateFields}. Only the Trainer writes to it. */
export class TrainerState {
  constructor(fields: Partial<TrainerStateFields> = {}) {
    const start: TrainerStateFields = {
      epoch: 0,
      globalStep: 0,
      maxSteps: 0,
      numTrainEpochs: 0,
      loggingSteps: 500,
      evalSteps: 500,
      saveSteps: 500,
      trainBatchSize: undefined,
      numInputTokensSeen: 0,
      totalFlos: 0,
      logHistory: [],
      bestMetric: undefined,
      bestGlobalStep: undefined,
      bestModelCheckpoint: undefined,
      isLocalProcessZero: true,
      isWorldProcessZero: true,
      isHyperParamSearch: false,
      trialName: undefined,
      trialParams: undefined,
      statefulCallbacks: {},
    }
    Object.assign(this, start, fields)
  }

  /**
   * Reads a `trainer_state.json`, one that Python wrote as well: its literals NaN and Infinity become numbers. Fields
   * that it does not have keep their defaults, fields that are unknown are left out.
   * @throws TrainerError (`file`) for text that is not a JSON object.
   */
  static fromJSON(source: string | object): TrainerState {
    const read = (typeof source === 'string' ? parseLenient(source) : source) as Readonly<Record<string, unknown>>
    const fields = Object.entries(spelling).flatMap(([name, python]) => {
      const value = read[python]
      if (value === undefined || value === null) return []
      return [[name, name === 'logHistory' ? (value as LogEntry[]).map(readEntry) : value]]
    })
    return new TrainerState(Object.fromEntries(fields) as Partial<TrainerStateFields>)
  }

  /**
   * Sets the absolute intervals of a run of `maxSteps` updates: an argument below 1 is a share of them, rounded up.
   */
  computeSteps(args: Pick<TrainingArguments, 'loggingSteps' | 'evalSteps' | 'saveSteps'>, maxSteps: number): void {
    const absolute = (steps: number): number => (steps < 1 ? Math.ceil(maxSteps * steps) : steps)
    this.loggingSteps = absolute(args.loggingSteps)
    if (args.evalSteps !== undefined) this.evalSteps = absolute(args.evalSteps)
    this.saveSteps = absolute(args.saveSteps)
  }

  /**
   * The fields as Python spells them, keys sorted at every depth; `null` for what there is not, and for numbers that
   * are not finite.
   */
  toJSON(): Record<string, unknown> {
    const dict = Object.fromEntries(
      Object.entries(spelling).map(([name, python]) => [python, this[name as keyof TrainerStateFields] ?? null]),
    )
    return sorted(dict) as Record<string, unknown>
  }

  /** The text of `trainer_state.json`: indented by 2, with a newline at its end. Always valid JSON. */
  toJsonString(): string {
    return `${JSON.stringify(this.toJSON(), undefined, 2)}\n`
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  if (typeof value !== 'object' || value === null) return value
  const keys = Object.keys(value).toSorted((a, b) => (a < b ? -1 : 1))
  return Object.fromEntries(keys.map(key => [key, sorted((value as Record<string, unknown>)[key] ?? null)]))
}

/** In a log, `null` stands for a number that was not finite. */
function readEntry(entry: LogEntry): LogEntry {
  return Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, value ?? NaN]))
}

function parseLenient(text: string): unknown {
  try {
    // Outside of strings only: a string is matched first, and stands as it is.
    const valid = text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, token =>
      token.startsWith('"') ? token : `{"number":"${token}"}`,
    )
    const read: unknown = JSON.parse(valid, (_key, value: unknown) => {
      const literal = (value as { number?: unknown } | null)?.number
      return ['NaN', 'Infinity', '-Infinity'].includes(literal as string) ? Number(literal) : value
    })
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read
  } catch (cause) {
    throw new TrainerError('file', `trainer_state.json is not valid JSON: ${(cause as Error).message}.`, { cause })
  }
  throw new TrainerError('file', 'trainer_state.json should hold one object.')
}
