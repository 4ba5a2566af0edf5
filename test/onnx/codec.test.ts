import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import { decode } from '../../src/onnx/decode'
import { encode, type ExternalData } from '../../src/onnx/encode'
import type { Graph } from '../../src/onnx/types'
import { elementTypes } from '../../src/onnx/wire'
import { type DataType, Tensor } from '../../src/tensor'
import { allCases } from './operatorCases'
import { graphOf } from './operatorCases/case'

describe('decode undoes encode', () => {
  it.each(allCases)('$title', ({ op, of }) => {
    const { graph } = graphOf(op, of)
    expect(plain(decode(encode(graph).model))).toEqual(plain({ ...graph, openLengths: true }))
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
    expect(plain(decode(encode(graph).model))).toEqual(plain({ ...graph, openLengths: true }))
  })

  it('for names in any script and numbers of 64 bits', () => {
    const builder = new GraphBuilder('Grafik «ü» 図 🙂')
    const x = builder.input('eingänge/図.🙂', 'float32', ['Länge', 3])
    const big = builder.initializer(
      'big',
      new Tensor('int64', BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), -1n), [3]),
    )
    const graph = builder.build({ y: builder.neg(x), z: builder.identity(big) })
    expect(plain(decode(encode(graph).model))).toEqual(plain({ ...graph, openLengths: true }))
  })

  it('for outputs that nothing reads', () => {
    const builder = new GraphBuilder('unread')
    const x = builder.input('x', 'float32', ['n', 4])
    const scale = builder.initializer('scale', Tensor.zeros('float32', [4]))
    const deviation = builder.layerNormalization(x, scale, scale, 1e-12)[2]
    const graph = builder.build({ deviation })
    // the first output is not optional: the runtime takes no node without it
    expect(graph.nodes[0]!.outputs.map(output => output !== undefined)).toEqual([true, false, true])
    expect(plain(decode(encode(graph).model))).toEqual(plain({ ...graph, openLengths: true }))
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
    const w = builder.initializer('w', weights)
    const b = builder.initializer('b', Tensor.zeros('float32', [50]))
    const v = builder.initializer('v', weights)
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

  it('go to a separate file when asked, except for the small ones', () => {
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
    expect(plain(decode(model, read))).toEqual(plain({ ...graph, openLengths: true }))
    expect(new Set(asked)).toEqual(new Set(['model_1.onnx_data']))
  })

  it('stay inside up to the threshold', () => {
    expect(encode(graph, { externalThreshold: 16_200 }).externalData).toBeUndefined()
    expect(encode(graph, { externalThreshold: 16_199 }).externalData).toBeDefined()
  })

  it('stored elsewhere are not read without a reader or past the end of the file', () => {
    const { model, externalData } = encode(graph, { externalThreshold: 0 })
    expect(() => decode(model)).toThrow(/"w" is stored in the file "model.onnx_data", but only the model's own bytes/)
    const short = (): Uint8Array => written(externalData!).subarray(0, 9000)
    expect(() => decode(model, short)).toThrow(
      /"v" is declared to be 8000 bytes at offset 8192 of "model.onnx_data", which has 9000/,
    )
  })

  const outside = ['../secret', '/etc/passwd', 'a/../../b', 'C:\\x', '\\\\host\\x', 'a\\..\\..\\b', 'file:x', '']

  it.each(outside)('stored at %j are never read', externalDataName => {
    const { model, externalData } = encode(graph, { externalThreshold: 0, externalDataName })
    expect(() => decode(model, () => written(externalData!))).toThrow(
      /outside the model's folder; such a file is never read/,
    )
  })

  function written({ length, tensors }: ExternalData): Uint8Array {
    const file = new Uint8Array(length)
    for (const { offset, data } of tensors) file.set(data, offset)
    return file
  }
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
