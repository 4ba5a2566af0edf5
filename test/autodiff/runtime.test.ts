import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { check } from '../../src/onnx/check'
import { encode } from '../../src/onnx/encode'
import type { OpName } from '../../src/onnx/operators'
import { evaluate } from '../helpers/referenceEngine'
import { writeGradients } from '../helpers/writeGradients'
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
