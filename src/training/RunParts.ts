import type { TrainableModel } from '../auto/TrainableModel'
import type { CallbackEvent } from '../callbacks/TrainerCallback'
import type { TrainerControl } from '../callbacks/TrainerControl'
import type { LogEntry, TrainerState } from '../callbacks/TrainerState'
import type { Loader } from '../data/loader'
import type { Metrics } from '../metrics/Metrics'
import type { UpdateSettings } from './optimizers'
import type { ProcessGroup } from '../processes/ProcessGroup'
import type { TrainingArguments } from '../TrainingArguments'
import type { LoadedBatch } from './LoadedBatch'
import type { Plan } from './plan'
import type { RateSource } from './rates'
import type { Resumed, Start } from './RunSnapshot'
import type { Runner } from './Runner'
import type { StopRequest } from './stopping'

/** What a run asks of its Trainer. */
export interface RunHost {
  fire(event: CallbackEvent): Promise<void>
  /** Evaluates, logs the metrics, and returns them; undefined where the run was asked to end meanwhile. */
  evaluate(): Promise<Metrics | undefined>
  /** Takes note of every evaluation; answers whether the run is to end. */
  evaluated(metrics: Metrics): Promise<boolean>
  log(logs: LogEntry): Promise<void>
  /** Numbers with what every log says of where the run is. */
  stamped<Entry extends LogEntry>(logs: Entry): Entry
  /** Writes a checkpoint. */
  save(): Promise<void>
  /** Does what remains when the last update is made: the best model, checkpoints that are too many. */
  settle(): Promise<void>
}

/** What a run is made of. */
export interface RunParts {
  readonly host: RunHost
  readonly model: TrainableModel
  readonly args: TrainingArguments
  readonly state: TrainerState
  readonly control: TrainerControl
  readonly plan: Plan
  readonly start: Start
  readonly loader: Loader<LoadedBatch>
  readonly runner: Runner
  readonly rates: RateSource
  readonly updates: UpdateSettings
  readonly processes: ProcessGroup
  readonly stop: StopRequest
  readonly resumed: Resumed | undefined
}
