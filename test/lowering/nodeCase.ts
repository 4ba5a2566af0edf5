import { expect } from 'vitest'
import { type Plain, tensorOf } from '../../scripts/reference/plainTensor'
import { differentiate } from '../../src/autodiff/backward'
import { lower } from '../../src/lowering/lower'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import type { Dimension, Graph, Value } from '../../src/onnx/types'
import { sizeOf, type Tensor } from '../../src/tensor'
import { evaluate } from '../helpers/referenceEngine'
import { expectNear } from '../helpers/expectNear'
import { onRuntime } from '../helpers/onRuntime'
import { modelOfNode, type NodeUse, targetIn } from './foreign'

/** A node of ONNX, what ONNX Runtime computes by it, and PyTorch's gradients: scripts/fixtures/operators.py. */
export interface NodeCase extends NodeUse {
  readonly title?: string
  readonly inputs: readonly (NodeInput | null)[]
}

interface NodeInput extends Plain {
  /** The shape that the graph declares. */
  readonly dims: readonly Dimension[]
  readonly constant?: boolean
  /** Of Σ y cos(1 + i) over the elements i of each output. */
  readonly gradient?: readonly number[]
}

/** Writes a node as a graph of ours, with the gradients that its case has: outputs y0 …, x0_grad …. */
function graphOfNode(given: NodeCase): Graph {
  const graph = new GraphBuilder('case', true)
  const values = new Map<string, Value>()
  given.inputs.forEach((input, i) => {
    if (input !== null && input.constant !== true) values.set(`x${i}`, graph.input(`x${i}`, input.dtype, input.dims))
  })
  const model = modelOfNode(given, (_, i) => given.inputs[i]!.constant === true)
  const wanted = given.outputs.map((_, k) => `y${k}`)
  const made = [...lower(targetIn(graph), { model, file: 'case.onnx', given: values, wanted })]
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
    expectNear(exact[`y${k}`]!.data, output.data, `y${k}`)
    expectNear(runtime[`y${k}`]!.data, output.data, `y${k} in ONNX Runtime`)
  })
  given.inputs.forEach((input, i) => {
    if (input?.gradient === undefined) return
    const zeros = input.gradient.map(() => 0)
    const name = `x${i}_grad`
    expectNear(exact[name]?.data ?? zeros, input.gradient, name, 1e-5)
    expectNear(runtime[name]?.data ?? zeros, input.gradient, `${name} in ONNX Runtime`)
  })
}

function feedsOf(given: NodeCase, graph: Graph): Record<string, Tensor> {
  return Object.fromEntries(
    graph.inputs.map(({ name }) => {
      const [kind, at] = [name[0], Number(name.replaceAll(/\D/g, ''))]
      const plain = kind === 'w' ? weightsOf(given.outputs[at]!) : given.inputs[at]!
      return [name, tensorOf(plain, plain.dtype === 'float32' ? 'float64' : plain.dtype)]
    }),
  )
}

function weightsOf({ shape }: Plain): Plain {
  return { dtype: 'float32', shape, data: Array.from({ length: sizeOf(shape) }, (_, i) => Math.cos(1 + i)) }
}
