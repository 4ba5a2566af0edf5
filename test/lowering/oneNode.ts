// one node of an operator of other programs, as a file has it, and what the runtime makes of its rule
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { expect } from 'vitest'
import { differentiate } from '../../src/autodiff/backward'
import { lower } from '../../src/lowering/lower'
import { GraphBuilder } from '../../src/onnx/builder'
import { encode } from '../../src/onnx/encode'
import type { RawAttribute, RawModel } from '../../src/onnx/RawModel'
import type { Dimension, Graph, Value } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { createModelGraph } from '../../src/models/modelGraph'

/** A tensor as fixtures have it. */
export interface Stored {
  readonly dtype: 'float32' | 'int64'
  readonly dims: readonly number[]
  readonly data: readonly number[]
}

/** A use of an operator, its outputs, and the gradients of its inputs for a gradient of its first output. */
export interface OneNode {
  readonly op: string
  readonly domain?: string
  readonly opset: number
  readonly attributes: Readonly<Record<string, RawAttribute>>
  readonly inputs: readonly (Stored | null)[]
  readonly outputs: readonly Stored[]
  readonly dy: readonly number[]
  readonly gradients: readonly (readonly number[])[]
}

export interface Found {
  readonly outputs: readonly Tensor[]
  readonly gradients: readonly (Tensor | undefined)[]
  /** What statistics are to be, by the names of the inputs. */
  readonly moved: ReadonlyMap<string, Tensor>
}

export function tensorOf({ dtype, dims, data }: Stored): Tensor {
  return Tensor.from(dtype, [...data]).reshape(dims)
}

/** The node alone as a model: its inputs x0, x1 …; what is not floating-point is a constant of the file. */
export function modelOf({ op, domain = '', opset, attributes, inputs, outputs }: OneNode): RawModel {
  const names = inputs.map((input, i) => (input === null ? '' : `x${i}`))
  const made = outputs.map((_, i) => `y${i}`)
  const constants = inputs.flatMap((input, i) => (isConstant(input, i) ? [[`x${i}`, tensorOf(input!)] as const] : []))
  return {
    opsets: new Map([[domain, opset]]),
    functions: new Map(),
    metadata: new Map(),
    graph: {
      name: 'one',
      nodes: [
        { op, domain, name: 'node', inputs: names, outputs: made, attributes: new Map(Object.entries(attributes)) },
      ],
      initializers: new Map(constants),
      inputs: [],
      outputs: made.map(name => ({ name, type: undefined })),
      stated: new Map(),
    },
  }
  function isConstant(input: Stored | null, i: number): boolean {
    return input !== null && (input.dtype !== 'float32' || (op === 'Resize' && i > 0))
  }
}

/**
 * What the runtime computes by the rule: outputs, and gradients of the first one times `dy`.
 * @param named the length of an axis of an input in the graph: the number, or a name for it.
 */
export async function runNode(
  node: OneNode,
  named: (input: number, axis: number, length: number) => Dimension = (_, __, length) => length,
): Promise<Found> {
  const model = modelOf(node)
  const builder = new GraphBuilder('one', true)
  const written = createModelGraph(builder, {
    parameter: (name, shape) => builder.input(name, 'float32', shape),
    training: true,
  })
  const given = new Map<string, Value>()
  const feeds: Record<string, Stored> = {}
  for (const [i, input] of node.inputs.entries()) {
    if (input === null || model.graph.initializers.has(`x${i}`)) continue
    const shape = input.dims.map((length, axis) => named(i, axis, length))
    const value = shape.every(length => typeof length === 'number')
      ? written.parameter(`x${i}`, { shape, initialization: { kind: 'zeros' } })
      : builder.input(`x${i}`, 'float32', shape)
    given.set(`x${i}`, value)
    feeds[`x${i}`] = input
  }
  const wanted = node.outputs.map((_, i) => `y${i}`)
  const outputs = lower(written, { model, file: 'one.onnx', given, wanted })
  const [y] = wanted.map(name => outputs.get(name)!)
  const d = builder.input('dy', 'float32', node.outputs[0]!.dims)
  feeds.dy = { dtype: 'float32', dims: node.outputs[0]!.dims, data: node.dy }
  const { dense } = differentiate(builder, builder.sum(builder.mul(y!, d)), [...given.values()])
  const moved = [...written.moved].map(([name, value]) => [`${name}_moved`, value] as const)
  const grads = [...dense].map(([name, value]) => [`${name}_grad`, value] as const)
  const found = await runGraph(
    builder.build({ ...Object.fromEntries(outputs), ...Object.fromEntries([...grads, ...moved]) }),
    feeds,
  )
  return {
    outputs: wanted.map(name => found[name]!),
    gradients: node.inputs.map((_, i) => found[`x${i}_grad`]),
    moved: new Map([...written.moved.keys()].map(name => [name, found[`${name}_moved`]!])),
  }
}

/** What the runtime makes of a graph. */
export async function runGraph(graph: Graph, feeds: Readonly<Record<string, Stored>>): Promise<Record<string, Tensor>> {
  const session = await InferenceSession.create(encode(graph).model, { intraOpNumThreads: 1, interOpNumThreads: 1 })
  try {
    const asked = new Set(graph.inputs.map(({ name }) => name))
    const given = Object.entries(feeds).filter(([name]) => asked.has(name))
    const found = await session.run(Object.fromEntries(given.map(([name, stored]) => [name, runtimeTensor(stored)])))
    return Object.fromEntries(
      Object.entries(found).map(([name, { data, dims }]) => [name, new Tensor('float32', data as Float32Array, dims)]),
    )
  } finally {
    await session.release()
  }
}

function runtimeTensor({ dtype, dims, data }: Stored): RuntimeTensor {
  return dtype === 'int64'
    ? new RuntimeTensor('int64', BigInt64Array.from(data, BigInt), dims)
    : new RuntimeTensor('float32', Float32Array.from(data), dims)
}

/** Each number to 2e-5 of the largest one, or of 1. */
export function expectNear(found: ArrayLike<number>, wanted: readonly number[], what: string): void {
  expect(found.length, what).toBe(wanted.length)
  const largest = wanted.reduce((top, value) => Math.max(top, Math.abs(value)), 1)
  wanted.forEach((value, i) => {
    const error = Math.abs(value - found[i]!) / largest
    expect(error, `${what}[${i}]: ${found[i]} is not ${value}`).toBeLessThan(2e-5)
  })
}
