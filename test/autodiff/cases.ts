import type { OpName } from '../../src/onnx/operators'
import { elementwise } from './cases/elementwise'
import { indexing } from './cases/indexing'
import { movement } from './cases/movement'
import type { Case } from './cases/parts'
import { products } from './cases/products'
import { reductions } from './cases/reductions'

/** What proves each row of the table: by operator, at least one case that has it in its graph. */
export const cases: { readonly [Op in OpName]: readonly Case[] } = {
  ...elementwise,
  ...products,
  ...reductions,
  ...indexing,
  ...movement,
}
