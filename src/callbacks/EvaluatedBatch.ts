import type { Batch, Tensor } from '../tensor'

/** A batch of an evaluation with what the model predicts for it, for callbacks that read predictions. */
export interface EvaluatedBatch {
  /** What the keys of the metrics begin with: 'eval', of several evaluation sets 'eval_' and the set's name. */
  readonly prefix: string
  readonly batch: Batch
  /** Which rows of the dataset it is. */
  readonly rows: readonly number[]
  /** By Python's names, such as `logits`, in the order of the batch, as the model computes them. */
  readonly predictions: Readonly<Record<string, Tensor>>
  /** The columns of the batch that are labels; none where rows have none. */
  readonly labels: Readonly<Record<string, Tensor>>
  /**
   * A row of this batch as the dataset has it, with the columns that the model does not take: its texts.
   * @param row its place in the batch.
   */
  readonly wholeRow: (row: number) => Promise<Readonly<Record<string, unknown>>>
}
