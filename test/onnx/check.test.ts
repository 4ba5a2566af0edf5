import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import { print } from '../../src/onnx/print'
import type { Graph, Node, Value } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { allCases } from './operatorCases'
import { graphOf } from './operatorCases/case'

function small(): Graph {
  const builder = new GraphBuilder('small')
  const x = builder.input('x', 'float32', ['n', 3])
  const rows = [
    [1, 2, 3],
    [4, 5, 6],
  ]
  const w = builder.initializer('w', Tensor.from('float32', rows))
  const b = builder.initializer('b', Tensor.zeros('float32', [2]))
  const h = builder.scope('layer', () => builder.gemm(x, w, b, { transB: 1 }))
  return builder.build({ y: builder.softmax(h), m: builder.layerNormalization(h, b, b, 1e-12)[1] })
}

describe('check', () => {
  it.each(allCases)('finds nothing in $title', ({ op, of }) => {
    expect(() => check(graphOf(op, of).graph)).not.toThrow()
  })

  it('finds nothing if the builder declares a shape that inference cannot know', () => {
    const builder = new GraphBuilder('stated')
    const x = builder.input('x', 'float32', ['n', 1])
    const like = builder.input('like', 'float32', ['n', 'm'])
    const outputs = { a: builder.expand(x, like), b: builder.reshapeLike(builder.reshape(like, [-1]), like) }
    expect(builder.build(outputs).outputs.map(output => output.shape)).toEqual([
      ['n', 'm'],
      ['n', 'm'],
    ])
    expect(() => check(builder.build(outputs))).not.toThrow()
  })

  it('lets an unknown length be declared as one thing, and only one', () => {
    const builder = new GraphBuilder('unknowns')
    const p = builder.input('p', 'float32', ['n', 'm'])
    const q = builder.input('q', 'float32', ['l'])
    const flat = builder.reshape(p, [-1])
    const known = { ...flat, shape: ['l'] }
    expect(() => check(builder.build({ y: builder.add(known, q) }))).not.toThrow()
    const twice = builder.build({ y: builder.add(known, q), z: builder.neg({ ...flat, shape: ['n'] }) })
    expect(() => check(twice)).toThrow(/is made as float32\[unknown_0\], but read as float32\[n\]/)
    expect(() => check(builder.build({ y: builder.neg({ ...q, shape: ['n'] }) }))).toThrow(
      /"q" is made as float32\[l\], but read as float32\[n\]/,
    )
  })

  const x: Value = { name: 'x', dtype: 'float32', shape: ['n', 3] }
  const z: Value = { name: 'z', dtype: 'float32', shape: [2, 3] }
  const neg = (input: Value, output: Partial<Value> & { name: string }): Node => ({
    op: 'Neg',
    name: 'neg',
    inputs: [input],
    outputs: [{ ...x, ...output }],
    attributes: {},
  })
  const graph = (nodes: readonly Node[], rest: Partial<Graph> = {}): Graph => ({
    name: 'g',
    inputs: [x],
    outputs: [],
    initializers: new Map(),
    nodes,
    ...rest,
  })
  const named = (name: string): Value => ({ ...x, name })

  it.each<[string, Graph, RegExp]>([
    [
      'a name made twice',
      graph([neg(x, named('y')), neg(x, named('y'))]),
      /An output of %y: float32\[n, 3\] = Neg\(x: float32\[n, 3\]\) is the second value named "y": names/,
    ],
    ['an input made again', graph([neg(x, named('x'))]), /second value named "x"/],
    [
      'nodes out of order',
      graph([neg(named('h'), named('y')), neg(x, named('h'))]),
      /"h" is read by %y: float32\[n, 3\] = Neg\(h: float32\[n, 3\]\), but it is made only by a later node/,
    ],
    ['a value from nowhere', graph([neg(named('z'), named('y'))]), /"z" is read by .*, but it is never made/],
    [
      'a missing output',
      graph([], { outputs: [named('y')] }),
      /"y" is read by the output %y: .*, but it is never made/,
    ],
    [
      'two outputs of one name',
      graph([neg(x, named('y'))], { outputs: [named('y'), named('y')] }),
      /Two outputs have the same name: y, y/,
    ],
    [
      'a wrong shape',
      graph([neg(x, { name: 'y', shape: ['n', 4] })]),
      /"y" is declared as float32\[n, 4\], but is float32\[n, 3\]: %y/,
    ],
    ['a wrong name of a length', graph([neg(x, { name: 'y', shape: ['m', 3] })]), /"y" is declared as float32\[m, 3\]/],
    ['a wrong type', graph([neg(x, { name: 'y', dtype: 'int32' })]), /"y" is declared as int32\[n, 3\]/],
    [
      'a value read as something else',
      graph([neg({ ...x, dtype: 'int32' }, named('y'))]),
      /"x" is made as float32\[n, 3\], but read as int32\[n, 3\]/,
    ],
    [
      'too many inputs',
      graph([{ ...neg(x, named('y')), inputs: [x, x] }]),
      /Neg takes 1 input, not 2\. The node is %y: float32\[n, 3\] = Neg\(x: float32\[n, 3\], x/,
    ],
    [
      'inputs that do not fit',
      graph([{ op: 'MatMul', name: 'p', inputs: [z, z], outputs: [named('y')], attributes: {} }], { inputs: [z] }),
      /MatMul.*the lengths 3 and 2 differ\. The node is/,
    ],
    [
      'an attribute too many',
      graph([{ ...neg(x, named('y')), attributes: { axis: 1 } as never }]),
      /Neg has no attribute "axis"/,
    ],
    [
      'an attribute of another kind',
      graph([{ op: 'Softmax', name: 's', inputs: [x], outputs: [named('y')], attributes: { axis: 0.5 } }]),
      /axis must be of kind int/,
    ],
    ['an unknown operator', graph([{ ...neg(x, named('y')), op: 'Blur' as never }]), /There is no operator Blur/],
    [
      'a tensor of another shape',
      graph([], { initializers: new Map([['w', { value: named('w'), tensor: Tensor.zeros('float32', [2]) }]]) }),
      /"w" is declared as float32\[n, 3\], but its tensor is float32\[2\]/,
    ],
  ])('finds %s', (_, ill, message) => {
    expect(() => check(ill)).toThrow(message)
  })
})

describe('print', () => {
  it('writes a graph as text', () => {
    expect(print(small())).toBe(
      [
        'graph "small" (opset 18, com.microsoft 1): 3 nodes, 2 initializers (8 elements, 32 bytes)',
        'input %x: float32[n, 3]',
        'initializer %w: float32[2, 3] = [[1,2,3],[4,5,6]]',
        'initializer %b: float32[2] = [0,0]',
        '%layer/Gemm_3:0: float32[n, 2] = Gemm(x, w, b) {transB: 1}',
        '%y: float32[n, 2] = Softmax(layer/Gemm_3:0) {axis: -1}',
        '%LayerNormalization_5:0: float32[n, 2], %m: float32[n, 1] = LayerNormalization(layer/Gemm_3:0, b, b) {axis: -1, epsilon: 1e-12}',
        'output %y: float32[n, 2]',
        'output %m: float32[n, 1]',
        '',
      ].join('\n'),
    )
  })
})
