import { caseOf, type Cases, floats, ids } from './case'

/** Uses of operators that pick by an index, or put. */
export const indexing = {
  Gather: [
    caseOf(
      [
        floats(5, 3),
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
    caseOf([floats('n', 5, 3), ids('int64', [4, 0], 2)], 'float32[n, 2, 3]', { axis: 1 }),
    caseOf([floats('n', 3), ids('int32', 1)], 'float32[n]', { axis: -1 }),
  ],
  GatherElements: [
    caseOf([floats('n', 3), ids('int32', [[2], [-3]], 'n', 1)], 'float32[n, 1]', { axis: 1 }),
    caseOf([floats(4, 2), ids('int64', [[3, 0]], 1, 2)], 'float32[1, 2]'),
  ],
  ScatterND: [
    caseOf([floats(5, 3), ids('int64', [[1], [1]], 'n', 1), floats('n', 3)], 'float32[5, 3]', { reduction: 'add' }),
    caseOf(
      [
        floats(5, 3),
        ids(
          'int64',
          [
            [4, -1],
            [0, 0],
          ],
          2,
          2,
        ),
        floats(2),
      ],
      'float32[5, 3]',
    ),
    caseOf([floats('m', 3), ids('int64', [[1], [1]], 'n', 1), floats('n', 3)], 'float32[m, 3]', { reduction: 'max' }),
    caseOf([floats('m', 3), ids('int64', [[1], [1]], 'n', 1), floats('n', 3)], 'float32[m, 3]', { reduction: 'mul' }),
  ],
  ScatterElements: [
    caseOf(
      [
        floats('n', 3),
        ids(
          'int32',
          [
            [1, 1],
            [0, 2],
          ],
          'n',
          2,
        ),
        floats('n', 2),
      ],
      'float32[n, 3]',
      { axis: 1, reduction: 'add' },
    ),
    caseOf([floats(4, 2), ids('int64', [[3, -4]], 1, 2), floats(1, 2)], 'float32[4, 2]'),
    caseOf([floats(4, 2), ids('int64', [[3, -4]], 1, 2), floats(1, 2)], 'float32[4, 2]', { reduction: 'min' }),
  ],
} satisfies Cases
