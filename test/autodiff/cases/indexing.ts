import { Tensor } from '../../../src/tensor'
import type { Build } from '../../helpers/writeGradients'
import { apply, type Case, type Cases, constant, integers, lengths } from './case'

/** [2, 0, 1]: where the rows 1, 2, 0 went. */
const permuted =
  (mask: boolean): Build =>
  (g, x, index, back, kept) =>
    g.gather(x!, index!, 0, { inverse: mask ? { index: back!, mask: kept } : { index: back! } })

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

/** Products and extremes of what is there and what is put there, twice at one place. */
const combined: readonly Case[] = (['mul', 'max', 'min'] as const).map(reduction => ({
  title: `${reduction}, an index twice`,
  build: apply('ScatterElements', { axis: 1, reduction }),
  inputs: [
    ['n', 4],
    integers([
      [1, 1],
      [3, 0],
      [2, 1],
    ]),
    [3, 2],
  ],
  lengths,
}))

/** Operators that pick by an index, or put. */
export const indexing = {
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
    {
      title: 'the way back is known along the last axis, by an index of two axes',
      build: (g, x, index, back, kept) => g.gather(x!, index!, 2, { inverse: { index: back!, mask: kept } }),
      inputs: [
        ['n', 2, 'm'],
        integers([
          [4, 0],
          [1, 2],
        ]),
        { ...integers([1, 2, 3, 0, 0]), shape: ['m'] },
        { shape: ['m'], values: [1, 1, 1, 0, 1], none: true },
      ],
      lengths,
    },
    {
      title: 'the way back is known along an axis within',
      build: (g, x, index, back, kept) => g.gather(x!, index!, 1, { inverse: { index: back!, mask: kept } }),
      inputs: [
        ['n', 'm', 2],
        integers([3, 0]),
        { ...integers([1, 0, 0, 0, 0]), shape: ['m'] },
        { shape: ['m'], values: [1, 0, 0, 1, 0], none: true },
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
  ScatterElements: [
    ...combined,
    ...(['none', 'add'] as const).flatMap((reduction): readonly Case[] => [
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
  ],
} satisfies Cases
