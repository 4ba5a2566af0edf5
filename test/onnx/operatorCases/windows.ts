import { caseOf, type Cases, floats } from './case'

/** Uses of convolutions and pooling. */
export const windows = {
  Conv: [
    caseOf([floats('n', 3, 6, 5), floats(4, 3, 3, 2)], 'float32[n, 4, 4, 4]'),
    caseOf([floats('n', 3, 'm', 5), floats(4, 3, 3, 3), floats(4)], 'float32[n, 4, m, 3]', {
      pads: [1, 1, 1, 1],
      strides: [1, 2],
    }),
    caseOf([floats('n', 4, 7), floats(6, 2, 2)], 'float32[n, 6, 4]', {
      group: 2,
      pads: [1, 2],
      strides: [2],
      dilations: [3],
    }),
    caseOf([floats('n', 2, 4, 'm', 3), floats(2, 1, 2, 2, 2)], 'float32[n, 2, 3, ?, 2]', { group: 2 }),
    caseOf([floats(2, 'n', 5), floats(3, 'n', 2)], 'float32[2, 3, 4]'),
  ],
  ConvTranspose: [
    caseOf([floats('n', 3, 4, 5), floats(3, 2, 3, 2)], 'float32[n, 2, 6, 6]'),
    caseOf([floats('n', 4, 3, 4), floats(4, 3, 3, 3), floats(6)], 'float32[n, 6, 6, 9]', {
      group: 2,
      strides: [2, 2],
      pads: [1, 0, 1, 1],
      output_padding: [1, 1],
    }),
    caseOf([floats('n', 2, 'm'), floats(2, 1, 2)], 'float32[n, 1, ?]', { dilations: [2], strides: [3] }),
  ],
  MaxPool: [
    caseOf([floats('n', 2, 6, 5)], 'float32[n, 2, 3, 2]', { kernel_shape: [2, 2], strides: [2, 2] }),
    caseOf([floats('n', 2, 'm')], ['float32[n, 2, m]', 'int64[n, 2, m]'], { kernel_shape: [3], pads: [1, 1] }),
    caseOf([floats('n', 2, 7, 5)], ['float32[n, 2, 4, 2]', 'int64[n, 2, 4, 2]'], {
      kernel_shape: [2, 2],
      strides: [2, 2],
      dilations: [1, 2],
      ceil_mode: 1,
    }),
  ],
  AveragePool: [
    caseOf([floats('n', 2, 6, 5)], 'float32[n, 2, 3, 2]', { kernel_shape: [2, 2], strides: [2, 2] }),
    caseOf([floats('n', 2, 6)], 'float32[n, 2, 4]', { kernel_shape: [3], strides: [2], pads: [1, 2] }),
    caseOf([floats('n', 2, 'm', 4)], 'float32[n, 2, m, 5]', {
      kernel_shape: [3, 2],
      pads: [1, 1, 1, 1],
      count_include_pad: 1,
    }),
  ],
} satisfies Cases
