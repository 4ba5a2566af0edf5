import { axes, caseOf, type Cases, floats, type Given, ids, pair, scalar } from './case'

const integer = (number: number): Given => ids('int64', number)
const constantly = (given: Given): Given => ({ ...given, constant: true })

/** Uses of operators that make another shape of the same elements, and of the shape itself. */
export const shapes = {
  Reshape: [
    caseOf([floats('n', 6), axes(-1, 2, 3)], 'float32[n, 2, 3]'),
    caseOf([floats('n', 6), axes(0, 3, 2)], 'float32[n, 3, 2]'),
    caseOf([floats('n', 'm', 4), axes(-1, 4)], 'float32[?, 4]'),
    caseOf([floats('n', 6), axes(0, -1)], 'float32[n, 6]'),
    caseOf([floats(4, 6), axes(-1)], 'float32[24]'),
    caseOf([floats(4, 6), axes(2, -1)], 'float32[2, 12]'),
    caseOf([floats(1, 1), axes()], 'float32[]'),
    caseOf([floats('n', 6), ids('int64', [3, 4], 2)], 'float32[?, ?]'),
  ],
  Transpose: [
    caseOf([floats('n', 3, 'm', 2)], 'float32[n, m, 3, 2]', { perm: [0, 2, 1, 3] }),
    caseOf([floats('n', 3)], 'float32[3, n]'),
    caseOf([pair], 'bool[2, n]', { perm: [1, 0] }),
  ],
  Expand: [
    caseOf([floats(1, 3), axes(4, 3)], 'float32[4, 3]'),
    caseOf([floats('n', 1), axes(3, 1, 5)], 'float32[3, n, 5]'),
    caseOf([floats(3), ids('int64', [2, 3], 2)], 'float32[?, ?]'),
  ],
  Concat: [
    caseOf([floats('n', 3), floats('n', 2), floats('n', 1)], 'float32[n, 6]', { axis: -1 }),
    caseOf([floats('n', 3), floats(1, 3)], 'float32[?, 3]', { axis: 0 }),
    caseOf([floats('n', 3), floats(2, 3)], 'float32[2, 6]', { axis: 1 }),
  ],
  Split: [
    caseOf([floats('n', 6), axes(1, 2, 3)], ['float32[n, 1]', 'float32[n, 2]', 'float32[n, 3]'], { axis: -1 }),
    caseOf([floats(5, 2)], ['float32[3, 2]', 'float32[2, 2]'], { num_outputs: 2 }),
    caseOf([floats('m', 2)], ['float32[?, 2]', 'float32[?, 2]'], { axis: 0, num_outputs: 2 }),
  ],
  Slice: [
    caseOf([floats('n', 6), axes(1), axes(-1), axes(1)], 'float32[n, 4]'),
    caseOf([floats(5, 6), axes(0, 2), axes(3, 9_007_199_254_740_991)], 'float32[3, 4]'),
    caseOf([floats(5, 6), axes(-1, 5), axes(-9_007_199_254_740_991, 0), axes(0, 1), axes(-1, -2)], 'float32[5, 3]'),
    caseOf([floats('m', 6), axes(1), axes(3), axes(0)], 'float32[?, 6]'),
    caseOf([floats('m', 6), axes(0), axes(2 ** 40), axes(0)], 'float32[m, 6]'),
  ],
  Squeeze: [
    caseOf([floats('n', 1, 3, 1), axes(1, -1)], 'float32[n, 3]'),
    caseOf([floats('n', 1, 3, 1)], 'float32[n, 3]'),
  ],
  Unsqueeze: [caseOf([floats('n', 3), axes(1, -1)], 'float32[n, 1, 3, 1]'), caseOf([floats(), axes(0)], 'float32[1]')],
  Pad: [
    caseOf([floats('n', 3), axes(0, 1, 0, 2), scalar(-7)], 'float32[n, 6]'),
    caseOf([floats('n', 3), axes(0, 0, 0, -1)], 'float32[n, 2]'),
    caseOf([floats('n', 3), axes(1, 0, 0, 0)], 'float32[?, 3]'),
    caseOf([floats('n', 3), axes(2, 1), undefined, axes(1)], 'float32[n, 6]', { mode: 'reflect' }),
    caseOf([floats('n', 3), axes(0, 2, 0, 1)], 'float32[n, 6]', { mode: 'edge' }),
  ],
  Shape: [
    caseOf([floats('n', 3, 'm')], 'int64[3]'),
    caseOf([floats('n', 3, 'm')], 'int64[2]', { start: 1 }),
    caseOf([floats('n', 3, 'm')], 'int64[2]', { end: -1 }),
  ],
  Range: [
    caseOf([integer(1), integer(8), integer(3)].map(constantly), 'int64[3]'),
    caseOf([integer(5), integer(-1), integer(-2)].map(constantly), 'int64[3]'),
    caseOf([scalar(0.5), scalar(2), scalar(0.5)], 'float32[3]'),
    caseOf([integer(0), integer(4), integer(1)], 'int64[?]'),
  ],
} satisfies Cases
