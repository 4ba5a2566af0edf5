// lengths, depths and sizes of files: what would take all memory, has no end, or is not known in time
import { describe, expect, it } from 'vitest'
import { TrainerError } from '../../src/errors'
import { createModelGraph } from '../../src/models/modelGraph'
import { onnxModel } from '../../src/models/onnxModel'
import { GraphBuilder } from '../../src/onnx/builder'
import { checkFunctions } from '../../src/onnx/checkFunctions'
import type { RawFunction, RawModel, RawValue } from '../../src/onnx/RawModel'
import { readModel } from '../../src/onnx/readModel'
import { attributeTypes, protoFields } from '../../src/onnx/wire'
import { message, wireTypes, writeInteger, writeText } from '../../src/protobuf'
import type { DataType } from '../../src/tensor'
import { Tensor } from '../../src/tensor'
import { modelBytes, valueInfo } from '../onnx/foreignModel'
import { type ForeignNode, modelOf } from './foreign'

interface Case {
  readonly nodes: readonly ForeignNode[]
  readonly constants?: Readonly<Record<string, Tensor>>
  readonly inputs?: readonly RawValue[]
}

const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: ForeignNode['attributes'] = {},
): ForeignNode => ({ op, inputs, outputs: [output], attributes })

const input = (name: string, dtype: DataType, shape: readonly (number | string)[]): RawValue => ({
  name,
  type: { dtype, shape },
})

/** x · w, and after it the nodes of a case, of which the last makes y. */
function modelWith({ nodes, constants = {}, inputs = [] }: Case): RawModel {
  const weights = new Map(Object.entries({ w: Tensor.zeros('float32', [4, 1]), ...constants }))
  const model = modelOf([node('MatMul', ['x', 'w'], 'h'), ...nodes], weights, 18)
  const graph = {
    ...model.graph,
    inputs: [input('x', 'float32', ['n', 4]), ...inputs],
    outputs: [{ name: 'y', type: undefined }],
  }
  return { ...model, graph }
}

const integers = (...numbers: number[]): Tensor => Tensor.from('int64', numbers)
const wide = { wide: integers(1, 1e9) }
const stretched = node('Expand', ['h', 'wide'], 'k')
const picture = node('Reshape', ['h', 'planes'], 'k')
const planes = { planes: integers(-1, 1, 1, 1) }

describe('numbers of a file', () => {
  it.each<[string, Case, string]>([
    [
      'a size to be resized to',
      {
        nodes: [node('Resize', ['h', '', 'scales'], 'y')],
        constants: { scales: Tensor.from('float32', [1, 5e8 + 0.5]) },
      },
      'the places of what is resized would be',
    ],
    [
      'a size to be interpolated to',
      {
        nodes: [node('Resize', ['h', '', 'scales'], 'y', { mode: 'linear' })],
        constants: { scales: Tensor.from('float32', [1, 5e8]) },
      },
      'the weights of what is resized would be',
    ],
    [
      'a dilated window',
      {
        nodes: [
          picture,
          node('AveragePool', ['k'], 'y', { kernel_shape: [1e5, 1e4], dilations: [2, 2], pads: [4e5, 4e5, 4e5, 4e5] }),
        ],
        constants: planes,
      },
      'the weights of a window would be',
    ],
    [
      'a rank',
      { nodes: [node('Reshape', ['h', 'shape'], 'y')], inputs: [input('shape', 'int64', [1e8])] },
      'would be a shape of 100000000 axes',
    ],
    [
      'the depth of one-hot rows',
      {
        nodes: [node('OneHot', ['ids', 'depth', 'values'], 'rows'), node('Mul', ['h', 'rows'], 'y')],
        constants: { depth: integers(1e9), values: Tensor.from('float32', [0, 1]) },
        inputs: [input('ids', 'int64', ['n'])],
      },
      'its classes would be 1000000000 in number',
    ],
    [
      'a diagonal',
      {
        nodes: [stretched, node('Einsum', ['k'], 'y', { equation: 'ii->i' })],
        constants: { wide: integers(1e9, 1e9) },
      },
      'the places of a diagonal would be',
    ],
    ['a triangle', { nodes: [stretched, node('Trilu', ['k'], 'y')], constants: wide }, 'places along axis 1 would be'],
    [
      'the parts of a list',
      {
        nodes: [
          stretched,
          node('SplitToSequence', ['k', 'one'], 'parts', { axis: 1 }),
          node('SequenceAt', ['parts', 'one'], 'y'),
        ],
        constants: { ...wide, one: Tensor.from('int64', 1) },
      },
      'its parts would be 1000000000 in number',
    ],
    [
      'a size that is no number',
      {
        nodes: [
          node('Size', ['z'], 'size'),
          node('Cast', ['size'], 'float', { to: 1 }),
          node('Mul', ['h', 'float'], 'y'),
        ],
        inputs: [
          input(
            'z',
            'float32',
            Array.from({ length: 20 }, () => 2 ** 60),
          ),
        ],
      },
      'its numbers are out of range',
    ],
    [
      'small vectors along axes of their own',
      {
        nodes: [node('Max', ['a', 'b', 'c', 'd'], 'all'), node('Reshape', ['h', 'all'], 'y')],
        constants: Object.fromEntries(
          ['a', 'b', 'c', 'd'].map((name, axis) => [name, Tensor.zeros('int64', [1, 1, 1, 1].with(axis, 1024))]),
        ),
      },
      'must be known',
    ],
  ])('take no memory: %s', (_, parts, message) => {
    expect(() => onnxModel(modelWith(parts), { name: 'file' })).toThrow(message)
  })
})

