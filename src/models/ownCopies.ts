// parameters that an exporter has written as one, because they started alike
import type { RawGraph, RawModel, RawNode } from '../onnx/RawModel'
import type { Tensor } from '../tensor'

/**
 * The model with parameters apart that PyTorch's older exporter has joined: of initializers that are equal it keeps one,
 * and gives the others as an Identity of it, under their names. Scales that are all 1 and biases that are all 0 are
 * equal by chance, and trained apart; numbers that differ are equal because the weight is shared, and stay one.
 */
export function withOwnCopies(model: RawModel): RawModel {
  const { graph } = model
  const initializers = new Map(graph.initializers)
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const nodes = graph.nodes.filter(node => {
    const tensor = joined(node, graph)
    if (tensor === undefined || outputs.has(node.outputs[0]!)) return true
    initializers.set(node.outputs[0]!, tensor)
    return false
  })
  return nodes.length === graph.nodes.length ? model : { ...model, graph: { ...graph, nodes, initializers } }
}

/** The uniform initializer that a node hands on under another name. */
function joined({ op, domain, inputs, outputs }: RawNode, { initializers }: RawGraph): Tensor | undefined {
  const tensor = op === 'Identity' && domain === '' ? initializers.get(inputs[0] ?? '') : undefined
  if (tensor?.dtype !== 'float32' || tensor.dims.length === 0 || (outputs[0] ?? '') === '') return undefined
  return isUniform(tensor) ? tensor : undefined
}

/** Whether a tensor holds one number everywhere, as where training starts: it is equal to others by chance. */
export function isUniform({ data }: Tensor): boolean {
  return data.every(value => value === data[0])
}
