import type { OpName } from '../../../src/onnx/operators'
import { Tensor } from '../../../src/tensor'
import type { Input } from '../../helpers/writeGradients'
import { apply, type Case, type Cases, constant, lengths, positive, truths } from './case'

/** Cases for an operator of one operand. */
const one = (op: OpName, input: (...shape: (number | string)[]) => Input = (...shape) => shape): readonly Case[] => [
  { title: 'known lengths', build: apply(op), inputs: [input(2, 3)] },
  { title: 'a named length', build: apply(op), inputs: [input('n', 4)], lengths },
  { title: 'a scalar', build: apply(op), inputs: [input()] },
]

/** Cases for an operator of two operands: all the ways in which they can be stretched. */
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

/** An input for operators that need numbers between -1 and 1. */
const within = (...shape: (number | string)[]): Input => ({ shape, from: -0.8, to: 0.8 })

/** Operators that are computed element by element. */
export const elementwise = {
  Floor: flat('Floor'),
  Round: flat('Round'),
  Sign: flat('Sign'),
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
  Tan: one('Tan'),
  Atan: one('Atan'),
  Asin: one('Asin', within),
  Acos: one('Acos', within),
  Sinh: one('Sinh'),
  Cosh: one('Cosh'),
  Asinh: one('Asinh'),
  Acosh: one('Acosh', (...shape) => ({ shape, from: 1.3, to: 3 })),
  Atanh: one('Atanh', within),
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
  Mod: [
    {
      title: 'multiples left out',
      build: apply('Mod', { fmod: 1 }),
      inputs: [
        {
          shape: [2, 3],
          values: [
            [5.3, -5.3, 0.2],
            [7.9, 1.4, -2.2],
          ],
        },
        { shape: [3], values: [2, 2.5, -1.5] },
      ],
    },
    {
      title: 'a constant divisor',
      build: (g, x) => g.node('Mod', [x, g.constant(0.75, x!.dtype)], { fmod: 1 }),
      inputs: [{ shape: ['n', 2], from: 0.8, to: 1.4 }],
      lengths,
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
} satisfies Cases
