import { TrainerError } from '../errors'
import { isJsonObject, type Json, parseJson } from '../json'
import type { MetricValue } from '../metrics/Metrics'
import { checkOptions } from '../options'
import type { TrainingArguments } from '../TrainingArguments'
import type { CallbackState } from './CallbackState'

/** One log: keys in Python's spelling. */
export type LogEntry = Readonly<Record<string, MetricValue>>

/** What a field of the state may hold. */
interface Kinds {
  whole: number
  number: number
  flag: boolean
  text: string
  values: Readonly<Record<string, unknown>>
  logs: LogEntry[]
  states: Record<string, CallbackState | CallbackState[]>
}

/** Each kind in words that follow "should be", and how it is read from JSON: undefined for a value of another kind. */
const kinds: { readonly [K in keyof Kinds]: { expects: string; read: (value: Json) => Kinds[K] | undefined } } = {
  whole: { expects: 'a whole number', read: value => (Number.isSafeInteger(value) ? (value as number) : undefined) },
  number: { expects: 'a number', read: value => (typeof value === 'number' ? value : undefined) },
  flag: { expects: 'true or false', read: value => (typeof value === 'boolean' ? value : undefined) },
  text: { expects: 'a text', read: value => (typeof value === 'string' ? value : undefined) },
  values: { expects: 'an object', read: value => (isJsonObject(value) ? value : undefined) },
  logs: { expects: 'a list of logs', read: readLogs },
  states: { expects: 'an object of states', read: readStates },
}

/** A field: its name in Python, what it holds, and its value in a new state. */
type Field = { [K in keyof Kinds]: { python: string; kind: K; default: Kinds[K] | undefined } }[keyof Kinds]

/** Every field; types, reading, writing and checks follow from it. */
const stateFields = {
  /** Epochs done, with the fraction of the present one. */
  epoch: { python: 'epoch', kind: 'number', default: 0 },
  /** Updates done. */
  globalStep: { python: 'global_step', kind: 'whole', default: 0 },
  /** Updates planned. */
  maxSteps: { python: 'max_steps', kind: 'number', default: 0 },
  /** Epochs planned. */
  numTrainEpochs: { python: 'num_train_epochs', kind: 'number', default: 0 },
  /** Updates between two logs: a number of updates, where the arguments may have a share of the run. */
  loggingSteps: { python: 'logging_steps', kind: 'number', default: 500 },
  /** Updates between two evaluations, as for {@link TrainerState.loggingSteps}. */
  evalSteps: { python: 'eval_steps', kind: 'number', default: 500 },
  /** Updates between two checkpoints, as for {@link TrainerState.loggingSteps}. */
  saveSteps: { python: 'save_steps', kind: 'number', default: 500 },
  /** Rows in a micro-batch. */
  trainBatchSize: { python: 'train_batch_size', kind: 'number', default: undefined },
  numInputTokensSeen: { python: 'num_input_tokens_seen', kind: 'number', default: 0 },
  totalFlos: { python: 'total_flos', kind: 'number', default: 0 },
  /** Every log in order, each with its `step`. */
  logHistory: { python: 'log_history', kind: 'logs', default: [] },
  bestMetric: { python: 'best_metric', kind: 'number', default: undefined },
  bestGlobalStep: { python: 'best_global_step', kind: 'whole', default: undefined },
  /** Path of the checkpoint with the best metric. */
  bestModelCheckpoint: { python: 'best_model_checkpoint', kind: 'text', default: undefined },
  isLocalProcessZero: { python: 'is_local_process_zero', kind: 'flag', default: true },
  isWorldProcessZero: { python: 'is_world_process_zero', kind: 'flag', default: true },
  isHyperParamSearch: { python: 'is_hyper_param_search', kind: 'flag', default: false },
  trialName: { python: 'trial_name', kind: 'text', default: undefined },
  trialParams: { python: 'trial_params', kind: 'values', default: undefined },
  /** By class name: the state of a callback, or of several of that class in their order. */
  statefulCallbacks: { python: 'stateful_callbacks', kind: 'states', default: {} },
} satisfies Readonly<Record<string, Field>>

type ValueOf<F extends Field> = Kinds[F['kind']] | Extract<F['default'], undefined>

/** What a run knows of itself. "Step" is always an update, never a micro-batch. */
export type TrainerStateFields = { [Name in keyof typeof stateFields]: ValueOf<(typeof stateFields)[Name]> }

