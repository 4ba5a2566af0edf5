import type { LogEntry } from '../callbacks/TrainerState'
import type { ReportedRows } from './ReportedRows'

/** How far a run is; `evaluated` is what was not trained. */
export type RunStatus = 'evaluated' | 'running' | 'finished' | 'stopped' | 'failed'

/** What a report is made of. */
export interface Report {
  readonly title: string
  readonly status: RunStatus
  readonly step: number
  readonly maxSteps: number
  readonly epoch: number
  readonly epochs: number
  /** Milliseconds since 1970. */
  readonly writtenAt: number
  readonly model: ReportedModel | undefined
  /** Rows to train on; undefined of a stream, and where nothing was trained. */
  readonly trainRows: number | undefined
  /** Every log of the run, of what a resumed one did before too. */
  readonly history: readonly LogEntry[]
  /** What decides which evaluation is the best, as far as the run knows. */
  readonly best: BestEvaluation | undefined
  /** The rows of the last evaluation of each set, by what the keys of its metrics begin with. */
  readonly details: ReadonlyMap<string, LastEvaluation>
  /** How long updates took, in seconds, without what lies between them. */
  readonly stepTimes: Float64Array
  /** Rows of a whole update. */
  readonly rowsPerStep: number
  readonly changedArguments: readonly ReportedArgument[]
  readonly otherArguments: readonly ReportedArgument[]
  readonly engine: { readonly provider: string; readonly version: string; readonly library: string } | undefined
}

export interface ReportedModel {
  readonly name: string
  /** Where it was loaded from. */
  readonly source: string | undefined
  readonly parameters: number
  readonly trained: number
  readonly task: string
}

export interface BestEvaluation {
  readonly metric: string
  readonly greaterIsBetter: boolean
}

/** What the last evaluation of a set has shown of its rows. */
export interface LastEvaluation {
  readonly step: number
  readonly rows: ReportedRows
}

/** An argument by its name, and its value as text. */
export interface ReportedArgument {
  readonly name: string
  readonly value: string
}
