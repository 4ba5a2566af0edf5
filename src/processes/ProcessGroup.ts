/** Numbers that processes add up. */
export type Sums = Float32Array | Float64Array

/** Processes that train one model together, each on its share of the rows. One process is a group of one. */
export interface ProcessGroup {
  /** This process's number, from 0. */
  readonly rank: number
  /** How many processes there are. */
  readonly size: number
  /**
   * Replaces every number by its sum over all processes, in place and with the same bits in each of them. All processes
   * call it in the same order, with arrays of the same lengths.
   */
  allReduce(arrays: readonly Sums[]): Promise<void>
}

/** The group of this process alone. */
export const alone: ProcessGroup = { rank: 0, size: 1, allReduce: () => Promise.resolve() }
