import type { ProcessGroup, Sums } from '../processes/ProcessGroup'

/**
 * Makes statistics those of the first process, whatever rows the others have seen: PyTorch's DistributedDataParallel does
 * so with its buffers.
 */
export async function shareFirst(group: ProcessGroup, statistics: readonly Sums[]): Promise<void> {
  if (statistics.length === 0) return
  if (group.rank > 0) for (const statistic of statistics) statistic.fill(0)
  await group.allReduce(statistics)
}
