import { TrainerError } from '../errors'
import type { Tensor } from '../tensor'
import { decodeAttributes, exportAgain, knownOperator } from './decodeNode'
import type { ExternalReader } from './decodeTensor'
import { checkArity, infer } from './infer'
import { malformed } from './malformed'
import { opsets } from './operators'
import { nodeName, type RawGraph, type RawNode } from './RawModel'
import { readModel } from './readModel'
import type { Dimension, Graph, Initializer, Node, Value } from './types'

export type { ExternalReader } from './decodeTensor'

/**
 * The graph of an ONNX model of opset 13 to 21, if its operators are in our table and mean the same there, under the
 * names of the file: what `encode` has written. Graphs in other operators become models by `AutoModel.fromOnnx`.
 * Tensors are views of `bytes` where they are aligned. Types that the file does not declare are inferred. Any length that the file
 * names may be 1 when the graph runs: see `Graph.openLengths`.
 *
 * @param readExternal returns the bytes of a file beside the model's; needed if weights are stored in one
 * @throws TrainerError ('file') for bytes that are not a model, are cut off or contradict themselves; ('graph') for
 * operators that are not in our table
 */
export function decode(bytes: Uint8Array, readExternal?: ExternalReader): Graph {
  const { graph, opsets: versions } = readModel(bytes, readExternal)
  return bind(graph, checkOpset(versions))
}

const oldest = 13
const newest = 21

/** The version of ONNX's own operators. @throws TrainerError when it is not one that we know. */
function checkOpset(versions: ReadonlyMap<string, number>): number {
  const version = versions.get('') ?? opsets['']
  if (version < oldest || version > newest) {
    throw new TrainerError(
      'graph',
      `The model uses ONNX opset ${version}; opsets ${oldest} to ${newest} can be read.`,
      { fix: exportAgain },
    )
  }
  const contributed = versions.get('com.microsoft') ?? 1
  if (contributed !== 1)
    throw new TrainerError('graph', `The model uses com.microsoft opset ${contributed}; only version 1 can be read.`)
  return version
}

function bind(raw: RawGraph, opset: number): Graph {
  const initializers = new Map<string, Initializer>()
  const values = new Map<string, Value>()
  let count = 0
  const add = (value: Value): void => {
    if (values.has(value.name)) throw malformed(`two values are named "${value.name}"`)
    values.set(value.name, value)
  }
  for (const [name, tensor] of raw.initializers) {
    const value: Value = { name, dtype: tensor.dtype, shape: tensor.dims }
    add(value)
    initializers.set(name, { value, tensor })
  }
  const inputs = raw.inputs.map(({ name, type }) => {
    if (type === undefined) throw new TrainerError('file', `The model's "${name}" has no type and shape.`)
    return { name, ...type }
  })
  inputs.forEach(add)
  const unknown = (): string => `unnamed_0${count++}`
  const nodes = raw.nodes.map(node => bindNode(node, { opset, values, initializers, stated: raw.stated, unknown, add }))
  const outputs = raw.outputs.map(({ name }) => values.get(name)!) // readModel has checked that something makes it
  return { name: raw.name, inputs, outputs, initializers, nodes, openLengths: true }
}

interface Binding extends Pick<RawGraph, 'stated'> {
  readonly opset: number
  readonly values: ReadonlyMap<string, Value>
  readonly initializers: ReadonlyMap<string, Initializer>
  readonly unknown: () => Dimension
  readonly add: (value: Value) => void
}

function bindNode(raw: RawNode, { opset, values, initializers, stated, unknown, add }: Binding): Node {
  const op = knownOperator(raw, opset)
  const attributes = decodeAttributes(raw, op, opset)
  const inputs = raw.inputs.map(name => {
    if (name === '') return undefined
    const value = values.get(name)
    if (value === undefined)
      throw new TrainerError('file', `${nodeName(raw)} reads "${name}", which nothing before it makes.`)
    return value
  })
  const constant = (value: Value | undefined): Tensor | undefined =>
    value === undefined ? undefined : initializers.get(value.name)?.tensor
  const types = blaming(raw, () => {
    checkArity(op, inputs, raw.outputs.length)
    if (raw.outputs.every(name => name === '' || stated.has(name))) return []
    return infer(op, {
      inputs: inputs as Value[],
      attributes,
      outputs: raw.outputs.length,
      constant,
      unknown,
      openLengths: true,
    })
  })
  const outputs = raw.outputs.map((name, i) => {
    if (name === '') return undefined
    const { dtype, shape } = stated.get(name) ?? types[i]!
    const value: Value = { name, dtype, shape }
    add(value)
    return value
  })
  return { op, name: raw.name, inputs, outputs, attributes } as Node
}

/** Runs a step; its errors begin with the node. */
function blaming<T>(raw: RawNode, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw error instanceof TrainerError
      ? new TrainerError('file', `${nodeName(raw)}: ${error.message}`, { cause: error })
      : error
  }
}
