import type { GraphBuilder } from '../../src/onnx/builder'
import type { Attributes, OpName } from '../../src/onnx/operators'
import type { Value } from '../../src/onnx/types'
import { type Nested, Tensor } from '../../src/tensor'
import type { Build, CheckOptions, Input, InputOptions } from '../helpers/checkGradients'

export interface Case extends CheckOptions {
  readonly title: string
  readonly build: Build
  readonly inputs: readonly Input[]
  /** Why float32 on ONNX Runtime cannot be held to the usual bound. */
  readonly notOnRuntime?: string
}

const positive = (...shape: (number | string)[]): Input => ({ shape, from: 0.3, to: 2 })
const constant = (...shape: (number | string)[]): InputOptions => ({ shape, none: true })
const integers = (values: Nested, dtype: 'int32' | 'int64' = 'int32'): InputOptions => ({
  shape: Tensor.from(dtype, values).dims,
  values,
  dtype,
})
const truths = (values: Nested): Input => ({ shape: Tensor.from('bool', values).dims, values, dtype: 'bool' })
const lengths = { n: 3, m: 5 }

/** One node of an operator. */
function apply<Op extends OpName>(op: Op, attributes: Attributes[Op] = {} as Attributes[Op], outputs = 1): Build {
  return (g, ...x) => g.node(op, x, attributes, outputs)
}

/** Outputs of which only some have a gradient. */
function only<Op extends OpName>(kept: readonly number[], op: Op, attributes: Attributes[Op], outputs: number): Build {
  return (g, ...x) => g.node(op, x, attributes, outputs).map((y, i) => (kept.includes(i) ? y : undefined))
}

const one = (op: OpName, input: (...shape: (number | string)[]) => Input = (...shape) => shape): readonly Case[] => [
  { title: 'known lengths', build: apply(op), inputs: [input(2, 3)] },
  { title: 'a named length', build: apply(op), inputs: [input('n', 4)], lengths },
  { title: 'a scalar', build: apply(op), inputs: [input()] },
]

const two = (op: OpName, a: (...shape: (number | string)[]) => Input = (...shape) => shape, b = a): readonly Case[] => [
  { title: 'equal shapes', build: apply(op), inputs: [a(2, 3), b(2, 3)] },
  { title: 'the second stretched in front', build: apply(op), inputs: [a('n', 2, 3), b(3)], lengths },
  { title: 'the first stretched within', build: apply(op), inputs: [a(2, 1, 3), b(2, 4, 3)] },
  { title: 'both stretched', build: apply(op), inputs: [a('n', 1, 2), b(3, 1)], lengths },
  { title: 'front and within, one of them named', build: apply(op), inputs: [a(1, 1, 'm'), b('n', 2, 4, 1)], lengths },
  { title: 'a scalar', build: apply(op), inputs: [a(), b('n', 2)], lengths },
  { title: 'axes of length 1', build: apply(op), inputs: [a(1, 3), b(2, 1, 1)] },
]

const flat = (op: OpName): readonly Case[] => [
  {
    title: 'nothing goes back',
    build: (g, x) => [g.cast(g.node(op, [x], {} as never)[0]!, x!.dtype), x],
    inputs: [[2, 3]],
  },
]

const comparison = (op: OpName): readonly Case[] => [
  {
    title: 'nothing goes back',
    build: (g, a, b) => g.cast(g.node(op, [a, b], {} as never)[0]!, a!.dtype),
    inputs: [constant(2, 3), constant(3)],
  },
]
const logical = (op: OpName): readonly Case[] => [
  {
    title: 'nothing goes back',
    build: (g, a, b) =>
      g.cast(
        g.node(op, op === 'Not' ? [g.greater(a!, 0)] : [g.greater(a!, 0), g.greater(b!, 0)], {} as never)[0]!,
        a!.dtype,
      ),
    inputs: [constant(2, 3), constant(3)],
  },
]