describe('errors of JavaScript', () => {
  /** A graph that fails as soon as a node is written into it. */
  const failing = (message: string): (() => unknown) => {
    const { forward } = onnxModel(modelWith({ nodes: [node('Identity', ['h'], 'y')] }), { name: 'file' })
    const graph = new GraphBuilder('forward', true)
    const x = graph.input('x', 'float32', ['n', 4])
    const written = createModelGraph(graph, { parameter: (name, shape) => graph.input(name, 'float32', shape) })
    graph.node = () => {
      throw new RangeError(message)
    }
    return () => forward(written, { x })
  }

  it.each(['Invalid array length', 'Invalid typed array length: 1e99', 'Array buffer allocation failed'])(
    'are about the numbers of a file where they are: %s',
    message => {
      expect(failing(message)).toThrow(/^file: The node "node_0" \(MatMul\): its numbers are out of range: /)
    },
  )

  it('are no such where they are about something else', () => {
    expect(failing('Maximum call stack size exceeded')).toThrow(/^Maximum call stack size exceeded$/)
  })

  it('do not come of nodes that go round in a circle', () => {
    const circle = [node('Identity', ['b'], 'a'), node('Identity', ['a'], 'b'), node('Identity', ['b'], 'y')]
    expect(() => onnxModel(modelWith({ nodes: circle }), { name: 'file' })).toThrow(TrainerError)
    const own = { nodes: [node('Add', ['y', 'h'], 'y')] }
    expect(() => onnxModel(modelWith(own), { name: 'file' })).toThrow(
      'file: The node "node_1" (Add) reads "y", which nothing before it makes.',
    )
  })

  it('do not come of long chains of nodes', () => {
    const links = Array.from({ length: 20_000 }, (_, i) => node('Identity', [i === 0 ? 'h' : `h${i}`], `h${i + 1}`))
    const model = modelWith({ nodes: [...links, node('Identity', ['h20000'], 'y')] })
    expect(onnxModel(model, { name: 'file' }).parameters.map(({ name }) => name)).toEqual(['w'])
  })
})

describe('functions of a file', () => {
  const call = (name: string, from: string, to: string): RawFunction['nodes'][number] => ({
    op: name,
    name: to,
    domain: 'f',
    inputs: [from],
    outputs: [to],
    attributes: new Map(),
  })
  const doubled = (name: string): RawFunction => ({
    inputs: ['a'],
    outputs: ['c'],
    defaults: new Map(),
    opsets: new Map([['f', 1]]),
    nodes: [call(name, 'a', 'b'), call(name, 'b', 'c')],
  })
  const modelCalling = (functions: Readonly<Record<string, RawFunction>>): RawModel => {
    const model = modelWith({ nodes: [] })
    const nodes = [...model.graph.nodes, call('F0', 'h', 'y')]
    return { ...model, functions: new Map(Object.entries(functions)), graph: { ...model.graph, nodes } }
  }
  const chain = (length: number, link: (name: string) => RawFunction): Record<string, RawFunction> =>
    Object.fromEntries(Array.from({ length }, (_, i) => [`f.F${i}`, link(`F${i + 1}`)]))

  it('do not call themselves', () => {
    expect(() => checkFunctions(modelCalling({ 'f.F0': doubled('F1'), 'f.F1': doubled('F0') }))).toThrow(
      'the function f.F0 calls itself',
    )
  })

  it('come to no more nodes than there can be', () => {
    expect(() => checkFunctions(modelCalling(chain(30, doubled)))).toThrow('has more than 1000000 nodes')
    expect(() => checkFunctions(modelCalling(chain(15, doubled)))).not.toThrow()
  })

  it('are not called too deep', () => {
    const once = (name: string): RawFunction => ({ ...doubled(name), nodes: [call(name, 'a', 'c')] })
    expect(() => checkFunctions(modelCalling(chain(33, once)))).toThrow('more than 32 functions')
    expect(() => checkFunctions(modelCalling(chain(32, once)))).not.toThrow()
  })
})

describe('attributes of a file', () => {
  it('may be long lists', () => {
    const { node: fields, attribute } = protoFields
    const places = Array.from({ length: 300_000 }, (_, i) => i)
    const constant = message(writer => {
      writeText(writer, fields.output, 'y')
      writeText(writer, fields.opType, 'Constant')
      const list = message(inner => {
        writeText(inner, attribute.name, 'value_ints')
        inner.writePackedVarint(attribute.ints, places)
        writeInteger(inner, attribute.type, attributeTypes.ints)
      })
      writer.writeTag(fields.attribute, wireTypes.bytes)
      writer.writeBytes(list)
    })
    const outputs = [valueInfo('y', [places.length])]
    const { graph } = readModel(modelBytes({ nodes: [constant], outputs }))
    expect(graph.nodes[0]!.attributes.get('value_ints')).toEqual(places)
  })
})
