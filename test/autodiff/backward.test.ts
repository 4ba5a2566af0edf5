import { afterEach, describe, expect, it } from 'vitest'
import { differentiate } from '../../src/autodiff/backward'
import { gradients } from '../../src/autodiff/gradients'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Value } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { checkGradients } from '../helpers/checkGradients'
import { evaluate } from '../helpers/referenceEngine'
import { backwardOps, failure, gradientGraph } from './walking'

describe('the walk', () => {
  it('adds up what comes from every reader', () => {
    checkGradients(
      (g, x, w) => g.add(g.add(g.tanh(g.mul(x!, w!)), g.exp(x!)), g.matMul(x!, g.transpose(x!, [1, 0]))),
      [[3, 3], [3]],
    )
  })

  it('goes through a whole block: attention and feed-forward over named lengths', () => {
    checkGradients(
      (g, x, w, v, s, b) => {
        const heads = (value: Value): Value => g.transpose(g.reshape(value, [0, 0, 2, 3]), [0, 2, 1, 3])
        const projected = g.matMul(x!, w!)
        const q = heads(projected)
        const k = heads(g.mul(projected, 0.5))
        const mixed = g.matMul(g.softmax(g.mul(g.matMul(q, g.transposeLast(k)), 0.57)), heads(x!))
        const joined = g.reshape(g.transpose(mixed, [0, 2, 1, 3]), [0, 0, 6])
        const normal = g.layerNormalization(g.add(joined, x!), s!, b!, 1e-5)[0]
        return g.add(g.gelu(g.matMul(normal, v!)), 0.1)
      },
      [['n', 'm', 6], [6, 6], [6, 4], [6], [6]],
      { lengths: { n: 2, m: 5 } },
    )
  })

  it('gives nothing for a value that the loss does not depend on, and zeros where the dependence is zero', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', [2])
    const y = g.input('y', 'float32', [2])
    const z = g.input('z', 'float32', [2])
    const graph = gradientGraph(g, g.sum(g.add(g.add(x, g.floor(y)), g.mul(z, 0))), [x, y, z])
    expect(graph.outputs.map(output => output.name)).toEqual(['loss', 'x_grad', 'z_grad'])
    const two = Tensor.from('float32', [3, 4])
    expect(evaluate(graph, { x: two, y: two, z: two }).z_grad!.tolist()).toEqual([0, 0])
  })

  it('differentiates by values in between, and goes on behind them', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', [2])
    const h = g.mul(x, x)
    const { dense } = differentiate(g, g.sum(g.mul(h, h)), [x, h])
    const graph = g.build({ dx: dense.get('x')!, dh: dense.get(h.name)! })
    const { dx, dh } = evaluate(graph, { x: Tensor.from('float32', [2, -1]) })
    expect([dx!.tolist(), dh!.tolist()]).toEqual([
      [32, -4],
      [8, 2],
    ])
  })

  it('differentiates again: the derivative of a derivative', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float64', [3])
    const first = differentiate(g, g.sum(g.mul(g.mul(x, x), x)), [x]).dense.get('x')!
    const second = differentiate(g, g.sum(first), [x]).dense.get('x')!
    expect(evaluate(g.build({ second }), { x: Tensor.from('float64', [1, -2, 0.5]) }).second!.tolist()).toEqual([
      6, -12, 3,
    ])
  })

  it('gives a gradient the shape of its value, whatever the loss makes of it', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 3])
    const bias = g.input('bias', 'float32', [3])
    const graph = gradientGraph(g, g.sum(g.add(x, bias)), [x, bias])
    expect(graph.outputs.slice(1).map(output => output.shape)).toEqual([['n', 3], [3]])
    const { x_grad, bias_grad } = evaluate(graph, {
      x: Tensor.zeros('float32', [4, 3]),
      bias: Tensor.zeros('float32', [3]),
    })
    expect([x_grad!.tolist(), bias_grad!.tolist()]).toEqual([
      [
        [1, 1, 1],
        [1, 1, 1],
        [1, 1, 1],
        [1, 1, 1],
      ],
      [4, 4, 4],
    ])
  })
})

