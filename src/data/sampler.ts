// seed, epoch → the order of rows, as Hugging Face Trainer draws it
import { TrainerError } from '../errors'
import { MersenneTwister, randperm } from '../random'

/** The rows in their own order. */
export function sequentialOrder(rows: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => row)
}

/**
 * The rows of an epoch in random order: PyTorch's `randperm` of a generator seeded with `seed + epoch`, as accelerate's
 * seedable sampler draws it.
 */
export function randomOrder(rows: number, seed: number, epoch = 0): Int32Array {
  return randperm(rows, new MersenneTwister(seed + epoch))
}

/**
 * Rows of similar length side by side: a random permutation, cut into mega-batches of `multiplier` × `batchSize` rows,
 * each sorted by length, the longest first; and the longest row of all first, so that memory runs out at once or not at
 * all (transformers' `get_length_grouped_indices`).
 *
 * @param lengths the length of each row.
 * @param batchSize rows in an update: the batch size times the accumulation steps.
 * @param generator draws the permutation.
 * @param multiplier batches in a mega-batch; by default a quarter of all, at most 50, at least 1.
 * @throws TrainerError (`argument`) unless the batch size is a whole number above 0.
 */
export function lengthGroupedOrder(
  lengths: ArrayLike<number>,
  batchSize: number,
  generator: MersenneTwister,
  multiplier = Math.max(Math.min(Math.floor(lengths.length / (4 * batchSize)), 50), 1),
): Int32Array {
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new TrainerError('argument', `The batch size must be a whole number above 0, not ${batchSize}.`)
  const order = randperm(lengths.length, generator)
  const size = multiplier * batchSize
  let longest = 0
  for (let start = 0; start < order.length; start += size) {
    // The sort is stable: rows of equal length keep their random order.
    order.set(
      Array.from(order.subarray(start, start + size)).sort((a, b) => lengths[b]! - lengths[a]!),
      start,
    )
    if (lengths[order[start]!]! > lengths[order[longest]!]!) longest = start
  }
  if (order.length > 0) [order[0], order[longest]] = [order[longest]!, order[0]!]
  return order
}

/**
 * The length-grouped order of an epoch. One generator, seeded once with `seed`, serves all epochs, and PyTorch's loader
 * takes one 64-bit number (two outputs) from it before each: the draws of earlier epochs are repeated here, 11 ns each.
 */
export function lengthGroupedEpochOrder(
  lengths: ArrayLike<number>,
  batchSize: number,
  seed: number,
  epoch: number,
): Int32Array {
  const generator = new MersenneTwister(seed)
  const draws = epoch * (2 + Math.max(lengths.length - 1, 0)) + 2
  for (let draw = 0; draw < draws; draw++) generator.next32()
  return lengthGroupedOrder(lengths, batchSize, generator)
}
