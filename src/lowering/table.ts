import { elementwise } from './elementwise'
import type { LoweringTable } from './Lowering'
import { movement } from './movement'
import { products } from './products'
import { reductions } from './reductions'
import { shapes } from './shapes'

/**
 * THE table of how other programs' operators are written in ours: operator → rule, the twin of the table of gradients.
 * An operator of our own table that means the same in every opset has no row: it is written as it is.
 */
export const lowerings: LoweringTable = { ...elementwise, ...movement, ...products, ...reductions, ...shapes }
