// what makes, reads and computes with shapes, lists, branches and functions: ONNX Runtime's values of the file
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lower } from '../../src/lowering/lower'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import { encode } from '../../src/onnx/encode'
import { readModel } from '../../src/onnx/readModel'
import type { Graph, Value } from '../../src/onnx/types'
import { createData, type DataType, Tensor } from '../../src/tensor'
import { evaluate } from '../helpers/referenceEngine'

interface Stored {
  readonly dtype: DataType
  readonly shape: number[]
  readonly data: number[]
}

interface ShapeCase {
  readonly title: string
  readonly model: string
  readonly runs: readonly {
    readonly feeds: Readonly<Record<string, Stored>>
    readonly outputs: Readonly<Record<string, Stored>>
  }[]
}

const file = join(import.meta.dirname, '../fixtures/onnx/shapes.json')
const cases = JSON.parse(readFileSync(file, 'utf8')) as ShapeCase[]

function tensorOf({ dtype, data, shape }: Stored): Tensor {
  const made = createData(dtype, data.length)
  data.forEach((value, i) => (made[i] = (made instanceof BigInt64Array ? BigInt(value) : value) as never))
  return new Tensor(dtype, made as never, shape)
}

function lowered(given: ShapeCase): Graph {
  const model = readModel(Buffer.from(given.model, 'base64'))
  const graph = new GraphBuilder('case', true)
  const inputs = model.graph.inputs.map(({ name, type }): [string, Value] => [
    name,
    graph.input(name, type!.dtype, type!.shape),
  ])
  const target = { graph, isTraining: false, dropoutMask: () => undefined, moves: () => undefined }
  const wanted = model.graph.outputs.map(({ name }) => name)
  return graph.build(Object.fromEntries(lower(target, { model, file: 'case.onnx', given: new Map(inputs), wanted })))
}

function expectOutput(name: string, found: { data: ArrayLike<number | bigint> }, wanted: Stored): void {
  expect(found.data.length, name).toBe(wanted.data.length)
  wanted.data.forEach((value, i) => expect(Number(found.data[i]), `${name}[${i}]`).toBeCloseTo(value, 4))
}

describe('a graph of another program, in our operators', () => {
  it.each(cases.map(given => [given.title, given] as const))('%s', async (_, given) => {
    const graph = lowered(given)
    check(graph)
    const session = await InferenceSession.create(encode(graph).model, { intraOpNumThreads: 1, logSeverityLevel: 3 })
    for (const { feeds, outputs } of given.runs) {
      const tensors = Object.fromEntries(Object.entries(feeds).map(([name, stored]) => [name, tensorOf(stored)]))
      // the evaluator holds every value against the lengths and names that were found for it
      const exact = evaluate(graph, tensors)
      const fed = Object.entries(tensors).map(([name, { dtype, data, dims }]) => {
        return [name, new RuntimeTensor(dtype as 'float32', data as Float32Array, dims)] as const
      })
      const run = await session.run(Object.fromEntries(fed))
      for (const [name, wanted] of Object.entries(outputs)) {
        expect(exact[name]!.dims, name).toEqual(wanted.shape)
        expect(run[name]!.dims, name).toEqual(wanted.shape)
        expectOutput(name, exact[name]!, wanted)
        expectOutput(`${name} in ONNX Runtime`, run[name] as { data: ArrayLike<number | bigint> }, wanted)
      }
    }
    await session.release()
  })
})
