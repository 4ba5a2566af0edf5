import { GraphBuilder } from '../../src/onnx/builder'
import { describe } from '../../src/onnx/infer'
import type { Attributes, OpName } from '../../src/onnx/operators'
import type { Dimension, Graph, Value } from '../../src/onnx/types'
import { MersenneTwister } from '../../src/random'
import { type DataType, type Nested, sizeOf, Tensor } from '../../src/tensor'

/** An input of a case: random unless numbers are given; a constant of the graph if it says so. */
interface Given {
  readonly dtype: DataType
  readonly shape: readonly Dimension[]
  readonly numbers?: Nested
  readonly constant?: boolean
}

/** One use of an operator, with the types that its outputs must have; '?' stands for a length that cannot be known. */
export interface Case<A = Attributes[OpName]> {
  readonly inputs: readonly (Given | undefined)[]
  readonly attributes: A
  readonly expected: readonly string[]
}

/** What the named lengths are when a case runs. */
export const lengths: Readonly<Record<string, number>> = { n: 2, m: 4 }

const f = (...shape: Dimension[]): Given => ({ dtype: 'float32', shape })
const bools = (numbers: Nested, ...shape: Dimension[]): Given => ({ dtype: 'bool', shape, numbers })
const ids = (dtype: 'int32' | 'int64', numbers: Nested, ...shape: Dimension[]): Given => ({ dtype, shape, numbers })
const axes = (...numbers: number[]): Given => ({ dtype: 'int64', shape: [numbers.length], numbers, constant: true })
const scalar = (numbers: number): Given => ({ dtype: 'float32', shape: [], numbers, constant: true })
const positive: Given = {
  dtype: 'float32',
  shape: ['n', 3],
  numbers: [
    [0.25, 1, 3],
    [7.5, 0.01, 100],
  ],
}
const pair = bools(
  [
    [1, 0],
    [1, 1],
  ],
  'n',
  2,
)

function of<A>(inputs: Case['inputs'], expected: string | readonly string[], attributes: A = {} as A): Case<A> {
  return { inputs, attributes, expected: typeof expected === 'string' ? [expected] : expected }
}

const unary = [of<Attributes['Neg']>([f('n', 3)], 'float32[n, 3]'), of<Attributes['Neg']>([f()], 'float32[]')]
const positiveOnly = [of<Attributes['Log']>([positive], 'float32[n, 3]')]
const integral = of<Attributes['Neg']>(
  [
    ids(
      'int32',
      [
        [1, -2],
        [0, 7],
      ],
      'n',
      2,
    ),
  ],
  'int32[n, 2]',
)
const arithmetic = [
  of<Attributes['Add']>([f('n', 3), f('n', 3)], 'float32[n, 3]'),
  of<Attributes['Add']>([f('n', 1, 3), f('m', 1)], 'float32[n, m, 3]'),
  of<Attributes['Add']>([f('n', 3), scalar(0.5)], 'float32[n, 3]'),
  of<Attributes['Add']>([f(2, 3), f('n', 3)], 'float32[2, 3]'),
]
const integers = of<Attributes['Add']>([ids('int32', [7, -7, 9], 3), ids('int32', [2, 2, -4], 3)], 'int32[3]')
const comparison = [
  of<Attributes['Equal']>(
    [
      ids(
        'int32',
        [
          [1, 2],
          [3, 4],
        ],
        'n',
        2,
      ),
      ids('int32', [1, 4], 2),
    ],
    'bool[n, 2]',
  ),
  of<Attributes['Equal']>([f('n', 3), scalar(0)], 'bool[n, 3]'),
  of<Attributes['Equal']>([ids('int64', [1, 2], 2), ids('int64', [1, 3], 2)], 'bool[2]'),
]
const logical = [of<Attributes['And']>([pair, bools([0, 1], 2)], 'bool[n, 2]')]
const reduction = [
  of<Attributes['ReduceSum']>([f('n', 3, 'm'), axes(1)], 'float32[n, 1, m]'),
  of<Attributes['ReduceSum']>([f('n', 3, 'm'), axes(0, -1)], 'float32[3]', { keepdims: 0 }),
  of<Attributes['ReduceSum']>([f('n', 3)], 'float32[]', { keepdims: 0 }),
  of<Attributes['ReduceSum']>([f('n', 3), axes()], 'float32[1, 1]'),
]
const noop = of<Attributes['ReduceSum']>([f('n', 3), axes()], 'float32[n, 3]', { noop_with_empty_axes: 1 })
const softmax = [
  of<Attributes['Softmax']>([f('n', 3, 2)], 'float32[n, 3, 2]'),
  of<Attributes['Softmax']>([f('n', 3, 2)], 'float32[n, 3, 2]', { axis: 1 }),
]

