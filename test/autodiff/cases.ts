import type { OpName } from '../../src/onnx/operators'
import { alongAxes } from './cases/alongAxes'
import type { Case } from './cases/case'
import { elementwise } from './cases/elementwise'
import { indexing } from './cases/indexing'
import { products } from './cases/products'
import { shapes } from './cases/shapes'
import { windows } from './cases/windows'

/** What proves each row of the table of gradients: for every operator, at least one case that has it in its graph. */
export const cases: { readonly [Op in OpName]: readonly Case[] } = {
  ...elementwise,
  ...products,
  ...alongAxes,
  ...indexing,
  ...shapes,
  ...windows,
}
