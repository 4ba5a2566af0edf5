import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { differentiate } from '../../src/autodiff/backward'
import { createEngine, type Engine } from '../../src/engine/Engine'
import { binaryCrossEntropy } from '../../src/losses/binaryCrossEntropy'
import { crossEntropy, type CrossEntropyOptions } from '../../src/losses/crossEntropy'
import type { Loss } from '../../src/losses/loss'
import { meanSquaredError } from '../../src/losses/meanSquaredError'
import { GraphBuilder } from '../../src/onnx/builder'
import { encode } from '../../src/onnx/encode'
import type { Dimension, Graph, Value } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { expectGradients } from '../helpers/expectGradients'
import { evaluate } from '../helpers/referenceEngine'

interface Oracle {
  readonly loss: keyof typeof writers
  readonly options: CrossEntropyOptions
  readonly logits: number[][]
  readonly labels: number[] | number[][]
  readonly value: number
  readonly gradient: number[]
}

const writers = {
  crossEntropy,
  binaryCrossEntropy: (graph: GraphBuilder, logits: Value, labels: Value): Loss =>
    binaryCrossEntropy(graph, logits, labels),
  meanSquaredError: (graph: GraphBuilder, logits: Value, labels: Value): Loss =>
    meanSquaredError(graph, logits, labels),
}
const oracle = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/optim/losses.json'), 'utf8')) as Oracle[]

function lossGraph(
  loss: keyof typeof writers,
  logits: readonly unknown[],
  labels: readonly unknown[],
  options: CrossEntropyOptions,
  width: Dimension = (logits[0] as unknown[]).length,
): Graph {
  const graph = new GraphBuilder(loss)
  const x = graph.input('logits', 'float32', ['batch', width])
  const y = graph.input(
    'labels',
    loss === 'crossEntropy' ? 'int32' : 'float32',
    Array.isArray(labels[0]) ? ['batch', labels[0].length] : ['batch'],
  )
  const { sum, count } = writers[loss](graph, x, y, options)
  const { dense } = differentiate(graph, sum, [x])
  return graph.build({ sum, count, gradient: dense.get('logits')! })
}

let engine: Engine
beforeAll(async () => void (engine = await createEngine({ threads: 1 })))
afterAll(() => engine.dispose())

describe('losses and their gradients are those of PyTorch', () => {
  it.each(oracle.map(entry => [entry.loss, JSON.stringify(entry.options), entry] as const))(
    '%s %s, case %#',
    async (loss, _options, { options, logits, labels, value, gradient }) => {
      const graph = lossGraph(loss, logits, labels, options)
      const targets = Tensor.from(loss === 'crossEntropy' ? 'int32' : 'float32', labels)
      const exact = evaluate(graph, {
        logits: Tensor.from('float64', logits),
        labels: loss === 'crossEntropy' ? targets : Tensor.from('float64', labels),
      })
      expectLoss(exact, value, gradient, 1e-7) // constants are float32
      const program = await engine.load(encode(graph).model)
      expectLoss(
        (await program.run({ logits: Tensor.from('float32', logits), labels: targets })) as Record<string, Tensor>,
        value,
        gradient,
        2e-6,
      )
    },
  )
})

describe('cross-entropy of as many classes as there are when the graph runs is that of PyTorch', () => {
  const open = oracle.filter(({ loss, options }) => loss === 'crossEntropy' && options.classWeights === undefined)
  it.each(open.map(entry => [JSON.stringify(entry.options), entry] as const))(
    '%s, case %#',
    async (_options, { options, logits, labels, value, gradient }) => {
      const program = await engine.load(encode(lossGraph('crossEntropy', logits, labels, options, 'classes')).model)
      const feed = { logits: Tensor.from('float32', logits), labels: Tensor.from('int32', labels) }
      expectLoss((await program.run(feed)) as Record<string, Tensor>, value, gradient, 2e-6)
    },
  )
})

it('the cross-entropy of one class is 0, as in PyTorch, and not what rounding leaves', async () => {
  const logits = [[0.3], [-1.7], [88.2], [1e-5], [5.123457]]
  const program = await engine.load(encode(lossGraph('crossEntropy', logits, [0, 0, 0, -100, 0], {})).model)
  const labels = Tensor.from('int32', [0, 0, 0, -100, 0])
  const { sum, gradient } = await program.run({ logits: Tensor.from('float32', logits), labels })
  expect(Math.abs(Number((sum as Tensor).data[0]))).toBe(0)
  expect(Math.max(...Array.from((gradient as Tensor).data as Float32Array, Math.abs))).toBe(0)
})

