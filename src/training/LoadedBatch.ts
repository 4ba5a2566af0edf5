import type { Batch } from '../tensor'

/** One batch, and which rows of the dataset it is. */
export interface LoadedBatch {
  readonly batch: Batch
  readonly rows: readonly number[]
  /** These rows with all their columns, of a stream, which cannot be read again for them. */
  readonly whole?: readonly Readonly<Record<string, unknown>>[]
}