const reduction = (op: 'ReduceSum' | 'ReduceMean' | 'ReduceMax' | 'ReduceSumSquare'): readonly Case[] => {
  const over =
    (axes: readonly number[] | undefined, attributes: Attributes['ReduceSum'] = {}): Build =>
    (g, x) =>
      g.node(op, axes === undefined ? [x] : [x, g.integers(axes)], attributes)
  return [
    { title: 'the last axis', build: over([-1], { keepdims: 0 }), inputs: [[2, 3, 4]] },
    { title: 'the last axis, kept', build: over([-1], { keepdims: 1 }), inputs: [['n', 3, 4]], lengths },
    { title: 'two axes', build: over([0, 2], { keepdims: 0 }), inputs: [[2, 3, 4]] },
    { title: 'a named axis', build: over([0], { keepdims: 0 }), inputs: [['n', 3]], lengths },
    { title: 'named axes and a known one, kept', build: over([0, 1, 3]), inputs: [['n', 'm', 2, 3]], lengths },
    { title: 'all axes', build: over(undefined, { keepdims: 0 }), inputs: [['n', 2]], lengths },
    { title: 'all axes, kept', build: over(undefined), inputs: [[3, 2]] },
    { title: 'no axis', build: over(undefined, { noop_with_empty_axes: 1 }), inputs: [[3, 2]] },
  ]
}

const gemms: readonly Case[] = [0, 1].flatMap(transA =>
  [0, 1].flatMap(transB => {
    const [a, b] = [transA ? [4, 'n'] : ['n', 4], transB ? [2, 4] : [4, 2]]
    const name = `A${transA ? 'ᵀ' : ''} B${transB ? 'ᵀ' : ''}`
    return [
      { title: name, build: apply('Gemm', { transA, transB }), inputs: [a, b], lengths },
      {
        title: `${name}, alpha and beta, a bias`,
        build: apply('Gemm', { transA, transB, alpha: 0.7, beta: -1.3 }),
        inputs: [a, b, [2]],
        lengths,
      },
    ]
  }),
)

const fullNorm =
  (axis: number, outputs = 3): Build =>
  (g, ...x) =>
    g.node('LayerNormalization', x, { axis, epsilon: 1e-5 }, outputs)
const norm = (kept: readonly number[], axis = -1): Build => only(kept, 'LayerNormalization', { axis, epsilon: 1e-5 }, 3)
const skip = (kept: readonly number[], outputs = 4): Build =>
  only(kept, 'SkipLayerNormalization', { epsilon: 1e-5 }, outputs)

const slice =
  (starts: readonly number[], ends: readonly number[], axes?: readonly number[], steps?: readonly number[]): Build =>
  (g, x) =>
    g.node(
      'Slice',
      [
        x,
        g.integers(starts),
        g.integers(ends),
        ...(axes === undefined ? [] : [g.integers(axes)]),
        ...(steps === undefined ? [] : [g.integers(steps)]),
      ],
      {},
    )

const all = 2 ** 31 - 1

/** [2, 0, 1]: where the rows 1, 2, 0 went. */
const permuted =
  (mask: boolean): Build =>
  (g, x, index, back, kept) =>
    g.gather(x!, index!, 0, mask ? { index: back!, mask: kept } : { index: back! })

const scatter = (reduction: 'none' | 'add'): readonly Case[] => [
  {
    title: 'rows',
    build: apply('ScatterND', { reduction }),
    inputs: [['n', 2], integers([[2], [0]], 'int64'), [2, 2]],
    lengths,
  },
  {
    title: 'rows by an index of two axes',
    build: apply('ScatterND', { reduction }),
    inputs: [
      [5, 2],
      integers(
        [
          [[2], [0]],
          [[4], [-4]],
        ],
        'int64',
      ),
      [2, 2, 2],
    ],
  },
  {
    title: 'a constant index two deep',
    build: (g, x, u) =>
      g.node(
        'ScatterND',
        [
          x,
          g.constant(
            Tensor.from('int64', [
              [1, 2],
              [0, -1],
              [2, 0],
            ]),
          ),
          u,
        ],
        { reduction },
      ),
    inputs: [
      [3, 4, 2],
      [3, 2],
    ],
  },
  {
    title: 'updates that are constants',
    build: (g, x, i) => g.node('ScatterND', [x, i, g.constant(Tensor.from(x!.dtype, [[7, 7]]))], { reduction }),
    inputs: [[3, 2], integers([[1]], 'int64')],
  },
]

