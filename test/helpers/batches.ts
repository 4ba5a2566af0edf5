import { MersenneTwister } from '../../src/random'
import { type Batch, Tensor } from '../../src/tensor'

/** Rows of random tokens with a mask of the given lengths, or the given masks themselves. */
export function randomBatch(
  rows: readonly (number | readonly number[])[],
  labels: Tensor,
  options: { seed?: number; width?: number; vocabulary?: number } = {},
): Batch {
  const { seed = 1, vocabulary = 23 } = options
  const random = new MersenneTwister(seed)
  const width = options.width ?? Math.max(...rows.map(row => (typeof row === 'number' ? row : row.length)))
  const mask = rows.map(row =>
    Array.from({ length: width }, (_, i) => (typeof row === 'number' ? Number(i < row) : (row[i] ?? 0))),
  )
  const ids = mask.map(row => row.map(kept => (kept === 1 ? 3 + (random.next32() % (vocabulary - 3)) : 1)))
  return { input_ids: Tensor.from('int32', ids), attention_mask: Tensor.from('int32', mask), labels }
}

export function classes(...labels: number[]): Tensor {
  return Tensor.from('int32', labels)
}

/** Rows of a batch, from `start` to before `end`. */
export function rowsOf(batch: Batch, start: number, end: number): Batch {
  return Object.fromEntries(
    Object.entries(batch).map(([name, { dtype, data, dims }]) => {
      const width = dims.slice(1).reduce((size, d) => size * d, 1)
      return [name, new Tensor(dtype, data.slice(start * width, end * width) as never, [end - start, ...dims.slice(1)])]
    }),
  )
}
