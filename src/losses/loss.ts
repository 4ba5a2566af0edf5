import type { Value } from '../onnx/types'

/** A loss before it is averaged: the sum over the rows, and what divides it; both are float32 scalars. */
export interface Loss {
  readonly sum: Value
  readonly count: Value
  /**
   * The losses that it is of, by the columns of their labels, where each is divided by how many labels of its own column
   * count; sum and count are those of all together then.
   */
  readonly terms?: Readonly<Record<string, Loss>>
}
