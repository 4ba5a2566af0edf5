import type { Attributes } from '../../../src/onnx/operators'
import { axes, caseOf, type Cases, floats, ids } from './case'

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
