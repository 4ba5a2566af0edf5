// one node of an operator of other programs, as a file has it, and what the runtime makes of its rule
import { tensorOf } from '../../scripts/reference/plainTensor'
import { differentiate } from '../../src/autodiff/backward'
import { lower } from '../../src/lowering/lower'
import { createModelGraph } from '../../src/models/modelGraph'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Dimension, Value } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { onRuntime } from '../helpers/onRuntime'
import { modelOfNode, type NodeUse } from './foreign'

/** A use of an operator, its outputs, and the gradients of its inputs for a gradient of its first output. */
export interface OneNode extends NodeUse {
  readonly dy: readonly number[]
  readonly gradients: readonly (readonly number[])[]
}

interface Found {
  readonly outputs: readonly Tensor[]
  readonly gradients: readonly (Tensor | undefined)[]
}

/**
 * What the runtime computes by the rule: outputs, and gradients of the first one times `dy`.
 * @param named the length of an axis of an input in the graph: the number, or a name for it.
 * @param run computes a graph; default ONNX Runtime on the processor.
 */
export async function runNode(
  node: OneNode,
  named: (input: number, axis: number, length: number) => Dimension,
  run = onRuntime,
): Promise<Found> {
  const model = modelOfNode(node, ({ dtype }, i) => dtype !== 'float32' || (node.op === 'Resize' && i > 0))
  const builder = new GraphBuilder('one', true)
  const written = createModelGraph(builder, {
    parameter: (name, shape) => builder.input(name, 'float32', shape),
    training: true,
  })
  const given = new Map<string, Value>()
  const feeds: Record<string, Tensor> = {}
  for (const [i, input] of node.inputs.entries()) {
    if (input === null || model.graph.initializers.has(`x${i}`)) continue
    const shape = input.shape.map((length, axis) => named(i, axis, length))
    const value = shape.every(length => typeof length === 'number')
      ? written.parameter(`x${i}`, { shape, initialization: { kind: 'zeros' } })
      : builder.input(`x${i}`, 'float32', shape)
    given.set(`x${i}`, value)
    feeds[`x${i}`] = tensorOf(input)
  }
  const wanted = node.outputs.map((_, i) => `y${i}`)
  const outputs = lower(written, { model, file: 'one.onnx', given, wanted })
  const { shape } = node.outputs[0]!
  const d = builder.input('dy', 'float32', shape)
  feeds.dy = new Tensor('float32', Float32Array.from(node.dy), shape)
  const { dense } = differentiate(builder, builder.sum(builder.mul(outputs.get('y0')!, d)), [...given.values()])
  const grads = [...dense].map(([name, value]) => [`${name}_grad`, value] as const)
  const found = await run(builder.build(Object.fromEntries([...outputs, ...grads])), feeds)
  return {
    outputs: wanted.map(name => found[name]!),
    gradients: node.inputs.map((_, i) => found[`x${i}_grad`]),
  }
}
