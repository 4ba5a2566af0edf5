import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import { decode } from '../../src/onnx/decode'
import { encode } from '../../src/onnx/encode'
import type { Node } from '../../src/onnx/types'
import { message, writeInteger, writeText } from '../../src/protobuf'
import { protoFields } from '../../src/onnx/wire'
import { Tensor } from '../../src/tensor'
import { modelBytes, nodeBytes, tensorHead, valueInfo } from './foreignModel'

describe('files from other tools', () => {
  it("may hold their tensors' data in the typed fields, packed or not", () => {
    const fields = protoFields.tensor
    type Write = 'writePackedFloat' | 'writePackedDouble' | 'writePackedVarint'
    const typed = (dataType: number, field: number, write: Write, items: number[]): Uint8Array =>
      modelBytes({
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
    expect(() => decode(typed(8, 5, 'writePackedVarint', [1]))).toThrow(/"t" has the ONNX element type 8/)
  })

  it('need not declare the types of intermediate values', () => {
    const inputs = [valueInfo('x0', ['n', 3]), valueInfo('x1', [5, 3])]
    const outputs = [message(writer => writeText(writer, protoFields.valueInfo.name, 'y'))]
    const decoded = decode(
      modelBytes({ nodes: [nodeBytes('Gemm', ['x0', 'x1'], ['y'], { transB: 1 })], inputs, outputs }),
    )
    expect(decoded.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: ['n', 5] }])
    check(decoded)
  })

  it('keep the names of values whose types are those of the values before them', () => {
    const nodes = [
      nodeBytes('Relu', ['x'], ['a']),
      nodeBytes('LayerNormalization', ['a', 's', 's'], ['b']),
      nodeBytes('Softmax', ['b'], ['c']),
      nodeBytes('Identity', ['c'], ['y']),
    ]
    const inputs = [valueInfo('x', ['n', 3]), valueInfo('s', [3])]
    const outputs = [message(writer => writeText(writer, protoFields.valueInfo.name, 'y'))]
    const decoded = decode(modelBytes({ nodes, inputs, outputs }))
    expect(decoded.nodes.flatMap(node => node.outputs)).toEqual(
      ['a', 'b', 'c', 'y'].map(name => ({ name, dtype: 'float32', shape: ['n', 3] })),
    )
  })

  it.each<[string, number, () => Uint8Array[], RegExp | undefined]>([
    [
      'an operator that is not in the table',
      18,
      () => [nodeBytes('Coss', ['x'], ['y'])],
      /The node "n_y" uses the operator Coss, which cannot be read \(the closest known one is Cos\)\. Operators that/,
    ],
    ['a name that every object has', 18, () => [nodeBytes('constructor', ['x'], ['y'])], /operator constructor, which/],
    ['another domain', 18, () => [nodeBytes('Neg', ['x'], ['y'], {}, 'com.example')], /operator com.example.Neg/],
    [
      'axes as attributes, before 18',
      17,
      () => [nodeBytes('ReduceMean', ['x'], ['y'], { axes: 1 })],
      new RegExp(
        'has the attribute axes = 1, which cannot be read; ' +
          'before opset 18 its axes were an attribute, and this model uses opset 17',
      ),
    ],
    [
      'LayerNormalization before 17',
      16,
      () => [nodeBytes('LayerNormalization', ['x', 'x'], ['y'])],
      /opset 16 has no LayerNormalization/,
    ],
    ['too old an opset', 12, () => [nodeBytes('Neg', ['x'], ['y'])], /ONNX opset 12; opsets 13 to 21 can be read/],
    ['too new an opset', 22, () => [nodeBytes('Neg', ['x'], ['y'])], /ONNX opset 22/],
    ['the oldest', 13, () => [nodeBytes('Neg', ['x'], ['y'])], undefined],
    ["ONNX's own Gelu", 20, () => [nodeBytes('Gelu', ['x'], ['y'], { approximate: 'none' })], undefined],
    ['Gelu by tanh', 20, () => [nodeBytes('Gelu', ['x'], ['y'], { approximate: 'tanh' })], /approximate = tanh/],
    ['Gelu before ONNX had it', 18, () => [nodeBytes('Gelu', ['x'], ['y'])], /operator Gelu, which cannot be read/],
    [
      'stash_type 1, which has no effect',
      17,
      () => [nodeBytes('LayerNormalization', ['x', 'x'], ['y'], { stash_type: 1 })],
      undefined,
    ],
    ['a domain spelt out', 18, () => [nodeBytes('Neg', ['x'], ['y'], {}, 'ai.onnx')], undefined],
    [
      'a value that nothing makes',
      18,
      () => [nodeBytes('Neg', ['z'], ['y'])],
      /The node "n_y" \(Neg\) reads "z", which nothing before it makes/,
    ],
    [
      'nodes out of order',
      18,
      () => [nodeBytes('Neg', ['h'], ['y']), nodeBytes('Abs', ['x'], ['h'])],
      /reads "h", which nothing before/,
    ],
    [
      'a name made twice',
      18,
      () => [nodeBytes('Neg', ['x'], ['y']), nodeBytes('Abs', ['x'], ['y'])],
      /two values are named "y"/,
    ],
    ['an output that nothing makes', 18, () => [], /nothing makes the output "y"/],
    ['too few inputs', 18, () => [nodeBytes('Add', ['x'], ['y'])], /Add takes 2 inputs, not 1/],
    [
      'an attribute of another kind',
      18,
      () => [nodeBytes('Softmax', ['x'], ['y'], { axis: 'last' })],
      /the attribute axis = last should be an integer/,
    ],
  ])('%s', (_, opset, nodes, problem) => {
    const bytes = modelBytes({ opset, nodes: nodes(), inputs: [valueInfo('x', [4])], outputs: [valueInfo('y', [4])] })
    if (problem !== undefined) expect(() => decode(bytes)).toThrow(problem)
    else expect(decode(bytes).nodes).toHaveLength(1)
  })

  it('get the number of parts if a Split of opset 13 gives no lengths', () => {
    const bytes = modelBytes({
      opset: 13,
      nodes: [nodeBytes('Split', ['x'], ['y', 'z'])],
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

  it('whichever byte is wrong, or at worst in another graph', () => {
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
      modelBytes({ initializers: [tensorHead([2 ** 40, 2 ** 40])] }),
      /"t" of shape float32\[1099511627776, 1099511627776\]/,
    ],
    ['a negative length', modelBytes({ initializers: [tensorHead([-1])] }), /"t" has the shape \[-1\]/],
  ])('%s', (_, bytes, message) => {
    expect(() => decode(bytes)).toThrow(message)
  })
})
