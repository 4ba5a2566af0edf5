import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { differentiate } from '../../src/autodiff/backward'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import { encode } from '../../src/onnx/encode'
import type { OpName } from '../../src/onnx/operators'
import { writeGradients } from '../helpers/checkGradients'
import { evaluate } from '../helpers/referenceEngine'
import { cases } from './cases'

describe('ONNX Runtime computes the same gradients in float32', () => {
  for (const op of Object.keys(cases) as OpName[]) {
    for (const { title, build, inputs, notOnRuntime, ...options } of cases[op]) {
      it.skipIf(notOnRuntime !== undefined)(
        `${op}, ${title}${notOnRuntime === undefined ? '' : `: ${notOnRuntime}`}`,
        async () => {
          for (const weighting of ['whole', 'scalar'] as const) {
            const { graph, feeds } = writeGradients(build, inputs, weighting, options, 'float32')
            check(graph)
            const session = await InferenceSession.create(encode(graph).model, {
              intraOpNumThreads: 1,
              interOpNumThreads: 1,
            })
            const found = await session.run(
              Object.fromEntries(
                graph.inputs.map(input => {
                  const { data, dims } = feeds[input.name]!
                  const typed = input.dtype === 'float32' ? Float32Array.from(data as Float64Array) : data
                  return [input.name, new RuntimeTensor(input.dtype as 'float32', typed as Float32Array, dims)]
                }),
              ),
            )
            for (const [name, expected] of Object.entries(evaluate(graph, feeds))) {
              const { data, dims } = found[name]!
              expect(dims, name).toEqual(expected.dims)
              const largest = (expected.data as Float64Array).reduce((top, v) => Math.max(top, Math.abs(v)), 1)
              ;(data as Float32Array).forEach((value, i) => {
                const error = Math.abs(value - Number(expected.data[i])) / largest
                expect(error, `${weighting}, ${name}[${i}]: ${value} is not ${expected.data[i]}`).toBeLessThanOrEqual(
                  1e-5,
                )
              })
            }
            await session.release()
          }
        },
      )
    }
  }
})

// a product for few rows, a scatter for many
it.each([3, 2000])('adds up the gradients of the rows of a table, %i of them, with several threads', async rows => {
  const [reads, width] = [30_000, 16]
  const g = new GraphBuilder('rows')
  const [table, index] = [g.input('table', 'float32', [rows, width]), g.input('index', 'int32', ['n'])]
  const { dense } = differentiate(g, g.sum(g.gather(table, index)), [table])
  const session = await InferenceSession.create(encode(g.build({ table_grad: dense.get('table')! })).model, {
    intraOpNumThreads: 4,
  })
  const places = Int32Array.from({ length: reads }, (_, i) => (i * 7919) % rows)
  const expected = new Float32Array(rows * width)
  for (const row of places) for (let i = 0; i < width; i++) expected[row * width + i]! += 1
  const feeds = {
    table: new RuntimeTensor('float32', new Float32Array(rows * width), [rows, width]),
    index: new RuntimeTensor('int32', places, [reads]),
  }
  for (let trial = 0; trial < 10; trial++) expect((await session.run(feeds)).table_grad!.data).toEqual(expected)
  await session.release()
})
