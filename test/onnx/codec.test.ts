import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import { decode } from '../../src/onnx/decode'
import { encode, type ExternalData } from '../../src/onnx/encode'
import { elementTypes, frame, message, protoFields, writeInteger, writeText } from '../../src/onnx/wire'
import type { Graph, Node } from '../../src/onnx/types'
import { createData, type DataType, Tensor } from '../../src/tensor'
import { allCases, graphOf } from './operatorCases'

describe('decode undoes encode', () => {
  it.each(allCases)('$title', ({ op, of }) => {
    const { graph } = graphOf(op, of)
    expect(plain(decode(encode(graph).model))).toEqual(plain(graph))
  })

  it('for every element type, and for tensors of no element and no axis', () => {
    const builder = new GraphBuilder('types')
    const types = Object.keys(elementTypes) as DataType[]
    expect(types).toHaveLength(13)
    const outputs = types.flatMap(dtype => [
      builder.identity(builder.initializer(`${dtype} values`, Tensor.from(dtype, [1, 0, 1]))),
      builder.identity(builder.initializer(`${dtype} scalar`, Tensor.from(dtype, 1))),
      builder.identity(builder.initializer(`${dtype} nothing`, Tensor.zeros(dtype, [0, 3]))),
    ])
    const graph = builder.build(Object.fromEntries(outputs.map((output, i) => [`y${i}`, output])))
    expect(plain(decode(encode(graph).model))).toEqual(plain(graph))
  })

  it('for names in any script and numbers of 64 bits', () => {
    const builder = new GraphBuilder('Grafik «ü» 図 🙂')
    const x = builder.input('eingänge/図.🙂', 'float32', ['Länge', 3])
    const big = builder.initializer(
      'big',
      new Tensor('int64', BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), -1n), [3]),
    )
    const graph = builder.build({ y: builder.neg(x), z: builder.identity(big) })
    expect(plain(decode(encode(graph).model))).toEqual(plain(graph))
  })

  it('for outputs that nobody reads', () => {
    const builder = new GraphBuilder('unread')
    const x = builder.input('x', 'float32', ['n', 4])
    const scale = builder.initializer('scale', Tensor.zeros('float32', [4]))
    const deviation = builder.layerNormalization(x, scale, scale, 1e-12)[2]
    const graph = builder.build({ deviation })
    // the first output is not optional: the runtime takes no node without it
    expect(graph.nodes[0]!.outputs.map(output => output !== undefined)).toEqual([true, false, true])
    expect(plain(decode(encode(graph).model))).toEqual(plain(graph))
  })
})

