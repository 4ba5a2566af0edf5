import type { Attributes } from '../../../src/onnx/operators'
import { axes, caseOf, type Cases, floats, type Given, ids } from './case'

const reduction = [
  caseOf<Attributes['ReduceSum']>([floats('n', 3, 'm'), axes(1)], 'float32[n, 1, m]'),
  caseOf<Attributes['ReduceSum']>([floats('n', 3, 'm'), axes(0, -1)], 'float32[3]', { keepdims: 0 }),
  caseOf<Attributes['ReduceSum']>([floats('n', 3)], 'float32[]', { keepdims: 0 }),
  caseOf<Attributes['ReduceSum']>([floats('n', 3), axes()], 'float32[1, 1]'),
]
const noop = caseOf<Attributes['ReduceSum']>([floats('n', 3), axes()], 'float32[n, 3]', { noop_with_empty_axes: 1 })
const softmax = [
  caseOf<Attributes['Softmax']>([floats('n', 3, 2)], 'float32[n, 3, 2]'),
  caseOf<Attributes['Softmax']>([floats('n', 3, 2)], 'float32[n, 3, 2]', { axis: 1 }),
]

/** An axis, as an operator takes one: a scalar. */
const axisOf = (axis: number): Given => ({ dtype: 'int64', shape: [], numbers: axis, constant: true })

/** Uses of operators along axes. */
export const alongAxes = {
  Softmax: softmax,
  LogSoftmax: softmax,
  LayerNormalization: [
    caseOf([floats('n', 4), floats(4), floats(4)], 'float32[n, 4]', { axis: -1, epsilon: 1e-12 }),
    caseOf([floats('n', 4), floats(4)], 'float32[n, 4]'),
    caseOf([floats('n', 3, 4), floats(4), floats(4)], ['float32[n, 3, 4]', 'float32[n, 3, 1]', 'float32[n, 3, 1]'], {
      axis: -1,
      epsilon: 0.1,
    }),
    caseOf(
      [floats('n', 3, 4), floats(3, 4), floats(3, 4)],
      ['float32[n, 3, 4]', 'float32[n, 1, 1]', 'float32[n, 1, 1]'],
      { axis: 1 },
    ),
  ],
  SkipLayerNormalization: [
    caseOf(
      [floats('n', 3, 4), floats('n', 3, 4), floats(4), floats(4), floats(4)],
      ['float32[n, 3, 4]', 'float32[n, 3, 1]', 'float32[n, 3, 1]', 'float32[n, 3, 4]'],
      { epsilon: 1e-5 },
    ),
    caseOf([floats('n', 4), floats('n', 4), floats(4)], 'float32[n, 4]'),
  ],
  CumSum: [
    caseOf([floats('n', 3, 4), axisOf(1)], 'float32[n, 3, 4]'),
    caseOf([floats('n', 3), axisOf(-1)], 'float32[n, 3]', { exclusive: 1 }),
    caseOf([floats('n', 3), axisOf(0)], 'float32[n, 3]', { reverse: 1 }),
    caseOf([ids('int64', [1, 2, 3], 3), axisOf(0)], 'int64[3]', { exclusive: 1, reverse: 1 }),
  ],
  ArgMax: [
    caseOf([floats('n', 3)], 'int64[1, 3]'),
    caseOf([floats('n', 3)], 'int64[n]', { axis: -1, keepdims: 0 }),
    caseOf([ids('int32', [1, 3, 3], 3)], 'int64[1]', { select_last_index: 1 }),
  ],
  TopK: [
    caseOf([floats('n', 5), axes(3)], ['float32[n, 3]', 'int64[n, 3]']),
    caseOf([floats('m', 3), axes(2)], ['float32[2, 3]', 'int64[2, 3]'], { axis: 0, largest: 0 }),
    caseOf([floats('n', 5), ids('int64', [2], 1)], ['float32[n, ?]', 'int64[n, ?]'], { axis: 1, sorted: 1 }),
  ],
  ReduceSum: [
    ...reduction,
    noop,
    caseOf(
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
} satisfies Cases