/** At least one case for every operator of the table: one without does not compile. */
export const operatorCases: { readonly [Op in OpName]: readonly Case<Attributes[Op]>[] } = {
  Neg: [...unary, integral],
  Abs: [...unary, integral],
  Sign: [...unary, integral],
  Identity: unary,
  Exp: unary,
  Erf: unary,
  Tanh: unary,
  Sigmoid: unary,
  Relu: unary,
  Sin: unary,
  Cos: unary,
  Floor: unary,
  Gelu: unary,
  Sqrt: positiveOnly,
  Log: positiveOnly,
  Reciprocal: positiveOnly,
  Not: [of([pair], 'bool[n, 2]')],
  Cast: [
    of([f('n', 3)], 'int32[n, 3]', { to: 'int32' }),
    of([f('n', 3)], 'bool[n, 3]', { to: 'bool' }),
    of([pair], 'float32[n, 2]', { to: 'float32' }),
    of([ids('int64', [-1, 5], 2)], 'float32[2]', { to: 'float32' }),
    of([ids('int32', [-1, 5], 2)], 'int64[2]', { to: 'int64' }),
  ],
  Add: [...arithmetic, integers],
  Sub: [...arithmetic, integers],
  Mul: [...arithmetic, integers, of([ids('int32', [65_539, 2 ** 30], 2), ids('int32', [1 << 30, 5], 2)], 'int32[2]')],
  Div: [...arithmetic, integers],
  Min: arithmetic,
  Max: arithmetic,
  Pow: [
    of([positive, scalar(2)], 'float32[n, 3]'),
    of([positive, f('n', 3)], 'float32[n, 3]'),
    of([f('n', 3), scalar(3)], 'float32[n, 3]'),
  ],
  Equal: comparison,
  Greater: comparison,
  Less: comparison,
  GreaterOrEqual: comparison,
  LessOrEqual: comparison,
  And: logical,
  Or: logical,
  Where: [
    of([pair, f('n', 2), scalar(-1)], 'float32[n, 2]'),
    of([bools([1, 0, 1], 3), f('n', 1), f('n', 3)], 'float32[n, 3]'),
  ],
  MatMul: [
    of([f('n', 3), f(3, 5)], 'float32[n, 5]'),
    of([f('n', 4, 'm', 3), f('n', 4, 3, 'm')], 'float32[n, 4, m, m]'),
    of([f('n', 1, 2, 3), f(5, 3, 2)], 'float32[n, 5, 2, 2]'),
  ],
  Gemm: [
    of([f('n', 3), f(3, 5)], 'float32[n, 5]'),
    of([f('n', 3), f(5, 3), f(5)], 'float32[n, 5]', { transB: 1 }),
    of([f(3, 'n'), f(3, 5), f('n', 1)], 'float32[n, 5]', { transA: 1, alpha: 0.5, beta: 2 }),
    of([f(3, 'n'), f(5, 3), scalar(2)], 'float32[n, 5]', { transA: 1, transB: 1, alpha: 0.1 }),
  ],
  Softmax: softmax,
  LogSoftmax: softmax,
  LayerNormalization: [
    of([f('n', 4), f(4), f(4)], 'float32[n, 4]', { axis: -1, epsilon: 1e-12 }),
    of([f('n', 4), f(4)], 'float32[n, 4]'),
    of([f('n', 3, 4), f(4), f(4)], ['float32[n, 3, 4]', 'float32[n, 3, 1]', 'float32[n, 3, 1]'], {
      axis: -1,
      epsilon: 0.1,
    }),
    of([f('n', 3, 4), f(3, 4), f(3, 4)], ['float32[n, 3, 4]', 'float32[n, 1, 1]', 'float32[n, 1, 1]'], { axis: 1 }),
  ],
  SkipLayerNormalization: [
    of(
      [f('n', 3, 4), f('n', 3, 4), f(4), f(4), f(4)],
      ['float32[n, 3, 4]', 'float32[n, 3, 1]', 'float32[n, 3, 1]', 'float32[n, 3, 4]'],
      { epsilon: 1e-5 },
    ),
    of([f('n', 4), f('n', 4), f(4)], 'float32[n, 4]'),
  ],
  ReduceSum: [
    ...reduction,
    noop,
    of(
      [
        ids(
          'int32',
          [
            [1, 2],
            [3, 4],
          ],
          'n',
          2,
        ),
        axes(0),
      ],
      'int32[1, 2]',
    ),
  ],
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceSumSquare: reduction,
  Gather: [
    of(
      [
        f(5, 3),
        ids(
          'int32',
          [
            [4, 0, -1],
            [1, 1, 2],
          ],
          'n',
          3,
        ),
      ],
      'float32[n, 3, 3]',
      { axis: 0 },
    ),
    of([f('n', 5, 3), ids('int64', [4, 0], 2)], 'float32[n, 2, 3]', { axis: 1 }),
    of([f('n', 3), ids('int32', 1)], 'float32[n]', { axis: -1 }),
  ],
  GatherElements: [
    of([f('n', 3), ids('int32', [[2], [-3]], 'n', 1)], 'float32[n, 1]', { axis: 1 }),
    of([f(4, 2), ids('int64', [[3, 0]], 1, 2)], 'float32[1, 2]'),
  ],
  ScatterND: [
    of([f(5, 3), ids('int64', [[1], [1]], 'n', 1), f('n', 3)], 'float32[5, 3]', { reduction: 'add' }),
    of(
      [
        f(5, 3),
        ids(
          'int64',
          [
            [4, -1],
            [0, 0],
          ],
          2,
          2,
        ),
        f(2),
      ],
      'float32[5, 3]',
    ),
    of([f('m', 3), ids('int64', [[1], [1]], 'n', 1), f('n', 3)], 'float32[m, 3]', { reduction: 'max' }),
    of([f('m', 3), ids('int64', [[1], [1]], 'n', 1), f('n', 3)], 'float32[m, 3]', { reduction: 'mul' }),
  ],
  ScatterElements: [
    of(
      [
        f('n', 3),
        ids(
          'int32',
          [
            [1, 1],
            [0, 2],
          ],
          'n',
          2,
        ),
        f('n', 2),
      ],
      'float32[n, 3]',
      { axis: 1, reduction: 'add' },
    ),
    of([f(4, 2), ids('int64', [[3, -4]], 1, 2), f(1, 2)], 'float32[4, 2]'),
    of([f(4, 2), ids('int64', [[3, -4]], 1, 2), f(1, 2)], 'float32[4, 2]', { reduction: 'min' }),
  ],
  Reshape: [
    of([f('n', 6), axes(-1, 2, 3)], 'float32[n, 2, 3]'),
    of([f('n', 6), axes(0, 3, 2)], 'float32[n, 3, 2]'),
    of([f('n', 'm', 4), axes(-1, 4)], 'float32[?, 4]'),
    of([f('n', 6), axes(0, -1)], 'float32[n, 6]'),
    of([f(4, 6), axes(-1)], 'float32[24]'),
    of([f(4, 6), axes(2, -1)], 'float32[2, 12]'),
    of([f(1, 1), axes()], 'float32[]'),
    of([f('n', 6), ids('int64', [3, 4], 2)], 'float32[?, ?]'),
  ],
  Transpose: [
    of([f('n', 3, 'm', 2)], 'float32[n, m, 3, 2]', { perm: [0, 2, 1, 3] }),
    of([f('n', 3)], 'float32[3, n]'),
    of([pair], 'bool[2, n]', { perm: [1, 0] }),
  ],
  Expand: [
    of([f(1, 3), axes(4, 3)], 'float32[4, 3]'),
    of([f('n', 1), axes(3, 1, 5)], 'float32[3, n, 5]'),
    of([f(3), ids('int64', [2, 3], 2)], 'float32[?, ?]'),
  ],
  Concat: [
    of([f('n', 3), f('n', 2), f('n', 1)], 'float32[n, 6]', { axis: -1 }),
    of([f('n', 3), f(1, 3)], 'float32[?, 3]', { axis: 0 }),
    of([f('n', 3), f(2, 3)], 'float32[2, 6]', { axis: 1 }),
  ],
  Split: [
    of([f('n', 6), axes(1, 2, 3)], ['float32[n, 1]', 'float32[n, 2]', 'float32[n, 3]'], { axis: -1 }),
    of([f(5, 2)], ['float32[3, 2]', 'float32[2, 2]'], { num_outputs: 2 }),
    of([f('m', 2)], ['float32[?, 2]', 'float32[?, 2]'], { axis: 0, num_outputs: 2 }),
  ],
  Slice: [
    of([f('n', 6), axes(1), axes(-1), axes(1)], 'float32[n, 4]'),
    of([f(5, 6), axes(0, 2), axes(3, 9_007_199_254_740_991)], 'float32[3, 4]'),
    of([f(5, 6), axes(-1, 5), axes(-9_007_199_254_740_991, 0), axes(0, 1), axes(-1, -2)], 'float32[5, 3]'),
    of([f('m', 6), axes(1), axes(3), axes(0)], 'float32[?, 6]'),
    of([f('m', 6), axes(0), axes(2 ** 40), axes(0)], 'float32[m, 6]'),
  ],
  Squeeze: [of([f('n', 1, 3, 1), axes(1, -1)], 'float32[n, 3]'), of([f('n', 1, 3, 1)], 'float32[n, 3]')],
  Unsqueeze: [of([f('n', 3), axes(1, -1)], 'float32[n, 1, 3, 1]'), of([f(), axes(0)], 'float32[1]')],
  Pad: [
    of([f('n', 3), axes(0, 1, 0, 2), scalar(-7)], 'float32[n, 6]'),
    of([f('n', 3), axes(0, 0, 0, -1)], 'float32[n, 2]'),
    of([f('n', 3), axes(1, 0, 0, 0)], 'float32[?, 3]'),
    of([f('n', 3), axes(2, 1), undefined, axes(1)], 'float32[n, 6]', { mode: 'reflect' }),
    of([f('n', 3), axes(0, 2, 0, 1)], 'float32[n, 6]', { mode: 'edge' }),
  ],
  Shape: [
    of([f('n', 3, 'm')], 'int64[3]'),
    of([f('n', 3, 'm')], 'int64[2]', { start: 1 }),
    of([f('n', 3, 'm')], 'int64[2]', { end: -1 }),
  ],
}

