import { describe, expect, it } from 'vitest'
import { differentiate } from '../../src/autodiff/backward'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Graph, Value } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { gradientGraph } from '../helpers/gradientGraph'
import { evaluate } from '../helpers/referenceEngine'

describe('checkpoints', () => {
  /** tanh and a product, three times; the third reads a value from within the first as well. */
  const chain = (checkpointed: boolean): Graph => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 3])
    const w = g.input('w', 'float32', [3, 3])
    const inner = g.matMul(g.exp(x), w)
    const first = g.tanh(inner)
    const second = g.tanh(g.matMul(first, w))
    const third = g.mul(g.tanh(g.matMul(second, w)), inner)
    const loss = g.sum(g.mul(third, third))
    return gradientGraph(g, loss, [x, w], { checkpoints: checkpointed ? [first, second, third] : [] })
  }
  const feeds = {
    x: Tensor.from('float32', [
      [1, -2, 0.5],
      [0.25, 1, -1],
    ]),
    w: Tensor.from('float32', [
      [0.1, 0.4, -1],
      [2, 0.3, 0.2],
      [-0.7, 0.6, 1],
    ]),
  }

  it('change no gradient', () => {
    expect(evaluate(chain(true), feeds)).toEqual(evaluate(chain(false), feeds))
  })

  it('are all that is kept, besides what a later part reads', () => {
    const { nodes } = chain(true)
    const again = nodes.filter(node => node.name.startsWith('backward/again/'))
    // of the second part its product and tanh; of the third the same and, for the loss, its product
    expect(again.flatMap(({ op }) => (['MatMul', 'Tanh', 'Exp'].includes(op) ? [op] : [])).toSorted()).toEqual([
      'MatMul',
      'MatMul',
      'Tanh',
      'Tanh',
    ])
    expect(again.filter(({ op }) => op === 'Sub').length).toBe(3)
  })

  it('change nothing if there is only one, or if no gradient reaches them', () => {
    const ops = (checkpoints: (values: readonly Value[]) => readonly Value[]): readonly string[] => {
      const g = new GraphBuilder('g')
      const x = g.input('x', 'float32', [2])
      const y = g.tanh(x)
      const unread = g.exp(x)
      const { dense } = differentiate(g, g.sum(g.exp(y)), [x], { checkpoints: checkpoints([y, unread]) })
      return g.build({ x_grad: dense.get('x')! }).nodes.map(({ op }) => op)
    }
    expect(ops(([y]) => [y!])).toEqual(ops(() => []))
    expect(ops(both => both)).toEqual(ops(() => []))
  })
})
