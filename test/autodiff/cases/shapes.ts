import { Tensor } from '../../../src/tensor'
import type { Build } from '../../helpers/writeGradients'
import { apply, type Cases, constant, lengths } from './case'

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

/** Other shapes of the same elements, and the shape itself. */
export const shapes = {
  Shape: [
    {
      title: 'nothing goes back',
      build: (g, x) => g.expand(g.constant(1, x!.dtype), x!),
      inputs: [constant('n', 2)],
      lengths,
    },
  ],
  Range: [
    {
      title: 'nothing goes back',
      build: (g, x) => {
        const [length] = g.node('Squeeze', [g.node('Shape', [x], { end: 1 })[0]!, g.integers([0])], {})
        const [places] = g.node('Range', [g.constant(0, 'int64'), length!, g.constant(1, 'int64')], {})
        return g.mul(g.sum(g.cast(places!, x!.dtype)), x!)
      },
      inputs: [['n', 2]],
      lengths,
    },
  ],
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
} satisfies Cases
