import type { Value } from '../onnx/types'

/** A loss before it is averaged: the sum over the rows, and what divides it; both are float32 scalars. */
export interface Loss {
  readonly sum: Value
  readonly count: Value
}