describe('what the walk leaves out', () => {
  it('factors of 1, and sums over no axis', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 4])
    const w = g.input('w', 'float32', [4, 2])
    const b = g.input('b', 'float32', [2])
    expect(backwardOps(gradientGraph(g, g.sum(g.tanh(g.gemm(x, w, b))), [w, b]))).toEqual([
      'Mul',
      'Sub',
      'Gemm',
      'ReduceSum',
    ])
  })

  it('nodes that lead to no parameter', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 4])
    const w = g.input('w', 'float32', [4, 2])
    expect(backwardOps(gradientGraph(g, g.sum(g.gelu(g.matMul(g.tanh(x), w))), [w]))).not.toContain('Sub')
  })

  it('passes over a large tensor for a number: it becomes the alpha of the next product, or waits for the sum', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 4])
    const w = g.input('w', 'float32', [2, 4])
    const b = g.input('b', 'float32', [2])
    const graph = gradientGraph(g, g.sum(g.exp(g.mul(g.gemm(x, w, b, { transB: 1, alpha: 0.5, beta: 0.5 }), 3))), [
      w,
      b,
    ])
    const product = graph.nodes.find(node => node.name.startsWith('backward/') && node.op === 'Gemm')!
    expect(product.attributes).toEqual({ transA: 1, alpha: 1.5 })
    expect(graph.nodes.at(-1)).toMatchObject({ op: 'Mul', outputs: [{ name: 'b_grad', shape: [2] }] })
    expect(backwardOps(graph)).toEqual(['Gemm', 'ReduceSum', 'Mul'])
  })

  it('a difference of gradients is one subtraction', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 4])
    const m = g.input('m', 'float32', ['n', 4])
    const shifted = g.sub(g.mul(m, g.exp(x)), g.mul(m, x))
    expect(backwardOps(gradientGraph(g, g.sum(shifted), [x]))).toEqual(['Mul', 'Sub'])
  })

  it('stretching a gradient before an elementwise rule', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 4])
    const w = g.input('w', 'float32', ['n', 1])
    expect(backwardOps(gradientGraph(g, g.sum(g.mul(g.log(g.reduceSum(g.exp(x), [1], true)), w)), [x]))).toEqual([
      'Div',
      'Mul',
    ])
  })

  it('shapes read off an activation: they come from the inputs', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 'm', 6])
    const w = g.input('w', 'float32', [6, 4])
    const graph = gradientGraph(g, g.sum(g.mul(g.reduceMean(g.matMul(x, w), [0, 1]), g.input('v', 'float32', [4]))), [
      w,
    ])
    expect(new Set(graph.nodes.filter(node => node.op === 'Shape').map(node => node.inputs[0]!.name))).toEqual(
      new Set(['x']),
    )
  })
})

describe('what is refused', () => {
  const changed = gradients as unknown as Record<string, unknown>
  const { Cos } = gradients
  afterEach(() => {
    changed.Cos = Cos
  })

  it('a way through an opaque operator, with the operator, the node and the way', () => {
    changed.Cos = 'opaque'
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', [2])
    const w = g.input('w', 'float32', [2])
    const loss = g.scope('head', () => g.sum(g.mul(g.cos(g.mul(x, w)), x)))
    const error = failure(() => differentiate(g, loss, [w]))
    const names = g.nodes.map(node => node.name)
    expect(error.code).toBe('graph')
    const way = ['w', ...names.slice(0, 4), loss.name].join(' → ')
    expect(error.message).toContain(
      `No gradient goes through Cos (node "${names[1]}", on the way ${way}): the operator has no gradient.`,
    )
    expect(names[1]).toMatch(/^head\/Cos/)
  })

  it('not an opaque operator beside the way', () => {
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
      /Pad \(node ".*", on the way x → .*\): Pad has a gradient for mode constant, not for reflect\./,
    )
    const put = g.node(
      'ScatterND',
      [x, g.constant(Tensor.from('int64', [[0]])), g.constant(Tensor.from('float32', [2]))],
      { reduction: 'mul' },
    )[0]!
    expect(failure(() => differentiate(g, g.sum(put), [x])).message).toContain('reduction none and add, not for mul')
  })

  it('a loss that is no scalar, and what can have no gradient', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 2])
    const i = g.input('i', 'int32', ['n'])
    expect(failure(() => differentiate(g, x, [x])).message).toBe(
      'A loss has to be a scalar of a floating-point type, but x is float32[n, 2]. Sum it up first.',
    )
    expect(failure(() => differentiate(g, g.sum(x), [i])).message).toBe(
      'Only floating-point values have a gradient, but i is int32[n].',
    )
  })
})