describe('weights', () => {
  const weights = Tensor.from(
    'float32',
    Array.from({ length: 40 }, (_, i) => Array.from({ length: 50 }, (_, j) => i - j)),
  )
  const graph = ((): Graph => {
    const builder = new GraphBuilder('weights')
    const x = builder.input('x', 'float32', ['n', 40])
    const [w, b, v] = [
      builder.initializer('w', weights),
      builder.initializer('b', Tensor.zeros('float32', [50])),
      builder.initializer('v', weights),
    ]
    return builder.build({ y: builder.add(builder.add(builder.matMul(x, w), b), builder.matMul(x, v)) })
  })()

  it('are views of the bytes where they are aligned, else copies', () => {
    const model = encode(graph).model
    const copies = [0, 1, 2, 3].map(shift => {
      const bytes = new Uint8Array(model.length + 4).subarray(shift, shift + model.length)
      bytes.set(model)
      return decode(bytes).initializers.get('w')!.tensor.data.buffer === bytes.buffer
    })
    expect(copies.filter(isView => isView)).toHaveLength(1)
  })

  it('are copied out of a Buffer that is not aligned', () => {
    const model = encode(graph).model
    for (const shift of [0, 1, 2, 3]) {
      const bytes = Buffer.alloc(model.length + 4).subarray(shift, shift + model.length)
      bytes.set(model)
      expect(decode(bytes).initializers.get('w')!.tensor.data).toEqual(weights.data)
    }
  })

  it('go to a file of their own when asked, the small ones excepted', () => {
    const { model, externalData } = encode(graph, { externalThreshold: 0, externalDataName: 'model_1.onnx_data' })
    expect(externalData!.tensors.map(({ name, offset, length }) => [name, offset, length])).toEqual([
      ['w', 0, 8000],
      ['v', 8192, 8000],
    ])
    expect(externalData!.length).toBe(16_192)
    expect(externalData!.tensors[0]!.data.buffer).toBe(weights.data.buffer)
    expect(model.length).toBeLessThan(2000)
    const asked: string[] = []
    const read = (location: string): Uint8Array => {
      asked.push(location)
      return written(externalData!)
    }
    expect(plain(decode(model, read))).toEqual(plain(graph))
    expect(new Set(asked)).toEqual(new Set(['model_1.onnx_data']))
  })

  it('stay inside up to the threshold', () => {
    expect(encode(graph, { externalThreshold: 16_200 }).externalData).toBeUndefined()
    expect(encode(graph, { externalThreshold: 16_199 }).externalData).toBeDefined()
  })

  it('that stand elsewhere are not read without a reader, past an end, or out of the folder', () => {
    const { model, externalData } = encode(graph, { externalThreshold: 0 })
    expect(() => decode(model)).toThrow(/"w" stands in the file "model.onnx_data", but only the model's own bytes/)
    const short = (): Uint8Array => written(externalData!).subarray(0, 9000)
    expect(() => decode(model, short)).toThrow(
      /"v" is said to be 8000 bytes at 8192 of "model.onnx_data", which has 9000/,
    )
  })

  const outside = ['../secret', '/etc/passwd', 'a/../../b', 'C:\\x', '\\\\host\\x', 'a\\..\\..\\b', 'file:x', '']

  it.each(outside)('at %j are never read', externalDataName => {
    const { model, externalData } = encode(graph, { externalThreshold: 0, externalDataName })
    expect(() => decode(model, () => written(externalData!))).toThrow(/not in the model's folder: that is refused/)
  })

  function written({ length, tensors }: ExternalData): Uint8Array {
    const file = new Uint8Array(length)
    for (const { offset, data } of tensors) file.set(data, offset)
    return file
  }
})

describe('files made elsewhere', () => {
  it("may name their tensors' data in the typed fields, packed or not", () => {
    const fields = protoFields.tensor
    type Write = 'writePackedFloat' | 'writePackedDouble' | 'writePackedVarint'
    const typed = (dataType: number, field: number, write: Write, items: number[]): Uint8Array =>
      model({
        initializers: [
          message(writer => {
            writeInteger(writer, fields.dims, items.length)
            writeInteger(writer, fields.dataType, dataType)
            writeText(writer, fields.name, 't')
            writer[write](field, items)
          }),
        ],
      })
    const data = (bytes: Uint8Array): unknown => decode(bytes).initializers.get('t')!.tensor.data
    expect(data(typed(1, 4, 'writePackedFloat', [0.5, -2]))).toEqual(Float32Array.of(0.5, -2))
    expect(data(typed(11, 10, 'writePackedDouble', [0.1]))).toEqual(Float64Array.of(0.1))
    expect(data(typed(6, 5, 'writePackedVarint', [-7, 300]))).toEqual(Int32Array.of(-7, 300))
    expect(data(typed(9, 5, 'writePackedVarint', [1, 0]))).toEqual(Uint8Array.of(1, 0))
    expect(data(typed(10, 5, 'writePackedVarint', [0x3c00]))).toEqual(Uint16Array.of(0x3c00))
    expect(data(typed(7, 7, 'writePackedVarint', [-1, 2 ** 40]))).toEqual(BigInt64Array.of(-1n, 2n ** 40n))
    expect(() => decode(typed(7, 4, 'writePackedFloat', [1]))).toThrow(
      /"t" of shape int64\[1\] needs 1 elements, but has 0/,
    )
    expect(() => decode(typed(8, 5, 'writePackedVarint', [1]))).toThrow(/"t" has ONNX's element type 8/)
  })

  it('need no stated types for what is between', () => {
    const inputs = [valueInfo('x0', ['n', 3]), valueInfo('x1', [5, 3])]
    const outputs = [message(writer => writeText(writer, protoFields.valueInfo.name, 'y'))]
    const decoded = decode(model({ nodes: [node('Gemm', ['x0', 'x1'], ['y'], { transB: 1 })], inputs, outputs }))
    expect(decoded.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: ['n', 5] }])
    check(decoded)
  })

  it.each<[string, number, () => Uint8Array[], RegExp | undefined]>([
    [
      'an operator that is not in the table',
      18,
      () => [node('Conv', ['x'], ['y'])],
      /The node "n_y" has the operator Conv, which cannot be read \(the nearest known one is Cos\)\. Operators that/,
    ],
    ['a name that every object has', 18, () => [node('constructor', ['x'], ['y'])], /operator constructor, which/],
    ['another domain', 18, () => [node('Neg', ['x'], ['y'], {}, 'com.example')], /operator com.example.Neg/],
    [
      'axes as attributes, before 18',
      17,
      () => [node('ReduceMean', ['x'], ['y'], { axes: 1 })],
      /has the attribute axes = 1, which cannot be read; before opset 18 its axes were an attribute, and this model is of opset 17/,
    ],
    [
      'LayerNormalization before 17',
      16,
      () => [node('LayerNormalization', ['x', 'x'], ['y'])],
      /opset 16 has no LayerNormalization/,
    ],
    ['too old an opset', 12, () => [node('Neg', ['x'], ['y'])], /ONNX opset 12; opsets 13 to 21 can be read/],
    ['too new an opset', 22, () => [node('Neg', ['x'], ['y'])], /ONNX opset 22/],
    ['the oldest', 13, () => [node('Neg', ['x'], ['y'])], undefined],
    ["ONNX's own Gelu", 20, () => [node('Gelu', ['x'], ['y'], { approximate: 'none' })], undefined],
    ['Gelu by tanh', 20, () => [node('Gelu', ['x'], ['y'], { approximate: 'tanh' })], /approximate = tanh/],
    ['Gelu before ONNX had it', 18, () => [node('Gelu', ['x'], ['y'])], /operator Gelu, which cannot be read/],
    [
      'stash_type 1, which says nothing',
      17,
      () => [node('LayerNormalization', ['x', 'x'], ['y'], { stash_type: 1 })],
      undefined,
    ],
    ['a domain spelt out', 18, () => [node('Neg', ['x'], ['y'], {}, 'ai.onnx')], undefined],
    [
      'a value that nothing makes',
      18,
      () => [node('Neg', ['z'], ['y'])],
      /The node "n_y" \(Neg\) reads "z", which nothing before it makes/,
    ],
    [
      'nodes out of order',
      18,
      () => [node('Neg', ['h'], ['y']), node('Abs', ['x'], ['h'])],
      /reads "h", which nothing before/,
    ],
    [
      'a name made twice',
      18,
      () => [node('Neg', ['x'], ['y']), node('Abs', ['x'], ['y'])],
      /"y" is given to two values/,
    ],
    ['an output that nothing makes', 18, () => [], /nothing makes the output "y"/],
    ['too few inputs', 18, () => [node('Add', ['x'], ['y'])], /Add takes 2 inputs, not 1/],
    [
      'an attribute of another kind',
      18,
      () => [node('Softmax', ['x'], ['y'], { axis: 'last' })],
      /the attribute axis = last should be an integer/,
    ],
  ])('%s', (_, opset, nodes, problem) => {
    const bytes = model({ opset, nodes: nodes(), inputs: [valueInfo('x', [4])], outputs: [valueInfo('y', [4])] })
    if (problem !== undefined) expect(() => decode(bytes)).toThrow(problem)
    else expect(decode(bytes).nodes).toHaveLength(1)
  })

  it('gain the number of parts when a split of opset 13 states no lengths', () => {
    const bytes = model({
      opset: 13,
      nodes: [node('Split', ['x'], ['y', 'z'])],
      inputs: [valueInfo('x', [4])],
      outputs: [valueInfo('y', [2])],
    })
    expect((decode(bytes).nodes[0] as Node<'Split'>).attributes).toEqual({ num_outputs: 2 })
  })
})

describe('malformed bytes end in an error that says so', () => {
  const builder = new GraphBuilder('small')
  const x = builder.input('x', 'float32', ['n', 3])
  const w = builder.constant(Tensor.from('float32', [[1, 2, 3]]))
  const { model: whole } = encode(builder.build({ y: builder.gemm(x, w, undefined, { transB: 1 }) }))

  it('wherever they are cut off', () => {
    const names = Array.from(whole, (_, length) => thrownBy(whole.subarray(0, length)))
    expect(names).toEqual(names.map(() => 'TrainerError'))
  })

  it('whichever byte is wrong, or nothing worse than another graph', () => {
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const bytes = whole.slice()
        bytes[at] = value
        expect(['nothing', 'TrainerError']).toContain(thrownBy(bytes))
      }
    }
  })

  function thrownBy(bytes: Uint8Array): string {
    try {
      decode(bytes)
      return 'nothing'
    } catch (error) {
      return (error as Error).name
    }
  }

  it.each([
    ['no bytes', new Uint8Array(), /0 bytes are not an ONNX model: they have no graph/],
    ['text', new TextEncoder().encode('<!DOCTYPE html><html>'), /ONNX/],
    [
      'a length beyond the end',
      Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f),
      /malformed or cut off: byte 0 of a message of 6 bytes/,
    ],
    [
      'a huge shape',
      model({ initializers: [tensorHead([2 ** 40, 2 ** 40])] }),
      /"t" of shape float32\[1099511627776, 1099511627776\]/,
    ],
    ['a negative length', model({ initializers: [tensorHead([-1])] }), /"t" has the shape \[-1\]/],
  ])('%s', (_, bytes, message) => {
    expect(() => decode(bytes)).toThrow(message)
  })
})

