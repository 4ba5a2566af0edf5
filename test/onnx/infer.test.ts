import { describe as group, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import { describe } from '../../src/onnx/shapes'
import { operators } from '../../src/onnx/operators'
import type { Dimension, Value } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { allCases, operatorCases } from './operatorCases'
import { graphOf } from './operatorCases/case'

group('infer', () => {
  it('has a case for every operator', () => {
    expect(Object.keys(operatorCases).toSorted()).toEqual(Object.keys(operators).toSorted())
  })

  it.each(allCases)('$title', ({ op, of }) => {
    const types = graphOf(op, of).values.map(value => describe(value).replaceAll(/unknown_\d+/g, '?'))
    expect(types).toEqual(of.expected)
  })
})

group('what does not fit is refused', () => {
  const builder = new GraphBuilder('refusals')
  const f = (...shape: Dimension[]): Value => builder.input(`f${builder.inputs.length}`, 'float32', shape)
  const i = (...shape: Dimension[]): Value => builder.input(`i${builder.inputs.length}`, 'int32', shape)
  const shape = builder.input('shape', 'int64', ['n'])
  const data = builder.input('data', 'float32', ['n', 6])

  it.each<[string, () => unknown, RegExp]>([
    [
      'different types',
      () => builder.add(f(2), i(2)),
      /Add\(f\d: float32\[2\], i\d: int32\[2\]\): the element types float32 and int32 differ/,
    ],
    [
      'shapes that cannot be broadcast together',
      () => builder.mul(f(2, 3), f(2)),
      /the shapes \[2, 3\] and \[2\] cannot be broadcast together/,
    ],
    [
      'arithmetic with booleans',
      () => builder.add(builder.equal(data, 0), builder.equal(data, 1)),
      /is boolean, but numbers are needed/,
    ],
    ['inner lengths', () => builder.matMul(f(2, 3), f(4, 5)), /MatMul.*the lengths 3 and 4 differ/],
    ['a vector in a product', () => builder.matMul(f(2, 3), f(3)), /at least two axes/],
    ['a batch in Gemm', () => builder.gemm(f(2, 3, 4), f(4, 5)), /exactly two axes/],
    [
      'a bias that is too wide',
      () => builder.gemm(f(2, 3), f(3, 4), f(5)),
      /Gemm.*\[2, 4\] cannot be broadcast together/,
    ],
    ['a bias that widens', () => builder.gemm(f(1, 3), f(3, 4), f(2, 4)), /\[2, 4\] cannot be broadcast to \[1, 4\]/],
    ['a float index', () => builder.gather(data, f(2)), /Gather.*float32 of f\d+ is not one of int32, int64/],
    ['an axis out of range', () => builder.softmax(data, 2), /axis 2 is out of range for rank 2/],
    ['an axis twice', () => builder.reduceSum(data, [1, -1]), /name one axis twice/],
    [
      'an int32 index to ScatterND',
      () => builder.node('ScatterND', [data, i(2, 1), f(2, 6)], { reduction: 'add' }),
      /int32 of i\d+ is not one of int64/,
    ],
    [
      'updates of another shape',
      () => builder.node('ScatterND', [data, builder.input('at', 'int64', [2, 1]), f(2, 5)], { reduction: 'add' }),
      /lengths 5 and 6 differ/,
    ],
    [
      'elements lost',
      () => builder.reshape(data, [0, 5]),
      /\[n, 6\] cannot be reshaped to \[0, 5\]: the number of elements would change/,
    ],
    [
      'a length that does not divide the elements',
      () => builder.reshape(f(4, 6), [5, -1]),
      /24 is not a multiple of 5/,
    ],
    ['two lengths of -1', () => builder.reshape(data, [-1, -1]), /at most one length may be -1/],
    ['a length of an axis that is not there', () => builder.reshape(data, [0, 6, 0]), /no axis 2/],
    ['a rank that is not known', () => builder.reshape(data, shape), /the length of the vector shape must be known/],
    [
      'axes that are not a permutation',
      () => builder.transpose(data, [0, 0]),
      /perm \[0, 0\] is not a permutation of 2 axes/,
    ],
    ['parts that do not add up', () => builder.split(data, 1, [2, 3]), /Split.*lengths 5 and 6 differ/],
    ['ranks that differ', () => builder.concat([data, f(6)], 0), /different ranks/],
    ['a squeezed axis of another length', () => builder.squeeze(data, [1]), /axis 1 has length 6, not 1/],
    ['axes that are not constant', () => builder.node('ReduceSum', [data, shape], {}), /shape must be a constant/],
    [
      'a missing input',
      () => builder.node('Gemm', [data, undefined], {}),
      /Gemm\(data: float32\[n, 6\], -\): Gemm needs input 1, which is missing/,
    ],
    ['too many inputs', () => builder.node('Neg', [data, data], {}), /Neg takes 1 input, not 2/],
    ['too many outputs', () => builder.node('Neg', [data], {}, 2), /Neg has 1 output, not 2/],
    [
      'an unknown mode',
      () => builder.node('Pad', [data, builder.integers([0, 0, 1, 1])], { mode: 'wrap' as never }),
      /mode "wrap" is not one of/,
    ],
    ['a condition that is a number', () => builder.where(data, 1, 0), /Where.*float32 of data is not one of bool/],
    [
      'a scale that does not fit',
      () => builder.layerNormalization(data, f(5), f(5), 1e-5),
      /\[5\] and \[6\] cannot be broadcast together/,
    ],
  ])('%s', (_, write, message) => {
    expect(write).toThrow(message)
  })
})

group('GraphBuilder', () => {
  it('gives new unknown lengths new names when it continues a graph', () => {
    const first = new GraphBuilder('first')
    const x = first.input('x', 'float32', ['n', 'm'])
    const y = first.input('y', 'float32', ['n', 'm'])
    const graph = first.build({ flat: first.reshape(x, [-1]) })
    const second = GraphBuilder.from(graph)
    const flat = second.reshape(y, [-1])
    expect(flat.shape[0]).not.toBe(graph.outputs[0]!.shape[0])
  })

  it('reduces nothing over no axes', () => {
    const builder = new GraphBuilder('none')
    const x = builder.input('x', 'float32', ['n'])
    expect(builder.reduceSum(x, [])).toBe(x)
    expect(builder.reduceSumSquare(x, []).shape).toEqual(['n'])
  })

  it('keeps only what the outputs need, and all parts of a split', () => {
    const builder = new GraphBuilder('parts')
    const x = builder.input('x', 'float32', ['n', 4])
    builder.mul(x, builder.initializer('unused', Tensor.from('float32', [1, 2, 3, 4])))
    const [, second] = builder.split(x, 1, [1, 3])
    const graph = builder.build({ y: builder.neg(second!), copy: x })
    expect(graph.nodes.map(node => node.op)).toEqual(['Split', 'Neg', 'Identity'])
    expect(graph.nodes[0]!.outputs).not.toContain(undefined)
    expect([...graph.initializers.keys()]).not.toContain('unused')
    expect(graph.outputs.map(output => output.name)).toEqual(['y', 'copy'])
  })

  it('refuses an output under the name of another value', () => {
    const builder = new GraphBuilder('clash')
    const x = builder.input('x', 'float32', ['n'])
    expect(() => builder.build({ x: builder.neg(x) })).toThrow(/cannot be named "x"/)
  })
})
