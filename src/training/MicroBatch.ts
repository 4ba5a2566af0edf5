import type { RowNumbers } from '../feeds/rowNumbers'

/** Where a micro-batch stands: dropout is a function of it. */
export interface MicroBatch {
  /** The update, from 0. */
  readonly step: number
  /** Its number in the update, in this process. */
  readonly index: number
  /** The numbers of its rows in the update. */
  readonly numbers: RowNumbers
  /** Labels that count in the whole update. */
  readonly count: number
  /** The same of each of several losses: see `LabelFeed.counts`. */
  readonly counts?: Readonly<Record<string, number>> | undefined
}
