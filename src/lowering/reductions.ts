import { readingOpenAxes } from './broadcastGradient'
import type { LoweringTable } from './Lowering'
import { native } from './native'

/** Sums, means and their kin along axes. */
export const reductions: LoweringTable = {
  ReduceSum: readingOpenAxes({ how: 'as it is', carries: [0], lower: native }),
}
