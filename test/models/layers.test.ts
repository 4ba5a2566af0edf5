import { describe, expect, it } from 'vitest'
import { lowest } from '../../src/feeds/TokenLayout'
import { activation } from '../../src/models/layers'
import { GraphBuilder } from '../../src/onnx/builder'
import { Tensor } from '../../src/tensor'
import { evaluate } from '../helpers/referenceEngine'
import { readJson } from '../helpers/oracle'

const { x, y } = readJson<{ x: number[]; y: Record<string, number[]> }>('activations.json')

describe('activation', () => {
  it.each(Object.entries(y))("%s is Hugging Face's", (name, expected) => {
    const graph = new GraphBuilder(name)
    const input = graph.input('x', 'float32', ['n'])
    const found = evaluate(graph.build({ y: activation(graph, name, input) }), { x: Tensor.from('float64', x) })
    expected.forEach((value, i) => expect(found.y!.data[i], `${name}(${x[i]})`).toBeCloseTo(value, 6)) // constants are float32
  })

  it('that is not known is refused by name', () => {
    const graph = new GraphBuilder('unknown')
    expect(() => activation(graph, 'geglu', graph.input('x', 'float32', [1]))).toThrow(
      'The activation "geglu" is not known; these are: gelu, gelu_python, relu',
    )
  })
})

describe('the score of a masked key', () => {
  it('is a float32 and a bfloat16, the lowest that is finite', () => {
    const bits = new DataView(new ArrayBuffer(4))
    bits.setFloat32(0, lowest)
    expect(bits.getFloat32(0)).toBe(lowest)
    expect(bits.getUint32(0)).toBe(0xff7f0000) // bfloat16 is the upper half; 0xff80 is -Infinity
  })
})
