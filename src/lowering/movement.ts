import type { LoweringTable } from './Lowering'

/** What takes elements from one place to another. */
export const movement: LoweringTable = {}
