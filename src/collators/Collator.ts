// what collators take and return
import type { Batch } from '../tensor'
import type { Side } from './padding'

/** An encoded example: a row of named cells. */
export type Example = Readonly<Record<string, unknown>>

export type Examples = readonly Example[]

/**
 * Makes a batch; `epoch` is that of training, 0 in an evaluation. `labelNames` are those of the arguments: columns of
 * which the first that is there is the label, in place of `label`, `label_ids` or `labels`.
 */
export type Collate = (
  examples: Examples,
  indices?: readonly number[],
  epoch?: number,
  labelNames?: readonly string[],
) => Batch

/**
 * A function that makes a batch of examples. `indices` are the numbers of the rows in the dataset, for errors. Integers
 * and booleans become int32, numbers with a fraction float32.
 *
 * The collators here return the batch at once; the Trainer also takes functions that return a promise.
 */
export interface Collator extends Collate {
  /**
   * The side on which it pads. Where it is 'right', an evaluation may sort rows by length: what a model makes of a row
   * does not depend on padding behind it.
   */
  readonly paddingSide?: Side
  /** Columns that it reads beside those that the model takes: rows keep them. */
  readonly columns?: readonly string[]
}