/** What proves each row of the table: by operator, at least one case that has it in its graph. */
export const cases: { readonly [Op in OpName]: readonly Case[] } = {
  Floor: flat('Floor'),
  Sign: flat('Sign'),
  Shape: [
    {
      title: 'nothing goes back',
      build: (g, x) => g.expand(g.constant(1, x!.dtype), x!),
      inputs: [constant('n', 2)],
      lengths,
    },
  ],
  Equal: comparison('Equal'),
  Greater: comparison('Greater'),
  Less: comparison('Less'),
  GreaterOrEqual: comparison('GreaterOrEqual'),
  LessOrEqual: comparison('LessOrEqual'),
  And: logical('And'),
  Or: logical('Or'),
  Not: logical('Not'),

  Identity: one('Identity'),
  Neg: one('Neg'),
  Exp: one('Exp'),
  Erf: [...one('Erf'), { title: 'far out', build: apply('Erf'), inputs: [{ shape: [4], values: [-40, 30, 0, 1e-9] }] }],
  Tanh: one('Tanh'),
  Sigmoid: one('Sigmoid'),
  Sin: one('Sin'),
  Cos: one('Cos'),
  Abs: [...one('Abs'), { title: 'both signs', build: apply('Abs'), inputs: [{ shape: [2], values: [-0.5, 0.7] }] }],
  Sqrt: one('Sqrt', positive),
  Log: one('Log', positive),
  Reciprocal: one('Reciprocal', positive),
  Relu: [...one('Relu'), { title: 'both signs', build: apply('Relu'), inputs: [{ shape: [2], values: [-0.5, 0.7] }] }],
  Gelu: [
    ...one('Gelu'),
    { title: 'at 0 and far out', build: apply('Gelu'), inputs: [{ shape: [6], values: [0, -3, 3, 12, -12, 50] }] },
  ],
  Cast: [
    { title: 'to float32', build: (g, x) => g.cast(x!, 'float32'), inputs: [['n', 2]], lengths },
    {
      title: 'through integers nothing goes back',
      build: (g, x) => g.cast(g.cast(x!, 'int32'), x!.dtype),
      inputs: [{ shape: [2, 3], from: 0.1, to: 0.9, none: true }],
    },
    {
      title: 'from truths',
      build: (g, c, x) => g.mul(g.cast(c!, x!.dtype), x!),
      inputs: [truths([true, false]), [3, 2]],
    },
  ],

  Add: two('Add'),
  Sub: two('Sub'),
  Mul: [
    ...two('Mul'),
    { title: 'a square', build: (g, x) => g.mul(x!, x!), inputs: [['n', 2]], lengths },
    {
      title: 'a constant factor',
      build: (g, x, y) => g.add(g.mul(x!, 0.3), g.mul(g.mul(y!, x!), 3)),
      inputs: [['n', 2], [2]],
      lengths,
    },
    { title: 'no factor at all', build: (g, x) => g.mul(x!, 0), inputs: [[2]] },
    {
      title: 'different factors meet',
      build: (g, x, y) => g.add(g.sub(g.mul(x!, 2), g.mul(g.add(x!, y!), 3)), g.mul(g.add(y!, g.neg(x!)), 0)),
      inputs: [[2, 3], [3]],
    },
  ],
  Div: [
    ...two('Div', undefined, positive),
    { title: 'a constant divisor', build: (g, x) => g.div(x!, 3), inputs: [['n', 2]], lengths },
  ],
  Pow: [
    ...two('Pow', positive, (...shape) => shape),
    ...[0, 1, 2, 3, 0.5, -1, 2.5, -1.5].map((p): Case => ({
      title: `a constant exponent, ${p}`,
      build: (g, x) => [g.pow(x!, p), x],
      inputs: [positive('n', 2)],
      lengths,
    })),
    {
      title: 'an exponent of 0 among others',
      build: (g, x) => g.pow(x!, g.constant(Tensor.from(x!.dtype, [0, 1, 2]))),
      inputs: [{ shape: [3], values: [0, 2, -3] }],
    },
    {
      title: 'a base of 0',
      build: (g, x) => g.pow(g.constant(Tensor.from(x!.dtype, [0, 2])), x!),
      inputs: [{ shape: [2], values: [2, 3] }],
    },
  ],
  Min: two('Min'),
  Max: two('Max'),
  Where: [
    {
      title: 'equal shapes',
      build: apply('Where'),
      inputs: [
        truths([
          [true, false],
          [false, true],
        ]),
        [2, 2],
        [2, 2],
      ],
    },
    {
      title: 'all three stretched',
      build: apply('Where'),
      inputs: [truths([[true], [false]]), ['n', 1, 1], [3]],
      lengths,
    },
    {
      title: 'a constant else',
      build: (g, c, x) => g.where(c!, x!, -5),
      inputs: [truths([true, false]), ['n', 2]],
      lengths,
    },
    {
      title: 'a constant then',
      build: (g, c, x) => g.where(c!, -5, x!),
      inputs: [truths([true, false]), ['n', 1]],
      lengths,
    },
  ],

  MatMul: [
    {
      title: 'matrices',
      build: apply('MatMul'),
      inputs: [
        ['n', 4],
        [4, 3],
      ],
      lengths,
    },
    {
      title: 'a weight',
      build: apply('MatMul'),
      inputs: [
        ['n', 2, 4],
        [4, 3],
      ],
      lengths,
    },
    {
      title: 'a weight, two named lengths',
      build: apply('MatMul'),
      inputs: [
        ['n', 'm', 4],
        [4, 3],
      ],
      lengths,
    },
    {
      title: 'a weight of a named length',
      build: apply('MatMul'),
      inputs: [
        ['n', 2, 'm'],
        ['m', 3],
      ],
      lengths,
    },
    {
      title: 'a batch',
      build: apply('MatMul'),
      inputs: [
        ['n', 2, 4],
        ['n', 4, 3],
      ],
      lengths,
    },
    {
      title: 'batches stretched',
      build: apply('MatMul'),
      inputs: [
        ['n', 1, 2, 4],
        [5, 4, 3],
      ],
      lengths,
    },
    {
      title: 'the first without a batch',
      build: apply('MatMul'),
      inputs: [
        [2, 4],
        ['n', 4, 3],
      ],
      lengths,
    },
    {
      title: 'scores, scaled',
      build: (g, q, k) => g.mul(g.matMul(q!, g.transposeLast(k!)), 0.5),
      inputs: [
        ['n', 2, 'm', 4],
        ['n', 2, 'm', 4],
      ],
      lengths,
    },
    {
      title: 'a scaled product',
      build: (g, a, b) => g.mul(g.matMul(a!, b!), -0.25),
      inputs: [
        ['n', 2, 4],
        [4, 3],
      ],
      lengths,
    },
  ],
  Gemm: [
    ...gemms,
    {
      title: 'a full addend',
      build: apply('Gemm', { beta: 2 }),
      inputs: [
        ['n', 4],
        [4, 2],
        ['n', 2],
      ],
      lengths,
    },
    {
      title: 'an addend per row',
      build: apply('Gemm'),
      inputs: [
        ['n', 4],
        [4, 2],
        ['n', 1],
      ],
      lengths,
    },
    { title: 'a scalar addend', build: apply('Gemm'), inputs: [[3, 4], [4, 2], []] },
    {
      title: 'scaled',
      build: (g, a, b, c) => g.mul(g.gemm(a!, b!, c!, { alpha: 2 }), 0.5),
      inputs: [[3, 4], [4, 2], [2]],
    },
  ],
  Softmax: [
    { title: 'the last axis', build: apply('Softmax', { axis: -1 }), inputs: [['n', 4]], lengths },
    { title: 'another axis', build: apply('Softmax', { axis: 1 }), inputs: [[2, 3, 4]] },
    { title: 'a named axis', build: apply('Softmax'), inputs: [[2, 'n']], lengths },
  ],
  LogSoftmax: [
    { title: 'the last axis', build: apply('LogSoftmax', { axis: -1 }), inputs: [['n', 4]], lengths },
    { title: 'another axis', build: apply('LogSoftmax', { axis: 0 }), inputs: [['n', 4]], lengths },
  ],
  LayerNormalization: [
    { title: 'rows', build: norm([0]), inputs: [['n', 6], [6], [6]], lengths },
    { title: 'more axes in front', build: norm([0]), inputs: [['n', 2, 6], [6], [6]], lengths },
    { title: 'two axes in front, named', build: norm([0]), inputs: [['n', 'm', 6], [6], [6]], lengths },
    { title: 'no bias', build: norm([0]), inputs: [['n', 6], [6]], lengths },
    {
      title: 'two axes normalized',
      build: norm([0], 1),
      inputs: [
        ['n', 2, 3],
        [2, 3],
        [2, 3],
      ],
      lengths,
    },
    {
      title: 'all axes normalized',
      build: norm([0], 0),
      inputs: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
    },
    { title: 'a named width', build: norm([0]), inputs: [['n', 2, 'm'], ['m'], ['m']], lengths },
    { title: 'one axis', build: norm([0]), inputs: [[6], [6], [6]] },
    { title: 'statistics that were not saved', build: fullNorm(-1, 1), inputs: [['n', 2, 6], [6], [6]], lengths },
    { title: 'gradients of all outputs', build: fullNorm(-1), inputs: [['n', 2, 6], [6], [6]], lengths },
    { title: 'a gradient of the mean alone', build: norm([1]), inputs: [['n', 6], constant(6), constant(6)], lengths },
    {
      title: 'a gradient of the deviation alone',
      build: norm([2]),
      inputs: [['n', 2, 6], constant(6), constant(6)],
      lengths,
    },
    {
      title: 'x is not asked',
      build: (g, s, b) =>
        g.layerNormalization(
          g.constant(
            Tensor.from(s!.dtype, [
              [1, 2, 4],
              [3, 1, 0],
            ]),
          ),
          s!,
          b!,
          1e-5,
        )[0],
      inputs: [[3], [3]],
    },
    {
      title: 'far from 0',
      build: norm([0]),
      inputs: [{ shape: ['n', 6], from: 100, to: 101 }, [6], [6]],
      lengths,
      tolerance: 1e-6,
      notOnRuntime: 'its statistics are too coarse there',
    },
  ],
  SkipLayerNormalization: [
    { title: 'rows', build: skip([0]), inputs: [['n', 6], ['n', 6], [6], [6]], lengths },
    {
      title: 'a bias, and the sum is read too',
      build: skip([0, 3]),
      inputs: [['n', 2, 6], ['n', 2, 6], [6], [6], [6]],
      lengths,
    },
    {
      title: 'the sum alone',
      build: skip([3]),
      inputs: [['n', 2, 6], ['n', 2, 6], constant(6), constant(6), [6]],
      lengths,
    },
    { title: 'a skip that is stretched', build: skip([0]), inputs: [['n', 2, 6], [2, 6], [6], [6]], lengths },
    {
      title: 'nothing but the result saved',
      build: skip([0], 1),
      inputs: [['n', 6], ['n', 6], [6], [6], [6]],
      lengths,
    },
    {
      title: 'gradients of all outputs',
      build: skip([0, 1, 2, 3]),
      inputs: [['n', 2, 6], ['n', 2, 6], [6], [6], [6]],
      lengths,
    },
  ],
  ReduceSum: reduction('ReduceSum'),
  ReduceMean: reduction('ReduceMean'),
  ReduceMax: reduction('ReduceMax'),
  ReduceSumSquare: reduction('ReduceSumSquare'),

  Gather: [
    { title: 'rows, some twice', build: (g, x, i) => g.gather(x!, i!), inputs: [[4, 2], integers([2, 0, 2, 1, 2])] },
    {
      title: 'rows by an index of two axes',
      build: (g, x, i) => g.gather(x!, i!),
      inputs: [
        ['n', 2, 3],
        integers(
          [
            [2, 0],
            [2, -1],
          ],
          'int64',
        ),
      ],
      lengths,
    },
    {
      title: 'one row',
      build: (g, x) => g.gather(x!, g.constant(Tensor.from('int64', 1))),
      inputs: [['n', 2]],
      lengths,
    },
    {
      title: 'the last axis',
      build: (g, x, i) => g.gather(x!, i!, -1),
      inputs: [['n', 'm', 3], integers([2, 0, 2])],
      lengths,
    },
    {
      title: 'an axis within, by an index of two axes',
      build: (g, x, i) => g.gather(x!, i!, 1),
      inputs: [
        [2, 'm', 3],
        integers([
          [4, 0, 4],
          [1, 1, 0],
        ]),
      ],
      lengths,
    },
    {
      title: 'one place within',
      build: (g, x) => g.gather(x!, g.constant(Tensor.from('int64', 0)), 1),
      inputs: [['n', 'm', 3]],
      lengths,
    },
    {
      title: 'the way back is known',
      build: permuted(false),
      inputs: [[3, 2], integers([2, 0, 1]), integers([1, 2, 0])],
    },
    {
      title: 'the way back is known, in two axes',
      build: permuted(false),
      inputs: [['n', 2, 2], integers([[2], [0], [1]]), { ...integers([1, 2, 0]), shape: ['n'] }],
      lengths,
    },
    {
      title: 'the way back is known, for rows that were taken',
      build: permuted(true),
      inputs: [
        ['n', 2, 2],
        integers([2, 0]),
        { ...integers([1, 0, 0]), shape: ['n'] },
        { shape: ['n'], values: [1, 0, 1], none: true },
      ],
      lengths,
    },
    {
      title: 'a mask with an axis of its own',
      build: permuted(true),
      inputs: [
        ['n', 2],
        integers([2, 0]),
        { ...integers([1, 0, 0]), shape: ['n'] },
        { ...constant('n', 1), values: [[1], [0], [1]] },
      ],
      lengths,
    },
  ],
  GatherElements: [
    {
      title: 'the last axis, some twice',
      build: (g, x, i) => g.gatherElements(x!, i!, 1),
      inputs: [
        ['n', 4],
        integers([
          [1, 1],
          [3, 0],
          [2, 2],
        ]),
      ],
      lengths,
    },
    {
      title: 'the first axis, a smaller index',
      build: (g, x, i) => g.gatherElements(x!, i!, 0),
      inputs: [
        [4, 3],
        integers(
          [
            [1, 0],
            [3, 0],
          ],
          'int64',
        ),
      ],
    },
  ],
  ScatterND: [...scatter('none'), ...scatter('add')],
  ScatterElements: (['none', 'add'] as const).flatMap((reduction): readonly Case[] => [
    {
      title: `${reduction}, the last axis`,
      build: apply('ScatterElements', { axis: -1, reduction }),
      inputs: [
        ['n', 4],
        integers([
          [1, 0],
          [3, 0],
          [2, 1],
        ]),
        [3, 2],
      ],
      lengths,
    },
    {
      title: `${reduction}, the first axis`,
      build: apply('ScatterElements', { axis: 0, reduction }),
      inputs: [
        [4, 3],
        integers(
          [
            [1, 0, 2],
            [3, 1, 0],
          ],
          'int64',
        ),
        [2, 3],
      ],
    },
  ]),

  Reshape: [
    { title: 'known lengths', build: (g, x) => g.reshape(x!, [3, 4]), inputs: [[2, 6]] },
    { title: 'heads', build: (g, x) => g.reshape(x!, [-1, 2, 3]), inputs: [['n', 6]], lengths },
    {
      title: 'two named lengths, kept',
      build: (g, x) => g.reshape(x!, [0, 0, 2, 3]),
      inputs: [['n', 'm', 6]],
      lengths,
    },
    { title: 'two named lengths, joined', build: (g, x) => g.reshape(x!, [-1, 6]), inputs: [['n', 'm', 6]], lengths },
    {
      title: 'to a shape known at run time',
      build: (g, x, like) => g.reshape(x!, g.shape(like!)),
      inputs: [['m', 6], constant('n', 10)],
      lengths,
    },
    {
      title: 'to a scalar',
      build: (g, x) => g.reshape(x!, g.constant(new Tensor('int64', new BigInt64Array(0), [0]))),
      inputs: [[1, 1]],
    },
  ],
  Transpose: [
    { title: 'reversed', build: apply('Transpose'), inputs: [['n', 2, 3]], lengths },
    { title: 'a permutation', build: apply('Transpose', { perm: [2, 0, 3, 1] }), inputs: [['n', 2, 3, 4]], lengths },
  ],
  Expand: [
    {
      title: 'in front and within',
      build: (g, x) => g.node('Expand', [x, g.integers([4, 2, 3])], {}),
      inputs: [[2, 1]],
    },
    {
      title: 'to a shape known at run time',
      build: (g, x, like) => g.node('Expand', [x, g.shape(like!)], {}),
      inputs: [[1, 2], constant('n', 'm', 2)],
      lengths,
    },
    { title: 'like another', build: (g, x, like) => g.expand(x!, like!), inputs: [[], constant('n', 2)], lengths },
    {
      title: 'not at all',
      build: (g, x) => g.node('Expand', [x, g.integers([1, 2])], {}),
      inputs: [['n', 2]],
      lengths,
    },
  ],
  Concat: [
    {
      title: 'known lengths',
      build: apply('Concat', { axis: 1 }),
      inputs: [
        [2, 3],
        [2, 1],
        [2, 2],
      ],
    },
    {
      title: 'named lengths',
      build: apply('Concat', { axis: 0 }),
      inputs: [
        ['n', 2],
        [2, 2],
        ['m', 2],
      ],
      lengths,
    },
    {
      title: 'lengths that nobody has named',
      build: (g, x, y) => g.concat([g.slice(x!, [1], [all], [0]), y!], -2),
      inputs: [
        ['n', 2],
        ['m', 2],
      ],
      lengths,
    },
    { title: 'one twice', build: (g, x) => g.concat([x!, x!], 1), inputs: [['n', 2]], lengths },
    { title: 'alone', build: apply('Concat', { axis: 0 }), inputs: [[2, 2]] },
  ],
  Split: [
    { title: 'given lengths', build: (g, x) => g.split(x!, 1, [1, 3, 2]), inputs: [['n', 6]], lengths },
    {
      title: 'parts that nobody reads',
      build: (g, x) => [g.split(x!, -1, [1, 3, 2])[1]],
      inputs: [['n', 'm', 6]],
      lengths,
    },
    {
      title: 'equal parts',
      build: (g, x) => {
        const [a, , c] = g.node('Split', [x], { axis: 0, num_outputs: 3 }, 3)
        return [a, c]
      },
      inputs: [[7, 2]],
    },
    {
      title: 'equal parts of a named length',
      build: (g, x) => [g.node('Split', [x], { axis: 0, num_outputs: 2 }, 2)[1]],
      inputs: [['n', 2]],
      lengths,
    },
  ],
  Slice: [
    { title: 'known lengths', build: slice([1, -3], [3, 100], [0, -1]), inputs: [[4, 5]] },
    { title: 'no axes named', build: slice([1, 0], [3, -1]), inputs: [[4, 5]] },
    { title: 'beside named lengths', build: slice([1], [3], [1]), inputs: [['n', 5, 'm']], lengths },
    { title: 'from a place on, a named length', build: slice([1], [all], [0]), inputs: [['m', 2]], lengths },
    { title: 'up to a place, a named length', build: slice([0], [2], [1]), inputs: [['n', 'm']], lengths },
    { title: 'the last ones, a named length', build: slice([-2], [all], [1]), inputs: [['n', 'm', 2]], lengths },
    { title: 'within two named lengths', build: slice([1, 1], [-1, 4], [0, 1]), inputs: [['n', 'm', 2]], lengths },
    { title: 'beyond the end of a named length', build: slice([1], [50], [0]), inputs: [['n', 2]], lengths },
    {
      title: 'an end known at run time',
      build: (g, x, y) =>
        g.node('Slice', [x, g.integers([0]), g.node('Shape', [y], { start: 0, end: 1 })[0]!, g.integers([0])], {}),
      inputs: [[6, 2], constant('n')],
      lengths,
    },
    { title: 'every second one', build: slice([1], [6], [1], [2]), inputs: [['n', 7]], lengths },
    { title: 'every third one, and a cut', build: slice([0, 1], [all, 3], [1, 0], [3, 1]), inputs: [[4, 7]] },
    { title: 'backwards', build: slice([-1], [-all], [0], [-1]), inputs: [['n', 2]], lengths },
    { title: 'backwards by twos', build: slice([5], [0], [1], [-2]), inputs: [['n', 7]], lengths },
  ],
  Squeeze: [
    { title: 'given axes', build: (g, x) => g.squeeze(x!, [1, -1]), inputs: [['n', 1, 2, 1]], lengths },
    { title: 'all axes of length 1', build: apply('Squeeze'), inputs: [['n', 1, 2, 1]], lengths },
  ],
  Unsqueeze: [{ title: 'given axes', build: (g, x) => g.unsqueeze(x!, [0, -1]), inputs: [['n', 2]], lengths }],
  Pad: [
    { title: 'both sides', build: (g, x) => g.node('Pad', [x, g.integers([1, 0, 2, 3])], {}), inputs: [[2, 3]] },
    {
      title: 'named lengths',
      build: (g, x) => g.node('Pad', [x, g.integers([0, 1, 2, 0])], { mode: 'constant' }),
      inputs: [['n', 'm']],
      lengths,
    },
    {
      title: 'cut and padded',
      build: (g, x) => g.node('Pad', [x, g.integers([-1, 2, 1, -2])], {}),
      inputs: [['n', 5]],
      lengths,
    },
    {
      title: 'with a value',
      build: (g, x, v) => g.node('Pad', [x, g.integers([1, 0, 0, 1]), v], {}),
      inputs: [['n', 2], []],
      lengths,
    },
    { title: 'nothing', build: (g, x) => g.node('Pad', [x, g.integers([0, 0])], {}), inputs: [['n']], lengths },
  ],
}

/** A graph in one expression, for tests of whole blocks. */
export type Write = (g: GraphBuilder, ...x: Value[]) => Value
