import type { Value } from '../onnx/types'

/** A loss before it is averaged: what is summed up over the rows, and what it is divided by, scalars both (float32). */
export interface Loss {
  readonly sum: Value
  readonly count: Value
}
