// what the runtime made of nodes of other programs, and what is made of them here
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import type { RawAttribute, RawModel, RawNode } from '../../src/onnx/RawModel'
import type { Dimension, Graph, Value } from '../../src/onnx/types'
import { lower } from '../../src/lowering/lower'
import { createData, type DataType, sizeOf, Tensor } from '../../src/tensor'
import { evaluate } from '../helpers/referenceEngine'

/** A tensor of a fixture; numbers that JSON has not are texts. */
export interface PlainTensor {
  readonly dtype: DataType
  readonly shape: readonly number[]
  readonly data: readonly (number | string)[]
}

/** Nodes, what they are fed, and what they return: see scripts/fixtures/trainingOperators.py. */
export interface OperatorCase {
  readonly op: string
  readonly opset: number
  readonly nodes: readonly {
    readonly op: string
    readonly domain: string
    readonly inputs: readonly string[]
    readonly outputs: readonly string[]
    readonly attributes: Readonly<Record<string, RawAttribute>>
  }[]
  readonly inputs: Readonly<
    Record<string, PlainTensor & { readonly names?: readonly Dimension[]; readonly constant?: boolean }>
  >
  readonly outputs: Readonly<Record<string, PlainTensor>>
}

export function tensorOf({ dtype, shape, data }: PlainTensor): Tensor {
  const filled = createData(dtype, sizeOf(shape))
  const isBig = filled instanceof BigInt64Array
  data.forEach((item, i) => (filled[i] = (isBig ? BigInt(item) : Number(item)) as never))
  return new Tensor(dtype, filled as never, shape)
}

export function modelOf({ opset, nodes, inputs, outputs }: OperatorCase): RawModel {
  const named = nodes.map(({ attributes, ...node }, at): RawNode => ({
    ...node,
    name: `node_${at}`,
    attributes: new Map(Object.entries(attributes)),
  }))
  const constants = Object.entries(inputs).filter(([, { constant }]) => constant)
  return {
    opsets: new Map([
      ['', opset],
      ['com.microsoft', 1],
    ]),
    functions: new Map(),
    metadata: new Map(),
    graph: {
      name: 'case',
      nodes: named,
      initializers: new Map(constants.map(([name, input]) => [name, tensorOf(input)])),
      inputs: [],
      outputs: Object.keys(outputs).map(name => ({ name, type: undefined })),
      stated: new Map(),
    },
  }
}

/** Writes a case's nodes into a graph. */
export function writeCase(
  graph: GraphBuilder,
  one: OperatorCase,
  given: ReadonlyMap<string, Value>,
): Map<string, Value> {
  const target = {
    graph,
    isTraining: true,
    dropoutMask: (place: string, x: Value) => graph.input(`dropout.${place}`, x.dtype, x.shape),
    moves: () => undefined,
  }
  return new Map(lower(target, { model: modelOf(one), file: 'case.onnx', given, wanted: Object.keys(one.outputs) }))
}

/** The graph that a case becomes. @param open whether the lengths that have names keep them */
export function loweredCase(one: OperatorCase, open: boolean): Graph {
  const graph = new GraphBuilder('case', true)
  const given = Object.entries(one.inputs)
    .filter(([, { constant }]) => constant !== true)
    .map(
      ([name, { dtype, shape, names }]) => [name, graph.input(name, dtype, open ? (names ?? shape) : shape)] as const,
    )
  const found = writeCase(graph, one, new Map(given))
  const built = graph.build(Object.fromEntries(found))
  check(built)
  return built
}

/** What is not as the runtime has it, of the outputs of a case: beyond 2e-5 of each one's largest number, or of 1. */
export function differences(one: OperatorCase, open: boolean): string[] {
  const graph = loweredCase(one, open)
  const feeds = Object.fromEntries(graph.inputs.map(({ name }) => [name, tensorOf(one.inputs[name]!)]))
  const found = evaluate(graph, feeds)
  return Object.entries(one.outputs).flatMap(([name, plain]) => {
    const [given, wanted] = [found[name]!, tensorOf(plain)]
    if (given.dims.join() !== wanted.dims.join())
      return [`${name} is [${given.dims.join()}], not [${wanted.dims.join()}]`]
    const [ours, theirs] = [given, wanted].map(({ data }) => Array.from(data as ArrayLike<number>, Number)) as [
      number[],
      number[],
    ]
    const largest = theirs.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1)
    const wrong = theirs.findIndex((v, i) => !Object.is(v, ours[i]) && !(Math.abs(v - ours[i]!) <= 2e-5 * largest))
    return wrong < 0 ? [] : [`${name}[${wrong}] is ${ours[wrong]}, not ${theirs[wrong]}`]
  })
}
