// rows → the rows to train and to test on
import { TrainerError } from '../errors'

/** The rows' numbers, each in one of the two. */
export interface Split {
  readonly train: Int32Array
  readonly test: Int32Array
}

/**
 * Cuts rows in two, the last ones for testing; with classes, those of each class in proportion, as scikit-learn does
 * for Hugging Face.
 * @param order the rows' numbers, shuffled or not
 * @param classes the class of each row, by its number
 * @throws TrainerError when either part would be empty; with classes also when one has a single row, or a part fewer
 * rows than there are classes.
 */
export function splitRows(order: Int32Array, testSize: number, classes?: ArrayLike<unknown>): Split {
  const size = testSize < 1 ? Math.ceil(order.length * testSize) : testSize
  if (!Number.isInteger(size) || size <= 0 || size >= order.length) {
    throw new TrainerError(
      'argument',
      `testSize ${testSize} of ${order.length} rows leaves nothing to train or nothing to test on.`,
      {
        fix: `Give a share between 0 and 1, or a number of rows from 1 to ${order.length - 1}.`,
      },
    )
  }
  if (classes === undefined)
    return { train: order.slice(0, order.length - size), test: order.slice(order.length - size) }
  const left = testRowsOf(order, size, classes)
  const tested = new Set(
    order.toReversed().filter(row => {
      const wanted = left.get(classes[row])!
      left.set(classes[row], wanted - 1)
      return wanted > 0
    }),
  )
  return { train: order.filter(row => !tested.has(row)), test: order.filter(row => tested.has(row)) }
}

/**
 * How many rows of each class are tested on: their shares, cut to whole numbers, and the rows that are left to the
 * largest remainders.
 */
function testRowsOf(order: Int32Array, size: number, classes: ArrayLike<unknown>): Map<unknown, number> {
  const counts = new Map<unknown, number>()
  for (const row of order) counts.set(classes[row], (counts.get(classes[row]) ?? 0) + 1)
  const [rarest, count] = [...counts].reduce((least, entry) => (entry[1] < least[1] ? entry : least))
  if (count < 2) {
    throw new TrainerError('argument', `Class ${String(rarest)} has one row only, which cannot be in both parts.`, {
      fix: 'Leave that row out, or split without stratifyByColumn.',
    })
  }
  if (Math.min(size, order.length - size) < counts.size) {
    throw new TrainerError(
      'argument',
      `${size} of ${order.length} rows to test on leave one part with fewer rows than there are classes, ${counts.size}.`,
      {
        fix: 'Choose another testSize, or split without stratifyByColumn.',
      },
    )
  }
  const shares = [...counts].map(([name, rows]) => ({
    name,
    rows: Math.floor((size * rows) / order.length),
    rest: (size * rows) % order.length,
  }))
  const missing = size - shares.reduce((sum, { rows }) => sum + rows, 0)
  const first = new Set(shares.toSorted((a, b) => b.rest - a.rest).slice(0, missing))
  return new Map(shares.map(share => [share.name, share.rows + Number(first.has(share))]))
}
