import type { Attributes } from '../../../src/onnx/operators'
import { Tensor } from '../../../src/tensor'
import type { Build } from '../../helpers/writeGradients'
import { apply, type Case, type Cases, constant, lengths, only } from './case'

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

const norm = (kept: readonly number[], axis = -1, outputs = 3): Build =>
  only(kept, 'LayerNormalization', { axis, epsilon: 1e-5 }, outputs)
const skip = (kept: readonly number[], outputs = 4): Build =>
  only(kept, 'SkipLayerNormalization', { epsilon: 1e-5 }, outputs)

const running =
  (axis: number, attributes: Attributes['CumSum'] = {}): Build =>
  (g, x) =>
    g.node('CumSum', [x, g.constant(Tensor.from('int64', axis))], attributes)
const top =
  (k: number, kept: readonly number[], attributes: Attributes['TopK'] = {}): Build =>
  (g, x) => {
    const [values, index] = g.node('TopK', [x, g.integers([k])], attributes, 2)
    return [values, ...(kept.includes(1) ? [g.cast(index!, x!.dtype)] : [])]
  }

/** Operators along axes: softmax, normalization and reductions. */
export const alongAxes = {
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
    { title: 'statistics that were not saved', build: norm([0], -1, 1), inputs: [['n', 2, 6], [6], [6]], lengths },
    { title: 'gradients of all outputs', build: norm([0, 1, 2]), inputs: [['n', 2, 6], [6], [6]], lengths },
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
  CumSum: [
    { title: 'the last axis', build: running(-1), inputs: [['n', 4]], lengths },
    { title: 'a named axis, from the end', build: running(0, { reverse: 1 }), inputs: [['n', 2]], lengths },
    { title: 'what came before', build: running(1, { exclusive: 1 }), inputs: [[2, 4, 3]] },
    { title: 'what comes after', build: running(1, { exclusive: 1, reverse: 1 }), inputs: [['n', 4]], lengths },
  ],
  ArgMax: [
    {
      title: 'nothing goes back',
      build: (g, x) => g.cast(g.node('ArgMax', [x], { axis: 1 })[0]!, x!.dtype),
      inputs: [constant('n', 4)],
      lengths,
    },
  ],
  TopK: [
    { title: 'the largest of each row', build: top(2, [0, 1]), inputs: [['n', 5]], lengths },
    { title: 'the smallest, their places not read', build: top(2, [0], { axis: 0, largest: 0 }), inputs: [[4, 3]] },
    { title: 'of a named axis', build: top(2, [0], { axis: 0 }), inputs: [['m', 3]], lengths },
  ],
  ReduceSum: reduction('ReduceSum'),
  ReduceMean: reduction('ReduceMean'),
  ReduceMax: reduction('ReduceMax'),
  ReduceSumSquare: reduction('ReduceSumSquare'),
} satisfies Cases
