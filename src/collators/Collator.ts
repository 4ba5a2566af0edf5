// what collators take and return
import type { Batch } from '../tensor'

/** An encoded example: a row of named cells. */
export type Example = Readonly<Record<string, unknown>>

export type Examples = readonly Example[]

/**
 * A function that makes a batch of examples. `indices` are the numbers of the rows in the dataset, for errors. Integers
 * and booleans become int32, numbers with a fraction float32.
 *
 * The collators here return the batch at once; the Trainer also takes functions that return a promise.
 */
export type Collator = (examples: Examples, indices?: readonly number[]) => Batch
