/** What decides how many operations a step of a classifier on the first token takes. */
export interface FlopShape {
  readonly layers: number
  readonly width: number
  readonly innerWidth: number
  readonly labels: number
}

/**
 * The floating-point operations of a training step on rows of these lengths: 3 × (2 × weights × rows multiplied +
 * attention at true lengths), 3 for forward, gradients of inputs and gradients of weights.
 *
 * The last layer computes queries, outputs and feed-forward for the rows' first tokens only, because the head reads no
 * others: what it leaves out is not counted. Neither are embeddings, normalizations, and other elementwise work, nor
 * padding.
 */
export function stepFlops({ layers, width, innerWidth, labels }: FlopShape, lengths: readonly number[]): number {
  const rows = lengths.length
  const tokens = lengths.reduce((sum, length) => sum + length, 0)
  const keysAndValues = 2 * width ** 2
  const rest = 2 * width ** 2 + 2 * width * innerWidth
  const products =
    (layers - 1) * (keysAndValues + rest) * tokens +
    keysAndValues * tokens +
    rest * rows +
    (width ** 2 + width * labels) * rows
  // scores and contexts: 2 × length² × width each, and for a single query 2 × length × width
  const attention = lengths.reduce(
    (sum, length) => sum + (layers - 1) * 4 * length ** 2 * width + 4 * length * width,
    0,
  )
  return 3 * (2 * products + attention)
}
