// rows → the rows to train and to test on
import { refuseUnknown, TrainerError } from '../errors'
import { columnValues } from './columns'
import { randomOrder, sequentialOrder, type ShuffleOptions } from './sampler'
import { columnOf, type Table } from './table'

/** Options of `Dataset.trainTestSplit`. */
export interface SplitOptions extends ShuffleOptions {
  /** Rows to test on: a share below 1 or a number of rows; 0.25 by default. */
  readonly testSize?: number
  /** false keeps the order: the last rows are the test rows. */
  readonly shuffle?: boolean
  /** A column of classes, which then are as frequent in both parts as in the whole. */
  readonly stratifyByColumn?: string
}

/** The rows' numbers, each in one of the two. */
export interface Split {
  readonly train: Int32Array
  readonly test: Int32Array
}

/**
 * The rows of a table to train and to test on, in random order by default.
 * @throws TrainerError when either part would be empty or a class cannot be in both; for an unknown option or column.
 */
export function splitTable(table: Table, options: SplitOptions): Split {
  refuseUnknown(options, ['testSize', 'seed', 'shuffle', 'stratifyByColumn'], 'trainTestSplit()')
  const { testSize = 0.25, seed = 42, shuffle = true, stratifyByColumn } = options
  const order = shuffle ? randomOrder(table.length, seed) : sequentialOrder(table.length)
  const classes = stratifyByColumn === undefined ? undefined : columnValues(columnOf(table, stratifyByColumn))
  return splitRows(order, testSize, classes)
}

/**
 * Cuts rows in two, the last ones for testing; with classes, those of each class in proportion, as scikit-learn does
 * for Hugging Face.
 * @param order the rows' numbers, shuffled or not.
 * @param classes the class of each row, by its number.
 * @throws TrainerError when either part would be empty; with classes also when one has a single row, or a part has
 * fewer rows than there are classes.
 */
function splitRows(order: Int32Array, testSize: number, classes?: ArrayLike<unknown>): Split {
  const size = testSize < 1 ? Math.ceil(order.length * testSize) : testSize
  if (!Number.isInteger(size) || size <= 0 || size >= order.length) {
    throw new TrainerError(
      'argument',
      `testSize ${testSize} of ${order.length} rows leaves nothing to train or nothing to test on.`,
      { fix: `Give a share between 0 and 1, or a number of rows from 1 to ${order.length - 1}.` },
    )
  }
  if (classes === undefined)
    return { train: order.slice(0, order.length - size), test: order.slice(order.length - size) }
  const tested = stratifiedTestRows(order, size, classes)
  return { train: order.filter(row => !tested.has(row)), test: order.filter(row => tested.has(row)) }
}

/** The last rows of each class, as many as its share. */
function stratifiedTestRows(order: Int32Array, size: number, classes: ArrayLike<unknown>): Set<number> {
  const left = testCounts(order, size, classes)
  const tested = new Set<number>()
  for (const row of order.toReversed()) {
    const wanted = left.get(classes[row])!
    if (wanted > 0) tested.add(row)
    left.set(classes[row], wanted - 1)
  }
  return tested
}

/**
 * How many rows of each class are tested on: their shares, rounded down; the rows left over go to the classes with the
 * largest remainders.
 */
function testCounts(order: Int32Array, size: number, classes: ArrayLike<unknown>): Map<unknown, number> {
  const counts = new Map<unknown, number>()
  for (const row of order) counts.set(classes[row], (counts.get(classes[row]) ?? 0) + 1)
  checkClasses(counts, size, order.length)
  const shares = [...counts].map(([name, rows]) => ({
    name,
    rows: Math.floor((size * rows) / order.length),
    rest: (size * rows) % order.length,
  }))
  const missing = size - shares.reduce((sum, { rows }) => sum + rows, 0)
  const first = new Set(shares.toSorted((a, b) => b.rest - a.rest).slice(0, missing))
  return new Map(shares.map(share => [share.name, share.rows + Number(first.has(share))]))
}

function checkClasses(counts: ReadonlyMap<unknown, number>, size: number, rows: number): void {
  const single = [...counts].find(([, count]) => count < 2)
  if (single !== undefined) {
    throw new TrainerError('argument', `Class ${String(single[0])} has only one row, which cannot be in both parts.`, {
      fix: 'Leave that row out, or split without stratifyByColumn.',
    })
  }
  if (Math.min(size, rows - size) < counts.size) {
    throw new TrainerError(
      'argument',
      `Testing on ${size} of ${rows} rows leaves one part with fewer rows than there are classes, ${counts.size}.`,
      { fix: 'Choose another testSize, or split without stratifyByColumn.' },
    )
  }
}