const fieldEntries = Object.entries(stateFields) as [keyof TrainerStateFields, Field][]

/** The state of a run: what callbacks see, and what `trainer_state.json` holds. */
export interface TrainerState extends TrainerStateFields {}

/* oxlint-disable typescript/no-unsafe-declaration-merging -- the constructor assigns every field of the table */

/** The state of a run; see {@link TrainerStateFields}. Only the Trainer writes to it. */
export class TrainerState {
  /** @throws TrainerError (`argument`) for a field that a state does not have. */
  constructor(fields: Partial<TrainerStateFields> = {}) {
    checkOptions(fields, Object.keys(stateFields), 'TrainerState')
    const defaults = fieldEntries.map(([name, field]) => [name, structuredClone(field.default)])
    Object.assign(this, Object.fromEntries(defaults), fields)
  }

  /**
   * Reads a `trainer_state.json`, also one that Python wrote: its literals NaN and Infinity become numbers. Fields
   * that it does not have keep their defaults; unknown fields are left out.
   * @throws TrainerError (`file`) for text that is not a JSON object, and for a field of another kind.
   */
  static fromJSON(source: string | object): TrainerState {
    const read = typeof source === 'string' ? parseState(source) : (source as Json)
    if (!isJsonObject(read)) throw new TrainerError('file', 'trainer_state.json should hold one object.')
    const fields = fieldEntries.flatMap(([name, { python, kind }]) => {
      const value = read[python]
      if (value === undefined || value === null) return []
      const held = kinds[kind].read(value)
      if (held !== undefined) return [[name, held]]
      const found = JSON.stringify(value)
      throw new TrainerError(
        'file',
        `${python} in trainer_state.json should be ${kinds[kind].expects}, but is ${found}.`,
        { fix: 'Resume from another checkpoint.' },
      )
    })
    return new TrainerState(Object.fromEntries(fields) as Partial<TrainerStateFields>)
  }

  /**
   * Sets the intervals of a run of `maxSteps` updates: an argument below 1 is a share of them, rounded up.
   */
  computeSteps(args: Pick<TrainingArguments, 'loggingSteps' | 'evalSteps' | 'saveSteps'>, maxSteps: number): void {
    const absolute = (steps: number): number => (steps < 1 ? Math.ceil(maxSteps * steps) : steps)
    this.loggingSteps = absolute(args.loggingSteps)
    if (args.evalSteps !== undefined) this.evalSteps = absolute(args.evalSteps)
    this.saveSteps = absolute(args.saveSteps)
  }

  /**
   * The fields in Python's spelling, keys sorted at every depth; `null` for values that are undefined, and for numbers
   * that are not finite.
   */
  toJSON(): Record<string, unknown> {
    const dict = Object.fromEntries(fieldEntries.map(([name, { python }]) => [python, this[name]]))
    return sorted(dict) as Record<string, unknown>
  }

  /** The text of `trainer_state.json`: valid JSON, indented by 2, with a final newline. */
  toJsonString(): string {
    return `${JSON.stringify(this.toJSON(), undefined, 2)}\n`
  }
}

function parseState(text: string): Json {
  try {
    return parseJson(text)
  } catch (cause) {
    throw new TrainerError('file', `trainer_state.json is not valid JSON: ${(cause as Error).message}.`, { cause })
  }
}

/** In a log, `null` stands for a number that was not finite. */
function readLogs(value: Json): LogEntry[] | undefined {
  if (!Array.isArray(value) || !value.every(isJsonObject)) return undefined
  return value.map(
    entry => Object.fromEntries(Object.entries(entry).map(([key, logged]) => [key, logged ?? NaN])) as LogEntry,
  )
}

function readStates(value: Json): Kinds['states'] | undefined {
  const isStates = (one: Json | undefined): boolean =>
    isJsonObject(one) || (Array.isArray(one) && one.every(isJsonObject))
  if (!isJsonObject(value) || !Object.values(value).every(isStates)) return undefined
  return value as unknown as Kinds['states']
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  if (typeof value !== 'object' || value === null) return value ?? null
  const keys = Object.keys(value).toSorted((a, b) => (a < b ? -1 : 1))
  return Object.fromEntries(keys.map(key => [key, sorted((value as Record<string, unknown>)[key])]))
}
