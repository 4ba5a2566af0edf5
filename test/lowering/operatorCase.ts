// what the runtime made of nodes of other programs, and what is made of them here
import { expect } from 'vitest'
import { tensorOf, type Written } from '../../scripts/reference/plainTensor'
import { lower } from '../../src/lowering/lower'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import type { Dimension, Value } from '../../src/onnx/types'
import { expectNear } from '../helpers/expectNear'
import { evaluate } from '../helpers/referenceEngine'
import { type ForeignNode, modelOf, targetIn } from './foreign'

/** Nodes, what they are fed, and what they return: see scripts/fixtures/trainingOperators.py. */
export interface OperatorCase {
  readonly op: string
  readonly opset: number
  readonly nodes: readonly ForeignNode[]
  readonly inputs: Readonly<
    Record<string, Written & { readonly names?: readonly Dimension[]; readonly constant?: boolean }>
  >
  readonly outputs: Readonly<Record<string, Written>>
}

/** Writes a case's nodes into a graph. */
export function writeCase(
  graph: GraphBuilder,
  one: OperatorCase,
  given: ReadonlyMap<string, Value>,
): Map<string, Value> {
  const constants = Object.entries(one.inputs).filter(([, { constant }]) => constant)
  const tensors = new Map(constants.map(([name, input]) => [name, tensorOf(input)]))
  const model = modelOf(one.nodes, tensors, one.opset)
  return new Map(lower(targetIn(graph), { model, file: 'case.onnx', given, wanted: Object.keys(one.outputs) }))
}

/**
 * Computes a case's nodes, and compares the outputs with those that the runtime had.
 * @param open whether the lengths that have names keep them
 */
export function expectCase(one: OperatorCase, open: boolean): void {
  const graph = new GraphBuilder('case', true)
  const given = Object.entries(one.inputs)
    .filter(([, { constant }]) => constant !== true)
    .map(
      ([name, { dtype, shape, names }]) => [name, graph.input(name, dtype, open ? (names ?? shape) : shape)] as const,
    )
  const built = graph.build(Object.fromEntries(writeCase(graph, one, new Map(given))))
  check(built)
  const feeds = Object.fromEntries(built.inputs.map(({ name }) => [name, tensorOf(one.inputs[name]!)]))
  const found = evaluate(built, feeds)
  for (const [name, plain] of Object.entries(one.outputs)) {
    expect(found[name]!.dims, name).toEqual(plain.shape)
    expectNear(found[name]!.data, tensorOf(plain).data, name)
  }
}
