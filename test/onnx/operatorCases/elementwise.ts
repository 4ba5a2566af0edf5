import type { Attributes } from '../../../src/onnx/operators'
import { bools, caseOf, type Cases, floats, type Given, ids, pair, scalar } from './case'

const positive: Given = {
  dtype: 'float32',
  shape: ['n', 3],
  numbers: [
    [0.25, 1, 3],
    [7.5, 0.01, 100],
  ],
}
const unary = [
  caseOf<Attributes['Neg']>([floats('n', 3)], 'float32[n, 3]'),
  caseOf<Attributes['Neg']>([floats()], 'float32[]'),
]
const within = [
  caseOf<Attributes['Asin']>(
    [
      {
        ...positive,
        numbers: [
          [0.25, -0.9, 0],
          [0.5, 0.01, -0.5],
        ],
      },
    ],
    'float32[n, 3]',
  ),
]
const positiveOnly = [caseOf<Attributes['Log']>([positive], 'float32[n, 3]')]
const integral = caseOf<Attributes['Neg']>(
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
  caseOf<Attributes['Add']>([floats('n', 3), floats('n', 3)], 'float32[n, 3]'),
  caseOf<Attributes['Add']>([floats('n', 1, 3), floats('m', 1)], 'float32[n, m, 3]'),
  caseOf<Attributes['Add']>([floats('n', 3), scalar(0.5)], 'float32[n, 3]'),
  caseOf<Attributes['Add']>([floats(2, 3), floats('n', 3)], 'float32[2, 3]'),
]
const integers = caseOf<Attributes['Add']>([ids('int32', [7, -7, 9], 3), ids('int32', [2, 2, -4], 3)], 'int32[3]')
const comparison = [
  caseOf<Attributes['Equal']>(
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
  caseOf<Attributes['Equal']>([floats('n', 3), scalar(0)], 'bool[n, 3]'),
  caseOf<Attributes['Equal']>([ids('int64', [1, 2], 2), ids('int64', [1, 3], 2)], 'bool[2]'),
]
const logical = [caseOf<Attributes['And']>([pair, bools([0, 1], 2)], 'bool[n, 2]')]

/** Uses of operators that are computed element by element. */
export const elementwise = {
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
  Round: [
    ...unary,
    caseOf(
      [
        {
          ...positive,
          numbers: [
            [0.5, 1.5, 2.5],
            [-0.5, 0.499, -1.5],
          ],
        },
      ],
      'float32[n, 3]',
    ),
  ],
  Tan: unary,
  Atan: unary,
  Sinh: unary,
  Cosh: unary,
  Asinh: unary,
  Asin: within,
  Acos: within,
  Atanh: within,
  Acosh: [
    caseOf(
      [
        {
          ...positive,
          numbers: [
            [1, 1.5, 3],
            [7.5, 2, 100],
          ],
        },
      ],
      'float32[n, 3]',
    ),
  ],
  Gelu: unary,
  Sqrt: positiveOnly,
  Log: positiveOnly,
  Reciprocal: positiveOnly,
  Not: [caseOf([pair], 'bool[n, 2]')],
  Cast: [
    caseOf([floats('n', 3)], 'int32[n, 3]', { to: 'int32' }),
    caseOf([floats('n', 3)], 'bool[n, 3]', { to: 'bool' }),
    caseOf([pair], 'float32[n, 2]', { to: 'float32' }),
    caseOf([ids('int64', [-1, 5], 2)], 'float32[2]', { to: 'float32' }),
    caseOf([ids('int32', [-1, 5], 2)], 'int64[2]', { to: 'int64' }),
  ],
  Add: [...arithmetic, integers],
  Sub: [...arithmetic, integers],
  Mul: [
    ...arithmetic,
    integers,
    caseOf([ids('int32', [65_539, 2 ** 30], 2), ids('int32', [1 << 30, 5], 2)], 'int32[2]'),
  ],
  Div: [...arithmetic, integers],
  Mod: [
    integers,
    caseOf([floats('n', 3), floats(3)], 'float32[n, 3]', { fmod: 1 }),
    caseOf([ids('int64', [7, -7, 9], 3), ids('int64', [3], 1)], 'int64[3]', { fmod: 1 }),
  ],
  Min: arithmetic,
  Max: arithmetic,
  Pow: [
    caseOf([positive, scalar(2)], 'float32[n, 3]'),
    caseOf([positive, floats('n', 3)], 'float32[n, 3]'),
    caseOf([floats('n', 3), scalar(3)], 'float32[n, 3]'),
  ],
  Equal: comparison,
  Greater: comparison,
  Less: comparison,
  GreaterOrEqual: comparison,
  LessOrEqual: comparison,
  And: logical,
  Or: logical,
  Where: [
    caseOf([pair, floats('n', 2), scalar(-1)], 'float32[n, 2]'),
    caseOf([bools([1, 0, 1], 3), floats('n', 1), floats('n', 3)], 'float32[n, 3]'),
  ],
} satisfies Cases
