import { apply, type Cases, lengths, only } from './case'

/** Convolutions and pooling. */
export const windows = {
  Conv: [
    { title: 'one axis', build: apply('Conv'), inputs: [[2, 3, 5], [4, 3, 2], [4]] },
    {
      title: 'no bias',
      build: apply('Conv'),
      inputs: [
        ['n', 3, 5],
        [4, 3, 2],
      ],
      lengths,
    },
    {
      title: 'two axes, what no window reads, padding',
      build: apply('Conv', { strides: [2, 3], pads: [1, 0, 0, 2] }),
      inputs: [['n', 2, 6, 7], [3, 2, 2, 3], [3]],
      lengths,
    },
    {
      title: 'dilations and groups',
      build: apply('Conv', { strides: [2, 1], dilations: [1, 2], pads: [1, 1, 1, 1], group: 2 }),
      inputs: [['n', 4, 5, 6], [6, 2, 2, 3], [6]],
      lengths,
    },
    {
      title: 'each channel of its own',
      build: apply('Conv', { group: 3, pads: [1, 1, 1, 1] }),
      inputs: [
        [2, 3, 4, 4],
        [6, 1, 3, 3],
      ],
    },
    {
      title: 'lengths with names, and strides',
      build: apply('Conv', { strides: [2, 2], pads: [1, 1, 1, 1], group: 2 }),
      inputs: [['n', 4, 'm', 'n'], [2, 2, 3, 2], [2]],
      lengths,
    },
    {
      title: 'lengths with names that stay',
      build: apply('Conv', { pads: [1, 1] }),
      inputs: [
        ['n', 2, 'm'],
        [3, 2, 3],
      ],
      lengths,
    },
    {
      title: 'three axes',
      build: apply('Conv', { strides: [1, 2, 1] }),
      inputs: [
        ['n', 2, 3, 4, 3],
        [2, 2, 2, 1, 3],
      ],
      lengths,
    },
  ],
  ConvTranspose: [
    { title: 'one axis', build: apply('ConvTranspose'), inputs: [[2, 3, 4], [3, 2, 3], [2]] },
    {
      title: 'strides, padding, groups, and more at the end',
      build: apply('ConvTranspose', { strides: [2, 3], pads: [1, 0, 1, 1], output_padding: [1, 2], group: 2 }),
      inputs: [['n', 4, 3, 2], [4, 3, 3, 2], [6]],
      lengths,
    },
    {
      title: 'dilations',
      build: apply('ConvTranspose', { dilations: [3] }),
      inputs: [
        ['n', 2, 3],
        [2, 1, 2],
      ],
      lengths,
    },
    {
      title: 'lengths with names',
      build: apply('ConvTranspose', { strides: [2, 1], pads: [0, 1, 1, 0] }),
      inputs: [['n', 2, 'm', 'n'], [2, 3, 3, 2], [3]],
      lengths,
    },
  ],
  MaxPool: [
    {
      title: 'windows that meet',
      build: only([0], 'MaxPool', { kernel_shape: [2, 2], strides: [2, 2] }, 2),
      inputs: [['n', 2, 4, 5]],
      lengths,
    },
    {
      title: 'windows that overlap, places not asked for',
      build: apply('MaxPool', { kernel_shape: [3], pads: [1, 1] }),
      inputs: [['n', 2, 'm']],
      lengths,
    },
    {
      title: 'gaps, and windows that hang over',
      build: apply('MaxPool', { kernel_shape: [2, 3], strides: [2, 2], dilations: [2, 1], ceil_mode: 1 }),
      inputs: [[2, 1, 6, 6]],
    },
    {
      title: 'lengths with names, strides, and windows that hang over',
      build: apply('MaxPool', { kernel_shape: [3, 2], strides: [2, 3], pads: [1, 0, 1, 1], ceil_mode: 1 }),
      inputs: [['n', 2, 'm', 'm']],
      lengths,
    },
    {
      title: 'strides longer than windows, and elements that none reads',
      build: apply('MaxPool', { kernel_shape: [2], strides: [4], pads: [1, 0] }),
      inputs: [[2, 1, 9]],
    },
    {
      title: 'three axes',
      build: apply('MaxPool', { kernel_shape: [2, 1, 3], strides: [1, 2, 2], pads: [1, 0, 1, 0, 0, 1] }),
      inputs: [['n', 1, 3, 3, 5]],
      lengths,
    },
    {
      title: 'long windows that meet',
      build: apply('MaxPool', { kernel_shape: [9], strides: [9], pads: [4, 0] }),
      inputs: [['n', 2, 16]],
      lengths,
    },
    {
      title: 'one window over a whole axis',
      build: apply('MaxPool', { kernel_shape: [10, 1] }),
      inputs: [[1, 2, 11, 2]],
    },
  ],
  AveragePool: [
    {
      title: 'windows that meet',
      build: apply('AveragePool', { kernel_shape: [2, 2], strides: [2, 2] }),
      inputs: [['n', 2, 4, 5]],
      lengths,
    },
    {
      title: 'padding that does not count',
      build: apply('AveragePool', { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 1, 0, 1] }),
      inputs: [['n', 2, 5, 4]],
      lengths,
    },
    {
      title: 'padding that counts',
      build: apply('AveragePool', { kernel_shape: [3], pads: [1, 1], count_include_pad: 1 }),
      inputs: [['n', 2, 5]],
      lengths,
    },
    {
      title: 'lengths with names, and strides',
      build: apply('AveragePool', { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 0] }),
      inputs: [['n', 2, 'm', 'n']],
      lengths,
    },
  ],
} satisfies Cases
