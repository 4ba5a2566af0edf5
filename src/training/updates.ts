// batches → updates: the micro-batches of one step, and where their rows stand in it
import { TrainerError } from '../errors'
import { numberRows, numbersFrom, rowLengths } from '../feeds/rowNumbers'
import type { ProcessGroup } from '../processes/ProcessGroup'
import type { LoadedBatch } from './LoadedBatch'
import type { MicroBatch } from './MicroBatch'
import type { LabelledFeed } from './LabelledFeed'

/** The micro-batches of one update, in this process. */
export interface Update {
  readonly batches: readonly LoadedBatch[]
  /** Micro-batches of the epoch that are done with this update. */
  readonly done: number
}

/** How batches become updates. */
export interface UpdateOptions {
  /** Micro-batches in an update. */
  readonly size: number
  /** Micro-batches of the epoch that are done before the first one. */
  readonly start: number
  /** Micro-batches in the epoch, where that is known: with the last one an update ends. */
  readonly end: number | undefined
}

/** The updates of an epoch. */
export async function* updatesOf(
  loaded: AsyncIterable<LoadedBatch>,
  { size, start, end }: UpdateOptions,
): AsyncGenerator<Update> {
  let batches: LoadedBatch[] = []
  let done = start
  for await (const batch of loaded) {
    batches.push(batch)
    done++
    if (batches.length < size && done !== end) continue
    yield { batches, done }
    batches = []
  }
  if (batches.length > 0) yield { batches, done }
}

/** What processes have to agree on before an update runs: how many labels count in it, and where each row stands. */
export type PlaceInUpdate = Pick<MicroBatch, 'count' | 'counts' | 'numbers'>

/**
 * The places of an update's micro-batches in the whole update, which every process has a share of: its micro-batch i is
 * number i · size + rank.
 * @param most micro-batches in an update of any process, and rows in a micro-batch: at the end of an epoch one process
 * may have fewer than another, but each has to have as many updates.
 */
export async function placesInUpdate(
  feeds: readonly LabelledFeed[],
  group: ProcessGroup,
  most: { readonly microBatches: number; readonly rows: number },
): Promise<readonly PlaceInUpdate[]> {
  const rows = Math.max(most.rows, ...feeds.map(({ places }) => places.order.length))
  if (rows > most.rows && group.size > 1) throw tooManyRows(rows, most.rows)
  const startOf = (index: number): number => (index * group.size + group.rank) * rows
  // one vector, so that one exchange does: the labels that count, of each loss too where there are several, and the
  // length of each row that there may be
  const columns = Object.keys(feeds[0]?.labels?.counts ?? {})
  const firstLength = 1 + columns.length
  const shared = new Float64Array(firstLength + most.microBatches * group.size * rows)
  feeds.forEach((feed, index) => {
    shared[0]! += feed.labels?.count ?? 0
    columns.forEach((column, i) => (shared[1 + i]! += feed.labels?.counts?.[column] ?? 0))
    shared.set(rowLengths(feed.places), firstLength + startOf(index))
  })
  await group.allReduce([shared])
  const numbers = numberRows(shared.subarray(firstLength))
  return feeds.map(({ places }, index) => ({
    count: shared[0]!,
    counts: Object.fromEntries(columns.map((column, i) => [column, shared[1 + i]!])),
    numbers: numbersFrom(numbers, startOf(index), places.order.length),
  }))
}

function tooManyRows(rows: number, batchSize: number): TrainerError {
  return new TrainerError('data', `A batch has ${rows} rows, but perDeviceTrainBatchSize is ${batchSize}.`, {
    fix: 'Processes that train together need batches of at most that many rows.',
  })
}
