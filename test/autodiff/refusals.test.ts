import { afterEach, describe, expect, it } from 'vitest'
import { differentiate } from '../../src/autodiff/backward'
import { gradients } from '../../src/autodiff/gradients'
import { TrainerError } from '../../src/errors'
import { GraphBuilder } from '../../src/onnx/builder'
import { Tensor } from '../../src/tensor'

const failure = (run: () => unknown): TrainerError => {
  try {
    run()
  } catch (error) {
    if (error instanceof TrainerError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('what is refused', () => {
  const changed = gradients as unknown as Record<string, unknown>
  const { Cos } = gradients
  afterEach(() => {
    changed.Cos = Cos
  })

  it('a path through an opaque operator, naming the operator, the node and the path', () => {
    changed.Cos = 'opaque'
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', [2])
    const w = g.input('w', 'float32', [2])
    const loss = g.scope('head', () => g.sum(g.mul(g.cos(g.mul(x, w)), x)))
    const error = failure(() => differentiate(g, loss, [w]))
    const names = g.nodes.map(node => node.name)
    expect(error.code).toBe('graph')
    const path = ['w', ...names.slice(0, 4), loss.name].join(' → ')
    expect(error.message).toContain(
      `No gradient can pass through Cos (node "${names[1]}", on the path ${path}): the operator has no gradient.`,
    )
    expect(names[1]).toMatch(/^head\/Cos/)
  })

  it('but not an opaque operator off the path', () => {
    changed.Cos = 'opaque'
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', [2])
    const w = g.input('w', 'float32', [2])
    g.cos(w)
    expect(differentiate(g, g.sum(g.mul(g.cos(x), w)), [w]).dense.size).toBe(1)
  })

  it('what a rule has no formula for', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', [4])
    const padded = g.node('Pad', [x, g.integers([1, 1])], { mode: 'reflect' })[0]!
    expect(failure(() => differentiate(g, g.sum(padded), [x])).message).toMatch(
      /Pad \(node ".*", on the path x → .*\): Pad has a gradient only for mode constant, not for reflect\./,
    )
    const put = g.node(
      'ScatterND',
      [x, g.constant(Tensor.from('int64', [[0]])), g.constant(Tensor.from('float32', [2]))],
      { reduction: 'mul' },
    )[0]!
    expect(failure(() => differentiate(g, g.sum(put), [x])).message).toContain('reduction none and add, not for mul')
  })

  it('a loss that is not a scalar, and a value that cannot have a gradient', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 2])
    const i = g.input('i', 'int32', ['n'])
    expect(failure(() => differentiate(g, x, [x])).message).toBe(
      'A loss must be a floating-point scalar, but x is float32[n, 2]. Sum it first.',
    )
    expect(failure(() => differentiate(g, g.sum(x), [i])).message).toBe(
      'Only floating-point values have a gradient, but i is int32[n].',
    )
  })
})