function expectLoss(
  { sum, count, gradient }: Record<string, Tensor>,
  value: number,
  expected: readonly number[],
  tolerance: number,
): void {
  const items = Number(count!.data[0])
  expect(Math.abs(Number(sum!.data[0]) / items - value)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(value)))
  expected.forEach((v, i) =>
    expect(Math.abs(Number(gradient!.data[i]) / items - v), `gradient ${i}`).toBeLessThanOrEqual(tolerance),
  )
}

describe('the golden values of appendix A.5', () => {
  const logits = [
    [1, 2, 0.5],
    [0.1, -0.3, 0.7],
  ]
  const mean = (
    loss: keyof typeof writers,
    rows: number[][],
    labels: number[] | number[][],
    options: CrossEntropyOptions = {},
  ): number => {
    const dtype = loss === 'crossEntropy' ? 'int32' : 'float64'
    const { sum, count } = evaluate(lossGraph(loss, rows, labels, options), {
      logits: Tensor.from('float64', rows),
      labels: Tensor.from(dtype, labels),
    })
    return Number(sum!.data[0]) / Number(count!.data[0])
  }

  it('hold', () => {
    expect(mean('crossEntropy', logits, [1, 2])).toBeCloseTo(0.5574845430662925, 12)
    expect(mean('crossEntropy', logits, [1, 2], { labelSmoothing: 0.1 })).toBeCloseTo(0.6258178763996258, 7)
    expect(
      mean('binaryCrossEntropy', logits, [
        [1, 0, 1],
        [0, 1, 0],
      ]),
    ).toBeCloseTo(0.936034106028143, 12)
  })

  it('do not change with an ignored row', () => {
    const longer = [...logits, [5, -3, 40]]
    expect(mean('crossEntropy', longer, [1, 2, -100])).toBeCloseTo(0.5574845430662925, 12)
    expect(mean('crossEntropy', longer, [1, 2, -100], { labelSmoothing: 0.1 })).toBeCloseTo(0.6258178763996258, 7)
  })

  it('are sums and counts', () => {
    const { sum, count } = evaluate(lossGraph('crossEntropy', logits, [1, -100], {}), {
      logits: Tensor.from('float64', logits),
      labels: Tensor.from('int32', [1, -100]),
    })
    expect([Number(sum!.data[0]), Number(count!.data[0])]).toEqual([
      expect.closeTo(Math.log(Math.exp(-1) + 1 + Math.exp(-1.5)), 12),
      1,
    ])
    const none = evaluate(lossGraph('crossEntropy', logits, [-100, -100], {}), {
      logits: Tensor.from('float64', logits),
      labels: Tensor.from('int32', [-100, -100]),
    })
    expect([Number(none.sum!.data[0]), Number(none.count!.data[0]), ...none.gradient!.data]).toEqual([
      expect.closeTo(0, 15),
      0,
      ...Array<unknown>(6).fill(expect.closeTo(0, 15)),
    ])
  })
})

describe('gradients agree with finite differences', () => {
  const classes = { shape: ['rows'], dtype: 'int32', values: [3, 0, -100, 1, 2] } as const
  const lengths = { rows: 5 }
  it.each([
    {},
    { labelSmoothing: 0.2 },
    { classWeights: [0.5, 1, 2, 3] },
    { labelSmoothing: 0.1, classWeights: [0.5, 1, 2, 3] },
  ])('cross-entropy %j', options => {
    expectGradients(
      (graph, x, y) => crossEntropy(graph, x!, y!, options).sum,
      [{ shape: ['rows', 4], from: -3, to: 3 }, classes],
      { lengths },
    )
  })

  it('binary cross-entropy', () => {
    const bits = {
      shape: ['rows', 2],
      values: [
        [0, 1],
        [1, 1],
        [0, 0],
        [1, 0],
        [0.5, 0.25],
      ],
    } as const
    expectGradients(
      (graph, x, y) => binaryCrossEntropy(graph, x!, y!).sum,
      [{ shape: ['rows', 2], from: -4, to: 4 }, bits],
      { lengths },
    )
  })

  it('squared error, of targets too', () => {
    expectGradients((graph, x, y) => meanSquaredError(graph, x!, y!).sum, [['rows', 1], ['rows']], { lengths })
    expectGradients(
      (graph, x, y) => meanSquaredError(graph, x!, y!).sum,
      [
        ['rows', 3],
        ['rows', 3],
      ],
      { lengths },
    )
  })
})

it('classes that are not known have no weights', () => {
  const graph = new GraphBuilder('open')
  const logits = graph.input('logits', 'float32', ['rows', 'choices'])
  const labels = graph.input('labels', 'int32', ['rows'])
  expect(() => crossEntropy(graph, logits, labels, { classWeights: [1, 2] })).toThrow(
    'classWeights were given, but how many classes logits [rows, choices] have is not known. Leave classWeights out.',
  )
})