interface TitledCase {
  readonly title: string
  readonly op: OpName
  readonly of: Case
}

/** The cases of all operators, with names for tests. */
export const allCases: readonly TitledCase[] = (Object.keys(operatorCases) as OpName[]).flatMap(op =>
  (operatorCases[op] as readonly Case[]).map(one => ({
    title: `${op}(${one.inputs.map(input => (input === undefined ? '-' : describe(input))).join(', ')}) ${JSON.stringify(one.attributes)}`,
    op,
    of: one,
  })),
)

/** The graph of one node, its outputs named y0, y1 …, and feeds for it. */
export function graphOf(
  op: OpName,
  { inputs, attributes, expected }: Case,
): { graph: Graph; values: readonly Value[]; feeds: Record<string, Tensor> } {
  const builder = new GraphBuilder(op)
  const random = new MersenneTwister(7)
  const feeds: Record<string, Tensor> = {}
  const made = inputs.map((input, i) => {
    if (input === undefined) return undefined
    const tensor = tensorOf(input, random)
    if (input.constant) return builder.initializer(`x${i}`, tensor)
    feeds[`x${i}`] = tensor
    return builder.input(`x${i}`, input.dtype, input.shape)
  })
  const values = builder.node(op, made, attributes, expected.length)
  return { graph: builder.build(Object.fromEntries(values.map((value, i) => [`y${i}`, value]))), values, feeds }
}

function tensorOf({ dtype, shape, numbers }: Given, random: MersenneTwister): Tensor {
  const dims = shape.map(d => (typeof d === 'number' ? d : lengths[d]!))
  if (numbers !== undefined) return new Tensor(dtype, Tensor.from(dtype, numbers).data, dims)
  return new Tensor(
    'float32',
    Float32Array.from({ length: sizeOf(dims) }, () => Math.fround(random.uniform() * 4 - 2)),
    dims,
  )
}
