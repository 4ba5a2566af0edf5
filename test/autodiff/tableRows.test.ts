import { describe, expect, it } from 'vitest'
import { differentiate } from '../../src/autodiff/backward'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Value } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { evaluate } from '../helpers/referenceEngine'

describe('gradients of tables as rows', () => {
  const embed = (g: GraphBuilder): { table: Value; first: Value; second: Value } => {
    const table = g.input('table', 'float32', [5, 2])
    return {
      table,
      first: g.gather(table, g.input('a', 'int32', ['n'])),
      second: g.gather(table, g.input('b', 'int32', ['n', 2])),
    }
  }
  const feeds = {
    table: Tensor.from('float32', [
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
      [9, 10],
    ]),
    a: Tensor.from('int32', [4, 0, 4]),
    b: Tensor.from('int32', [
      [1, 1],
      [2, 0],
      [0, 3],
    ]),
  }

  it('come in one pair per Gather, and add up to the dense one', () => {
    const g = new GraphBuilder('g')
    const { table, first, second } = embed(g)
    const loss = g.add(g.sum(g.mul(first, first)), g.sum(g.exp(g.mul(second, 0.1))))
    const { dense, rows } = differentiate(g, loss, [table], { rows: new Set(['table']) })
    expect(dense.size).toBe(0)
    const whole = differentiate(g, loss, [table]).dense.get('table')!
    const pairs = rows.get('table')!
    expect(pairs.map(({ index, values }) => [index.shape.length, values.shape.length, values.shape[1]])).toEqual([
      [1, 2, 2],
      [1, 2, 2],
    ])
    const outputs = Object.fromEntries(
      pairs.flatMap(({ index, values }, i) => [
        [`index${i}`, index],
        [`values${i}`, values],
      ]),
    )
    const found = evaluate(g.build({ whole, ...outputs }), feeds)
    const summed = Array.from({ length: 10 }, () => 0)
    for (const i of [0, 1]) {
      const index = found[`index${i}`]!.tolist() as number[]
      const values = found[`values${i}`]!.tolist() as number[][]
      expect(values.length).toBe(index.length)
      index.forEach((row, k) =>
        values[k]!.forEach((v, d) => {
          summed[row * 2 + d]! += v
        }),
      )
    }
    ;(found.whole!.tolist() as number[][]).flat().forEach((v, i) => expect(summed[i]! / v).toBeCloseTo(1, 6))
  })

  it('are dense where the table is read otherwise too', () => {
    const g = new GraphBuilder('g')
    const { table, first } = embed(g)
    const { dense, rows } = differentiate(g, g.sum(g.gemm(first, table, undefined, { transB: 1 })), [table], {
      rows: new Set(['table']),
    })
    expect([[...dense.keys()], rows.size]).toEqual([['table'], 0])
  })

  it('are rows still where what else reads the table does not lead to the loss', () => {
    const g = new GraphBuilder('g')
    const { table, first } = embed(g)
    g.tanh(table)
    const { dense, rows } = differentiate(g, g.sum(first), [table], { rows: new Set(['table']) })
    expect([dense.size, [...rows.keys()]]).toEqual([0, ['table']])
  })
})
