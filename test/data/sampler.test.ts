import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lengthGroupedEpochOrder, lengthGroupedOrder, randomOrder, sequentialOrder } from '../../src/data/sampler'
import { MersenneTwister } from '../../src/random'

const numbers = (text: string): number[] => text.split(' ').map(Number)
const lengths = [5, 12, 7, 3, 9, 20, 1, 15, 8, 11, 2, 6, 14, 4, 10, 13]

describe('randomOrder', () => {
  // PyTorch's randperm (golden values A.1)
  it.each([
    [10, 0, 0, '4 1 7 5 3 9 0 8 6 2'],
    [10, 42, 0, '2 6 1 8 4 5 0 9 3 7'],
    [16, 42, 0, '6 3 0 7 10 15 2 12 14 9 8 5 4 13 11 1'],
    [16, 42, 1, '4 0 9 5 3 2 6 7 1 12 11 10 14 8 15 13'],
  ])('of %i rows, seed %i, epoch %i', (rows, seed, epoch, order) => {
    expect([...randomOrder(rows, seed, epoch)]).toEqual(numbers(order))
  })

  it.each([
    [1000, '542 618 816 68 94 215', '638 96 455'],
    [100000, '37542 60279 68544 70051 15790 14785', '44288 94835 53243'],
  ])('of %i rows begins and ends as PyTorch has it', (rows, start, end) => {
    const order = [...randomOrder(rows, 42, 0)]
    expect(order.slice(0, 6)).toEqual(numbers(start))
    expect(order.slice(-3)).toEqual(numbers(end))
  })
})

describe('lengthGroupedOrder', () => {
  // transformers' get_length_grouped_indices (golden values A.2)
  it.each([
    [2, undefined, 42, '5 0 3 6 12 15 2 10 7 9 14 8 1 4 11 13'],
    [2, 3, 42, '5 15 0 3 10 6 7 12 9 14 8 2 1 4 11 13'],
    [8, undefined, 0, '5 12 9 8 11 13 10 6 7 15 1 14 4 2 0 3'],
  ])('with batches of %i, multiplier %s, seed %i', (batch, multiplier, seed, order) => {
    expect([...lengthGroupedOrder(lengths, batch, new MersenneTwister(seed), multiplier)]).toEqual(numbers(order))
  })

  it('takes no rows and refuses a batch size of 0', () => {
    expect([...lengthGroupedOrder([], 2, new MersenneTwister(0))]).toEqual([])
    expect(() => lengthGroupedOrder(lengths, 0, new MersenneTwister(0))).toThrow(/batch size/)
  })
})

describe('lengthGroupedEpochOrder', () => {
  it('draws all epochs from one generator, which loses two outputs before each', () => {
    const generator = new MersenneTwister(7)
    for (let epoch = 0; epoch < 3; epoch++) {
      generator.next32()
      generator.next32()
      expect([...lengthGroupedEpochOrder(lengths, 2, 7, epoch)]).toEqual([...lengthGroupedOrder(lengths, 2, generator)])
    }
  })

  const run = new URL('../../../shared/reference/trainer-runs/', import.meta.url)
  const order = (name: string): { seed: number; batch: number; rows: number[] } => {
    const read = (file: string): Record<string, unknown> =>
      JSON.parse(readFileSync(new URL(file, run), 'utf8')) as Record<string, unknown>
    const { arguments: args, train_row_order: rows } = read(`${name}.json`) as {
      arguments: Record<string, number>
      train_row_order: number[]
    }
    return { seed: args['seed'] ?? 42, batch: args['per_device_train_batch_size'] ?? 8, rows: rows.flat() }
  }
  const skipped = !existsSync(new URL('length-sampling.json', run))
  it.skipIf(skipped)(
    "is the order of transformers' own run over all its epochs (skipped without ../shared/reference)",
    () => {
      const { train } = JSON.parse(readFileSync(new URL('dataset.json', run), 'utf8')) as {
        train: { input_ids: number[] }[]
      }
      const { seed, batch, rows } = order('length-sampling')
      const sizes = train.map(row => row.input_ids.length)
      const epochs = Math.round(rows.length / train.length)
      expect(epochs).toBeGreaterThan(1)
      expect(
        Array.from({ length: epochs }, (_, epoch) => [...lengthGroupedEpochOrder(sizes, batch, seed, epoch)]).flat(),
      ).toEqual(rows)
    },
  )
})

it('sequentialOrder counts', () => {
  expect([...sequentialOrder(4)]).toEqual([0, 1, 2, 3])
})
