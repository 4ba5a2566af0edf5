// a graph that was made elsewhere, as it is trained: in float32
import { TrainerError } from '../errors'
import { withFilesBeside } from '../files/externalData'
import { readBytes } from '../files/readFile'
import { isFolder, listFolder } from '../files/paths'
import { toFloat32 } from '../files/safetensors'
import { log } from '../logging'
import { withOwnCopies } from '../models/ownCopies'
import { isGraph, type RawAttribute, type RawGraph, type RawModel, type RawNode, type RawValue } from '../onnx/RawModel'
import { readModel } from '../onnx/readModel'
import type { ValueType } from '../onnx/types'
import { elementTypes } from '../onnx/wire'
import { type DataType, Tensor } from '../tensor'
import { artifactNames, refuseArtifacts } from './artifactFiles'

/**
 * Reads a graph that is to be trained, as {@link readOnnxGraph} does. What is float16, bfloat16 or float64 in it is
 * float32 from here on, with a warning: that is what is trained.
 * @throws TrainerError ('file') naming the file that is missing, is no model, or contradicts itself; ('graph') for a
 * graph of training artifacts.
 */
export async function readOnnxFile(file: string): Promise<RawModel> {
  const model = await readOnnxGraph(file)
  refuseArtifacts(model, file)
  return withOwnCopies(inFloat32(model, file))
}

/**
 * Reads a graph as it is, with the files beside it that its tensors are stored in.
 * @throws TrainerError ('file') naming the file that is missing, is no model, or contradicts itself.
 */
export async function readOnnxGraph(file: string): Promise<RawModel> {
  if (await isFolder(file)) throw await folderError(file)
  const bytes = await readBytes(file)
  return blaming(file, () => withFilesBeside(file, open => readModel(bytes, open)))
}

/**
 * The error for a folder in place of a file, which names the graphs in it: beside, and where savePretrained puts one.
 */
async function folderError(folder: string): Promise<TrainerError> {
  const names = await listFolder(folder)
  if (names.includes(artifactNames.trainingModel))
    return new TrainerError('file', `${folder} is a folder of training artifacts, where an ONNX file is expected.`, {
      fix: `Load it by TrainingArtifacts.fromPretrained('${folder}').`,
    })
  const inside = names.includes('onnx') ? (await listFolder(`${folder}/onnx`)).map(name => `onnx/${name}`) : []
  const graphs = [...inside, ...names].filter(name => name.endsWith('.onnx')).map(name => `${folder}/${name}`)
  const more = graphs.length > 3 ? `, and ${graphs.length - 3} more` : ''
  return new TrainerError('file', `${folder} is a folder, where an ONNX file is expected.`, {
    fix:
      graphs.length === 0
        ? 'There is no .onnx file in it.'
        : `In it there are: ${graphs.slice(0, 3).join(', ')}${more}.`,
  })
}

function inFloat32(model: RawModel, file: string): RawModel {
  const other = [...model.graph.initializers.values()].find(({ dtype }) => otherFloats.has(dtype))
  if (other === undefined && !model.graph.inputs.some(({ type }) => type !== undefined && otherFloats.has(type.dtype)))
    return model
  log(
    'warning',
    `${file} computes in ${other?.dtype ?? 'another type than float32'}: it is trained, and saved, in float32.`,
  )
  return {
    ...model,
    graph: asFloat32(model.graph),
    functions: new Map(
      [...model.functions].map(([name, made]) => [name, { ...made, nodes: made.nodes.map(nodeAsFloat32) }]),
    ),
  }
}

/** Errors that say what is wrong in the file begin with its name. */
function blaming<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof TrainerError)) throw error
    const { code, problem, fix } = error
    throw new TrainerError(code, `${file}: ${problem}`, { cause: error, ...(fix !== undefined && { fix }) })
  }
}

const otherFloats: ReadonlySet<DataType> = new Set(['float16', 'bfloat16', 'float64'])
const otherTypes: ReadonlySet<number> = new Set([...otherFloats].map(dtype => elementTypes[dtype]))

function asFloat32(graph: RawGraph): RawGraph {
  return {
    ...graph,
    nodes: graph.nodes.map(nodeAsFloat32),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [name, tensorAsFloat32(tensor)])),
    inputs: graph.inputs.map(valueAsFloat32),
    outputs: graph.outputs.map(valueAsFloat32),
    stated: new Map([...graph.stated].map(([name, type]) => [name, typeAsFloat32(type)])),
  }
}

function nodeAsFloat32(node: RawNode): RawNode {
  return {
    ...node,
    attributes: new Map([...node.attributes].map(([name, value]) => [name, attributeAsFloat32(name, value)])),
  }
}

/** Attributes that name an element type: what a Cast makes, or what is drawn or filled. */
const typeAttributes: ReadonlySet<string> = new Set(['to', 'dtype'])

function attributeAsFloat32(name: string, value: RawAttribute): RawAttribute {
  if (typeof value === 'number') return typeAttributes.has(name) && otherTypes.has(value) ? elementTypes.float32 : value
  if (value instanceof Tensor) return tensorAsFloat32(value)
  return isGraph(value) ? asFloat32(value) : value
}

function valueAsFloat32(value: RawValue): RawValue {
  return { ...value, type: value.type && typeAsFloat32(value.type) }
}

function typeAsFloat32(type: ValueType): ValueType {
  return otherFloats.has(type.dtype) ? { ...type, dtype: 'float32' } : type
}

function tensorAsFloat32(tensor: Tensor): Tensor {
  if (!otherFloats.has(tensor.dtype)) return tensor
  const data = new Float32Array(tensor.size)
  toFloat32(tensor, data)
  return new Tensor('float32', data, tensor.dims)
}
