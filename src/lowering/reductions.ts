import type { LoweringTable } from './Lowering'

/** Sums, means and their kin along axes. */
export const reductions: LoweringTable = {}
