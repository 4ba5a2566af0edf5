// operators that only training builds and graph optimizers have, against what the runtimes that have them return
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Written } from '../../scripts/reference/plainTensor'
import { dropout } from '../../src/lowering/dropout'
import { fused } from '../../src/lowering/fused'
import { losses } from '../../src/lowering/losses'
import type { Lowering } from '../../src/lowering/Lowering'
import { training } from '../../src/lowering/training'
import { GraphBuilder } from '../../src/onnx/builder'
import { isFloat } from '../../src/onnx/infer'
import type { Value } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { portableBreach } from '../autodiff/portable'
import { expectGradients } from '../helpers/expectGradients'
import { evaluate } from '../helpers/referenceEngine'
import type { InputOptions } from '../helpers/writeGradients'
import { expectCase, type OperatorCase, writeCase } from './operatorCase'

const fixtures = join(import.meta.dirname, '../fixtures/onnx')
const cases = ['training', 'fused'].flatMap(
  kind =>
    (JSON.parse(readFileSync(join(fixtures, `${kind}Operators.json`), 'utf8')) as { cases: OperatorCase[] }).cases,
)
const casesOf = (op: string): readonly OperatorCase[] => cases.filter(one => one.op === op)
const rows: Readonly<Record<string, Lowering>> = { ...dropout, ...losses, ...training, ...fused }
const isRefused = ({ how }: Lowering): boolean => how.startsWith('refused')
/** Rows with a mask, which no runtime draws as we do. */
const drawn = [
  'Dropout',
  ...['BitmaskDropout', 'BiasDropout', 'BitmaskBiasDropout', 'BiasSoftmaxDropout'].map(microsoft),
]

function microsoft(op: string): string {
  return `com.microsoft.${op}`
}

it('every row has a case', () => {
  const written = Object.keys(rows).filter(op => !isRefused(rows[op]!))
  expect(written.filter(op => casesOf(op).length === 0).toSorted()).toEqual(drawn.toSorted())
})

describe.each([...new Set(cases.map(({ op }) => op))])('%s', op => {
  it('is what the runtime has, with known lengths', () => {
    for (const one of casesOf(op)) expectCase(one, false)
  })

  it('is what the runtime has, where lengths are known only when the graph runs', () => {
    for (const one of casesOf(op)) expectCase(one, true)
  })
})

/** Two rows of logits, of labels 1 and -1, and what onnxruntime-training-cpu 1.19.2 returns: the loss of the first row. */
it.each([
  { op: 'com.microsoft.SoftmaxCrossEntropyLossInternal', domain: 'com.microsoft', attributes: { output_type: 1 } },
  { op: 'SoftmaxCrossEntropyLoss', domain: '', attributes: {} },
])('$op leaves labels of -1 out where it names no label', ({ op, domain, attributes }) => {
  const one: OperatorCase = {
    op,
    opset: 14,
    nodes: [
      {
        op: op.replace('com.microsoft.', ''),
        domain,
        inputs: ['x', 'labels'],
        outputs: ['loss'],
        attributes: { ...attributes, reduction: 'mean' },
      },
    ],
    inputs: {
      x: { dtype: 'float32', shape: [2, 3], data: [1, 2, 3, 3, 1, 0], names: ['n', 'k'] },
      labels: { dtype: 'int64', shape: [2], data: [1, -1], names: ['n'] },
    },
    outputs: { loss: { dtype: 'float32', shape: [], data: [1.4076059] } },
  }
  for (const open of [false, true]) expectCase(one, open)
})

/** Rows that a gradient goes back through. */
const forward = Object.keys(rows).filter(op => {
  const { carries, how } = rows[op]!
  return !how.startsWith('refused') && carries?.length !== 0 && casesOf(op).length > 0
})

/** An input of a case, as the gradient tests feed it. */
function inputOf({ dtype, shape, data }: Written): InputOptions {
  const values = new Tensor('float64', Float64Array.from(data, Number), shape).tolist()
  return { shape, values, ...(isFloat(dtype) ? {} : { dtype }) }
}

it.each(forward)('the gradients of %s are right, and portable', op => {
  for (const one of casesOf(op).slice(0, 4)) {
    const fed = Object.entries(one.inputs).filter(([, { constant }]) => constant !== true)
    const inputs = fed.map(([, tensor]) => inputOf(tensor))
    const build = (graph: GraphBuilder, ...values: Value[]): readonly (Value | undefined)[] => {
      const found = writeCase(graph, one, new Map(fed.map(([name], i) => [name, values[i]!])))
      return [...found.values()].filter(({ dtype }) => isFloat(dtype))
    }
    for (const { graph } of expectGradients(build, inputs, { tolerance: 1e-6 })) {
      const backward = graph.nodes.filter(({ name }) => name.startsWith('backward/'))
      expect(backward.flatMap(portableBreach)).toEqual([])
    }
  }
})

