import type { LoweringTable } from './Lowering'

/** Functions of each element. */
export const elementwise: LoweringTable = {
  HardSwish: {
    how: 'x · min(max(x / 6 + ½, 0), 1)',
    lower: ({ graph: g, input }) => g.mul(input(0), g.min(g.max(g.add(g.mul(input(0), 1 / 6), 0.5), 0), 1)),
  },
}
