import type { Batch } from '../tensor'

/** One batch, and which rows of the dataset it is. */
export interface LoadedBatch {
  readonly batch: Batch
  readonly rows: readonly number[]
}
