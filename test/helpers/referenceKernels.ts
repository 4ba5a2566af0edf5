import type { OpName } from '../../src/onnx/operators'
import { alongAxes } from './referenceKernels/alongAxes'
import { elementwise } from './referenceKernels/elementwise'
import { indexing } from './referenceKernels/indexing'
import type { Kernel } from './referenceKernels/Kernel'
import { products } from './referenceKernels/products'
import { shapes } from './referenceKernels/shapes'
import { windows } from './referenceKernels/windows'

/** The kernels: one for every operator of the table. */
export const kernels: { readonly [Op in OpName]: Kernel<Op> } = {
  ...elementwise,
  ...products,
  ...alongAxes,
  ...indexing,
  ...shapes,
  ...windows,
}