/** Graphs as plain values that can be compared; an absent hint and an undefined one are the same. */
function plain(graph: Graph): unknown {
  const initializers = [...graph.initializers].map(([name, { value, tensor }]) => [
    name,
    value,
    tensor.dtype,
    tensor.dims,
    Array.from(tensor.data as Iterable<unknown>, String),
  ])
  return { ...graph, initializers }
}

interface ModelParts {
  opset?: number
  nodes?: Uint8Array[]
  initializers?: Uint8Array[]
  inputs?: Uint8Array[]
  outputs?: Uint8Array[]
}

function model({ opset = 18, nodes = [], initializers = [], inputs = [], outputs = [] }: ModelParts): Uint8Array {
  const { graph, model: fields } = protoFields
  const body = message(writer => {
    for (const [field, parts] of [
      [graph.node, nodes],
      [graph.initializer, initializers],
      [graph.input, inputs],
      [graph.output, outputs],
    ] as const) {
      for (const part of parts) {
        writer.writeTag(field, 2)
        writer.writeBytes(part)
      }
    }
  })
  const head = message(writer => {
    writeInteger(writer, fields.irVersion, 8)
    writer.writeMessage(fields.opsetImport, () => writeInteger(writer, protoFields.opset.version, opset), undefined)
  })
  return Uint8Array.from([...head, ...frame(fields.graph, body.length), ...body])
}

