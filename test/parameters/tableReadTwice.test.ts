// a table that two nodes read: its gradient comes in two parts, which add up
import { describe, expect, it } from 'vitest'
import { TrainableModel } from '../../src/auto/TrainableModel'
import { createEngine } from '../../src/engine/Engine'
import { asGiven } from '../../src/feeds/asGiven'
import { onnxModel } from '../../src/models/onnxModel'
import { GraphBuilder } from '../../src/onnx/builder'
import { encode } from '../../src/onnx/encode'
import { readModel } from '../../src/onnx/readModel'
import { trainingProgram } from '../../src/programs/training'
import { MersenneTwister } from '../../src/random'
import { type Batch, Tensor } from '../../src/tensor'
import { classes } from '../helpers/batches'
import { withRunner } from '../helpers/compute'
import { pretendedDevice } from '../helpers/pretendedDevice'
import { evaluate } from '../helpers/referenceEngine'
import { enginesOn } from '../helpers/sharedEngines'

const random = new MersenneTwister(4)
const numbers = (...dims: number[]): Tensor<'float32'> => {
  const size = dims.reduce((product, length) => product * length, 1)
  return new Tensor(
    'float32',
    Float32Array.from({ length: size }, () => random.uniform() - 0.5),
    dims,
  )
}
const weights = { words: numbers(200, 4), output: numbers(4, 3) }

/** The product of two words' rows of one table, times a matrix. */
const graph = (() => {
  const builder = new GraphBuilder('pairs')
  const words = builder.initializer('words', weights.words)
  const row = (name: string): ReturnType<typeof builder.input> =>
    builder.gather(words, builder.input(name, 'int32', ['n']))
  const product = builder.mul(row('first'), row('second'))
  return builder.build({ logits: builder.matMul(product, builder.initializer('output', weights.output)) })
})()

const model = onnxModel(readModel(encode(graph).model), {
  name: 'pairs',
  loss: 'cross_entropy',
})
const batch: Batch = {
  first: classes(7, 150, 7, 3, 199),
  second: classes(7, 3, 150, 0, 20),
  labels: classes(0, 2, 1, 1, 0),
}

/** The gradients of the loss's sum with whole tables, in float64. */
function denseGradients(): Record<string, Tensor> {
  const layout = asGiven(graph.inputs)
  const program = trainingProgram(model, layout, layout.usualVariant, {}, { rows: false })
  expect([...program.gradients.values()].map(({ kind }) => kind)).toEqual(['dense', 'dense'])
  return evaluate(program.graph, { ...batch, ...weights })
}

describe('a table that two nodes read', () => {
  it('has a gradient in two parts', () => {
    const layout = asGiven(graph.inputs)
    const program = trainingProgram(model, layout, layout.usualVariant, {})
    expect(program.gradients.get('words')).toEqual({
      kind: 'rows',
      parts: [
        { index: 'words_index.0', values: 'words_rows.0', count: 'n' },
        { index: 'words_index.1', values: 'words_rows.1', count: 'n' },
      ],
    })
  })

  it.each([
    ['the shared store', () => createEngine({ threads: 1 })],
    ['the device store', () => Promise.resolve(pretendedDevice())],
  ])('has the sum of both parts in %s, of one micro-batch and of two', async (_, open) => {
    const expected = denseGradients()
    const trained = new TrainableModel(model, new Map(Object.entries(weights)))
    const engine = await open()
    const engines = enginesOn(engine)
    await withRunner(trained, { engines }, batch, async (compute, runner) => {
      for (const count of [1, 2]) {
        const { gradients } = await compute(Array.from({ length: count }, () => batch))
        for (const name of ['words', 'output'])
          gradients
            .get(name)!
            .forEach((value, i) =>
              expect(value / count, `${name}[${i}]`).toBeCloseTo(Number(expected[`${name}_grad`]!.data[i]), 6),
            )
        await runner.store.discard()
      }
    })
  })
})
