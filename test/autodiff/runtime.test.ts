import { describe, expect, it } from 'vitest'
import { check } from '../../src/onnx/check'
import type { OpName } from '../../src/onnx/operators'
import { expectNear } from '../helpers/expectNear'
import { onRuntime } from '../helpers/onRuntime'
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
            const found = await onRuntime(graph, feeds)
            for (const [name, expected] of Object.entries(evaluate(graph, feeds))) {
              expect(found[name]!.dims, name).toEqual(expected.dims)
              expectNear(found[name]!.data, expected.data, `${weighting}, ${name}`, 1e-5)
            }
          }
        },
      )
    }
  }
})
