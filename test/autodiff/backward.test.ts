import { describe, expect, it } from 'vitest'
import { differentiate } from '../../src/autodiff/backward'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Value } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { expectGradients } from '../helpers/expectGradients'
import { backwardOps, gradientGraph } from '../helpers/gradientGraph'
import { evaluate } from '../helpers/referenceEngine'

describe('the walk', () => {
  it('adds up the gradients from all readers', () => {
    expectGradients(
      (g, x, w) => g.add(g.add(g.tanh(g.mul(x!, w!)), g.exp(x!)), g.matMul(x!, g.transpose(x!, [1, 0]))),
      [[3, 3], [3]],
    )
  })

  it('differentiates a whole block: attention and feed-forward over named lengths', () => {
    expectGradients(
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

  it('differentiates with respect to intermediate values, and continues past them', () => {
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

  it('negations before a sum: a difference of gradients is one subtraction', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 4])
    const m = g.input('m', 'float32', ['n', 4])
    const shifted = g.sub(g.mul(m, g.exp(x)), g.mul(m, x))
    expect(backwardOps(gradientGraph(g, g.sum(shifted), [x]))).toEqual(['Mul', 'Sub'])
  })

  it('broadcasting a gradient before an elementwise rule', () => {
    const g = new GraphBuilder('g')
    const x = g.input('x', 'float32', ['n', 4])
    const w = g.input('w', 'float32', ['n', 1])
    expect(backwardOps(gradientGraph(g, g.sum(g.mul(g.log(g.reduceSum(g.exp(x), [1], true)), w)), [x]))).toEqual([
      'Div',
      'Mul',
    ])
  })

  it('reading shapes off an activation: they come from the inputs', () => {
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

  it('are dense if the table is also read in another way', () => {
    const g = new GraphBuilder('g')
    const { table, first } = embed(g)
    const { dense, rows } = differentiate(g, g.sum(g.gemm(first, table, undefined, { transB: 1 })), [table], {
      rows: new Set(['table']),
    })
    expect([[...dense.keys()], rows.size]).toEqual([['table'], 0])
  })

  it('are still rows if the other reader of the table does not lead to the loss', () => {
    const g = new GraphBuilder('g')
    const { table, first } = embed(g)
    g.tanh(table)
    const { dense, rows } = differentiate(g, g.sum(first), [table], { rows: new Set(['table']) })
    expect([dense.size, [...rows.keys()]]).toEqual([0, ['table']])
  })
})
