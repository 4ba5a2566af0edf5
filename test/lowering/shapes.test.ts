// what makes, reads and computes with shapes, lists, branches and functions: ONNX Runtime's values of the file
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Plain, tensorOf } from '../../scripts/reference/plainTensor'
import { lower } from '../../src/lowering/lower'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import { readModel } from '../../src/onnx/readModel'
import type { Graph, Value } from '../../src/onnx/types'
import { onRuntime } from '../helpers/onRuntime'
import { evaluate } from '../helpers/referenceEngine'
import { targetIn } from './foreign'

interface ShapeCase {
  readonly title: string
  readonly model: string
  readonly runs: readonly {
    readonly feeds: Readonly<Record<string, Plain>>
    readonly outputs: Readonly<Record<string, Plain>>
  }[]
}

const file = join(import.meta.dirname, '../fixtures/onnx/shapes.json')
const cases = JSON.parse(readFileSync(file, 'utf8')) as ShapeCase[]

function lowered(given: ShapeCase): Graph {
  const model = readModel(Buffer.from(given.model, 'base64'))
  const graph = new GraphBuilder('case', true)
  const inputs = model.graph.inputs.map(({ name, type }): [string, Value] => [
    name,
    graph.input(name, type!.dtype, type!.shape),
  ])
  const wanted = model.graph.outputs.map(({ name }) => name)
  const options = { model, file: 'case.onnx', given: new Map(inputs), wanted }
  return graph.build(Object.fromEntries(lower(targetIn(graph, false), options)))
}

function expectOutput(name: string, found: { data: ArrayLike<number | bigint> }, wanted: Plain): void {
  expect(found.data.length, name).toBe(wanted.data.length)
  wanted.data.forEach((value, i) => expect(Number(found.data[i]), `${name}[${i}]`).toBeCloseTo(value, 4))
}

describe('a graph of another program, in our operators', () => {
  it.each(cases.map(given => [given.title, given] as const))('%s', async (_, given) => {
    const graph = lowered(given)
    check(graph)
    for (const { feeds, outputs } of given.runs) {
      const tensors = Object.fromEntries(Object.entries(feeds).map(([name, stored]) => [name, tensorOf(stored)]))
      // the evaluator holds every value against the lengths and names that were found for it
      const exact = evaluate(graph, tensors)
      const run = await onRuntime(graph, tensors)
      for (const [name, wanted] of Object.entries(outputs)) {
        expect(exact[name]!.dims, name).toEqual(wanted.shape)
        expect(run[name]!.dims, name).toEqual(wanted.shape)
        expectOutput(name, exact[name]!, wanted)
        expectOutput(`${name} in ONNX Runtime`, run[name]!, wanted)
      }
    }
  })
})
