import { describe, expect, it } from 'vitest'
import { Tensor } from '../../src/tensor'
import { RowCollector } from '../../src/training/RowCollector'

describe('RowCollector', () => {
  it('puts rows back into the order of the dataset', () => {
    const collector = new RowCollector()
    collector.add(
      Tensor.from('float32', [
        [3, 30],
        [0, 0],
      ]),
      [3, 0],
    )
    collector.add(Tensor.from('float32', [[2, 20]]), [2])
    collector.add(Tensor.from('float32', [[1, 10]]), [1])
    expect(collector.finish()!.tolist()).toEqual([
      [0, 0],
      [1, 10],
      [2, 20],
      [3, 30],
    ])
  })

  it('takes scalars a row, and every type', () => {
    const collector = new RowCollector()
    collector.add(Tensor.from('int64', [7, 8]), [1, 0])
    collector.add(Tensor.from('int64', [9]), [2])
    const all = collector.finish()!
    expect([all.dtype, all.dims, [...(all.data as BigInt64Array)]]).toEqual(['int64', [3], [8n, 7n, 9n]])
  })

  it('keeps fractions of a batch that comes after whole numbers', () => {
    const collector = new RowCollector()
    collector.add(Tensor.from('int32', [3]), [0])
    collector.add(Tensor.from('float32', [2.5]), [1])
    collector.add(Tensor.from('int64', [4]), [2])
    const all = collector.finish()!
    expect([all.dtype, all.tolist()]).toEqual(['float32', [3, 2.5, 4]])
  })

  it('pads what is shorter on the right with -100, along every axis', () => {
    const collector = new RowCollector()
    collector.add(Tensor.from('float32', [[[1, 2, 3]]]), [1])
    collector.add(Tensor.from('float32', [[[4], [5]]]), [0])
    expect(collector.finish()!.tolist()).toEqual([
      [
        [4, -100, -100],
        [5, -100, -100],
      ],
      [
        [1, 2, 3],
        [-100, -100, -100],
      ],
    ])
    const ids = new RowCollector()
    ids.add(Tensor.from('int64', [[1, 2]]), [0])
    ids.add(Tensor.from('int64', [[3]]), [1])
    expect([...(ids.finish()!.data as BigInt64Array)]).toEqual([1n, 2n, 3n, -100n])
  })

  it('has nothing where nothing came, and refuses rows without a place', () => {
    expect(new RowCollector().finish()).toBeUndefined()
    expect(() => new RowCollector().add(Tensor.from('float32', [1, 2]), [0])).toThrow(/1 rows were expected/)
  })
})
