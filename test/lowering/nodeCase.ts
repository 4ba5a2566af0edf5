import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { expect } from 'vitest'
import { differentiate } from '../../src/autodiff/backward'
import { lower } from '../../src/lowering/lower'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import { encode } from '../../src/onnx/encode'
import type { RawAttribute, RawModel } from '../../src/onnx/RawModel'
import type { Dimension, Graph, Value } from '../../src/onnx/types'
import { type DataType, sizeOf, Tensor } from '../../src/tensor'
import { evaluate } from '../helpers/referenceEngine'

/** A node of ONNX, what ONNX Runtime computes by it, and PyTorch's gradients: scripts/fixtures/operators.py. */
export interface NodeCase {
  readonly op: string
  readonly opset: number
  readonly title?: string
  readonly attributes: Readonly<Record<string, RawAttribute>>
  readonly inputs: readonly (NodeInput | null)[]
  readonly outputs: readonly NodeOutput[]
}

interface NodeOutput {
  readonly dtype: DataType
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

interface NodeInput extends NodeOutput {
  /** The shape that the graph declares. */
  readonly dims: readonly Dimension[]
  readonly constant?: boolean
  /** Of Σ y cos(1 + i) over the elements i of each output. */
  readonly gradient?: readonly number[]
}

/** Writes a node as a graph of ours, with the gradients that its case has: outputs y0 …, x0_grad …. */
export function graphOfNode(given: NodeCase): Graph {
  const graph = new GraphBuilder('case', true)
  const names = given.inputs.map((input, i) => (input === null ? '' : `x${i}`))
  const values = new Map<string, Value>()
  const initializers = new Map<string, Tensor>()
  given.inputs.forEach((input, i) => {
    if (input === null) return
    if (input.constant === true) initializers.set(`x${i}`, tensorOf(input))
    else values.set(`x${i}`, graph.input(`x${i}`, input.dtype, input.dims))
  })
  const outputs = given.outputs.map((_, k) => `y${k}`)
  const attributes = new Map(Object.entries(given.attributes))
  const node = { op: given.op, name: 'node', domain: '', inputs: names, outputs, attributes }
  const raw = { name: 'case', nodes: [node], initializers, inputs: [], outputs: [], stated: new Map() }
  const model: RawModel = {
    opsets: new Map([['', given.opset]]),
    functions: new Map(),
    metadata: new Map(),
    graph: raw,
  }
  const target = { graph, isTraining: true, dropoutMask: () => undefined, moves: () => undefined }
  const made = [...lower(target, { model, file: 'case.onnx', given: values, wanted: outputs })]
  const trained = given.inputs.flatMap((input, i) => (input?.gradient === undefined ? [] : [values.get(`x${i}`)!]))
  if (trained.length === 0) return graph.build(Object.fromEntries(made))
  const terms = made
    .filter(([, value]) => value.dtype === 'float32')
    .map(([name, value]) => graph.sum(graph.mul(value, graph.input(`w${name}`, 'float32', value.shape))))
  const { dense } = differentiate(
    graph,
    terms.reduce((a, b) => graph.add(a, b)),
    trained,
  )
  return graph.build(
    Object.fromEntries([...made, ...[...dense].map(([name, value]) => [`${name}_grad`, value] as const)]),
  )
}

/** Computes the graph in float64 and in ONNX Runtime, and compares both with the case. */
export async function expectNodeCase(given: NodeCase): Promise<void> {
  const graph = graphOfNode(given)
  check(graph)
  const feeds = feedsOf(given, graph)
  const exact = evaluate(graph, feeds)
  const runtime = await onRuntime(graph, feeds)
  given.outputs.forEach((output, k) => {
    expect(exact[`y${k}`]!.dims, `y${k}`).toEqual(output.shape)
    expectNear(exact[`y${k}`]!.data, output.data, `y${k}`, 2e-5)
    expectNear(runtime[`y${k}`]!.data, output.data, `y${k} in ONNX Runtime`, 2e-5)
  })
  given.inputs.forEach((input, i) => {
    if (input?.gradient === undefined) return
    const zeros = input.gradient.map(() => 0)
    const name = `x${i}_grad`
    expectNear(exact[name]?.data ?? zeros, input.gradient, name, 1e-5)
    expectNear(runtime[name]?.data ?? zeros, input.gradient, `${name} in ONNX Runtime`, 2e-5)
  })
}

function tensorOf({ dtype, data, shape }: NodeOutput): Tensor {
  return Tensor.from(dtype, data as number[]).reshape(shape)
}

function feedsOf(given: NodeCase, graph: Graph): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {}
  for (const { name } of graph.inputs) {
    const [kind, at] = [name[0], Number(name.replaceAll(/\D/g, ''))]
    const { dtype, data, shape } = kind === 'w' ? weightsOf(given.outputs[at]!) : given.inputs[at]!
    feeds[name] = tensorOf({ dtype: dtype === 'float32' ? 'float64' : dtype, data, shape })
  }
  return feeds
}

function weightsOf({ shape }: NodeOutput): NodeOutput {
  return { dtype: 'float32', shape, data: Array.from({ length: sizeOf(shape) }, (_, i) => Math.cos(1 + i)) }
}

type Numbers = ArrayLike<number | bigint>

async function onRuntime(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, { data: Numbers }>> {
  const session = await InferenceSession.create(encode(graph).model, { intraOpNumThreads: 1, interOpNumThreads: 1 })
  const fed = Object.entries(feeds).map(([name, { dtype, data, dims }]) => {
    const typed = dtype === 'float64' ? Float32Array.from(data as Float64Array) : data
    return [name, new RuntimeTensor(dtype === 'float64' ? 'float32' : (dtype as 'int64'), typed as BigInt64Array, dims)]
  })
  const found = await session.run(Object.fromEntries(fed) as Record<string, RuntimeTensor>)
  await session.release()
  return found as unknown as Record<string, { data: Numbers }>
}

/** @param tolerance of the largest number, or of 1 */
function expectNear(found: Numbers, expected: readonly number[], name: string, tolerance: number): void {
  expect(found.length, name).toBe(expected.length)
  const largest = expected.reduce((top, v) => (Number.isFinite(v) ? Math.max(top, Math.abs(v)) : top), 1)
  expected.forEach((wanted, i) => {
    const value = Number(found[i])
    if (Object.is(value, wanted)) return
    const error = Math.abs(value - wanted) / largest
    expect(error, `${name}[${i}]: ${value} is not ${wanted}`).toBeLessThanOrEqual(tolerance)
  })
}
