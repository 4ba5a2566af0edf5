import type { EvaluatedBatch } from '../callbacks/EvaluatedBatch'
import type { Html } from './html'

/** Takes the predictions of an evaluation, keeps a few numbers of each row, and shows what came of them. */
export interface ReportedRows {
  add(evaluated: EvaluatedBatch): Promise<void>
  /** How many rows with labels there were. */
  readonly count: number
  /** Parts of a page with headings of the third order; nothing without rows. */
  sections(): Html
}