function node(
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, number | string> = {},
  domain = '',
): Uint8Array {
  const { node: fields, attribute } = protoFields
  return message(writer => {
    for (const input of inputs) writeText(writer, fields.input, input)
    for (const output of outputs) writeText(writer, fields.output, output)
    writeText(writer, fields.name, `n_${outputs[0]}`)
    writeText(writer, fields.opType, op)
    for (const [name, value] of Object.entries(attributes)) {
      writer.writeMessage(
        fields.attribute,
        () => {
          writeText(writer, attribute.name, name)
          if (typeof value === 'number') writeInteger(writer, attribute.int, value)
          else writeText(writer, attribute.string, value)
        },
        undefined,
      )
    }
    writeText(writer, fields.domain, domain)
  })
}

function valueInfo(name: string, shape: readonly (number | string)[]): Uint8Array {
  const { valueInfo: fields, type, tensorType, shape: shapeFields, dimension } = protoFields
  return message(writer => {
    writeText(writer, fields.name, name)
    writer.writeMessage(
      fields.type,
      () =>
        writer.writeMessage(
          type.tensor,
          () => {
            writeInteger(writer, tensorType.elementType, 1)
            writer.writeMessage(
              tensorType.shape,
              () => {
                for (const length of shape) {
                  writer.writeMessage(
                    shapeFields.dimension,
                    () => {
                      if (typeof length === 'number') writeInteger(writer, dimension.value, length)
                      else writeText(writer, dimension.parameter, length)
                    },
                    undefined,
                  )
                }
              },
              undefined,
            )
          },
          undefined,
        ),
      undefined,
    )
  })
}

function tensorHead(dims: number[]): Uint8Array {
  const fields = protoFields.tensor
  return message(writer => {
    for (const length of dims) writeInteger(writer, fields.dims, length)
    writeInteger(writer, fields.dataType, 1)
    writeText(writer, fields.name, 't')
    writer.writeTag(fields.rawData, 2)
    writer.writeBytes(new Uint8Array(createData('float32', 1).buffer))
  })
}