describe('dropout', () => {
  const x = Tensor.from('float32', [
    [1, 2, 3],
    [4, 5, 6],
  ])
  const mask = Tensor.from('float32', [
    [2, 0, 2],
    [0, 0, 2],
  ])
  const node = (op: string, inputs: string[], outputs: string[], domain = ''): OperatorCase['nodes'][number] => ({
    op,
    domain,
    inputs,
    outputs,
    attributes: {},
  })
  const given = (nodes: OperatorCase['nodes'], outputs: string[]): OperatorCase => ({
    op: 'Dropout',
    opset: 13,
    nodes,
    inputs: { ratio: { dtype: 'float32', shape: [], data: [0.5], constant: true } },
    outputs: Object.fromEntries(outputs.map(name => [name, { dtype: 'float32', shape: [], data: [] }])),
  })
  const run = (one: OperatorCase, feeds: Readonly<Record<string, Tensor>>): Record<string, number[]> => {
    const graph = new GraphBuilder('case', true)
    const values = new Map(
      Object.entries(feeds).map(([name, { dtype, dims }]) => [name, graph.input(name, dtype, dims)]),
    )
    const built = graph.build(Object.fromEntries(writeCase(graph, one, values)))
    const found = evaluate(built, { ...feeds, 'dropout.node_0': mask })
    return Object.fromEntries(
      Object.entries(found).map(([name, { data }]) => [name, Array.from(data as ArrayLike<number>, Number)]),
    )
  }

  it('multiplies by the mask, which its gradient reads', () => {
    const back = node('DropoutGrad', ['dy', 'mask', 'ratio'], ['dx'], 'com.microsoft')
    const one = given([node('Dropout', ['x', 'ratio'], ['y', 'mask']), back], ['y', 'mask', 'dx'])
    expect(
      run(one, {
        x,
        dy: Tensor.from('float32', [
          [1, 1, 1],
          [1, 1, 3],
        ]),
      }),
    ).toEqual({
      y: [2, 0, 6, 0, 0, 12],
      mask: [1, 0, 1, 0, 0, 1],
      dx: [2, 0, 2, 0, 0, 6],
    })
  })

  it('stands with what was fused into it', () => {
    const bias = Tensor.from('float32', [1, 1, 1])
    const biased = (op: string): Record<string, number[]> =>
      run(given([node(op, ['x', 'b', 'x', 'ratio'], ['y', 'mask'], 'com.microsoft')], ['y', 'mask']), { x, b: bias })
    const wanted = { y: [5, 2, 11, 4, 5, 20], mask: [1, 0, 1, 0, 0, 1] }
    expect(biased('BiasDropout')).toEqual(wanted)
    expect(biased('BitmaskBiasDropout')).toEqual(wanted)
    const bits = given([node('BitmaskDropout', ['x', 'ratio'], ['y', 'mask'], 'com.microsoft')], ['y', 'mask'])
    expect(run(bits, { x }).y).toEqual([2, 0, 6, 0, 0, 12])
    const softmax = given(
      [node('BiasSoftmaxDropout', ['x', 'b', 'ratio'], ['y', 'mask', 's'], 'com.microsoft')],
      ['y', 's'],
    )
    const { y, s } = run(softmax, { x, b: bias })
    expect(s!.slice(0, 3).reduce((a, b) => a + b)).toBeCloseTo(1, 12)
    expect(y).toEqual(s!.map((value, i) => value * [2, 0, 2, 0, 0, 2][i]!))
  })
})

it.each(Object.keys(rows).filter(op => isRefused(rows[op]!)))(
  '%s is refused by name, with a reason and advice',
  name => {
    const at = name.lastIndexOf('.')
    const [domain, op] = at < 0 ? ['', name] : [name.slice(0, at), name.slice(at + 1)]
    const x: Written = { dtype: 'float32', shape: [2], data: [1, 2] }
    const one = {
      op: name,
      opset: 14,
      nodes: [{ op, domain, inputs: ['x'], outputs: ['y'], attributes: {} }],
      inputs: { x },
      outputs: { y: x },
    }
    const write = (): unknown => {
      const graph = new GraphBuilder('case', true)
      return writeCase(graph, one, new Map([['x', graph.input('x', 'float32', [2])]]))
    }
    expect(write).toThrow(`case.onnx: The node "node_0" (${name}): it cannot be trained: `)
    expect(write).toThrow(/\. [A-Z].+\.$/)
  },
)

it('GatherGrad adds as many rows as there are indices: those of the first row of a batch', () => {
  const tensor = (shape: number[], data: number[], dtype: Written['dtype'] = 'float32'): Written => ({
    dtype,
    shape,
    data,
  })
  const one: OperatorCase = {
    op: microsoft('GatherGrad'),
    opset: 14,
    nodes: [
      {
        op: 'GatherGrad',
        domain: 'com.microsoft',
        inputs: ['shape', 'index', 'dy'],
        outputs: ['dx'],
        attributes: { axis: 0 },
      },
    ],
    inputs: {
      shape: { ...tensor([2], [3, 1], 'int64'), constant: true },
      index: { ...tensor([1, 2], [0, 2], 'int64'), names: [1, 'm'] },
      dy: { ...tensor([2, 2, 1], [1, 2, 4, 8]), names: ['n', 'm', 1] },
    },
    outputs: { dx: tensor([3, 1], [1, 0, 2]) },
  }
  for (const open of [false, true]) expectCase(one, open)
})
