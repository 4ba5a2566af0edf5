// rows → their order, and the rows to train and to test on, as `datasets` draws them
import { TrainerError } from '../errors'
import { compareCodePoints } from './classNames'
import { columnValues } from './columns'
import { NumpyGenerator } from './numpyGenerator'
import { checkOptions } from '../options'
import { sequentialOrder } from './sampler'
import { columnOf, type Table } from './table'

/** Options of `Dataset.shuffle`. */
export interface ShuffleOptions {
  /** The same seed gives the same order, that of Python's `datasets`; 42 by default. */
  readonly seed?: number
}

/** Options of `Dataset.trainTestSplit`. */
export interface SplitOptions extends ShuffleOptions {
  /** Rows to test on: a share below 1 or a number of rows; what `trainSize` leaves, or 0.25 by default. */
  readonly testSize?: number
  /** Rows to train on, a share below 1 or a number of rows; by default all that are not tested on. */
  readonly trainSize?: number
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
 * A table's rows in random order: NumPy's `default_rng(seed).permutation`, as `datasets` has it.
 * @throws TrainerError for an unknown option or a seed that is not a whole number.
 */
export function shuffledOrder(rows: number, options: ShuffleOptions | number): Int32Array {
  const named = typeof options === 'number' ? { seed: options } : options
  checkOptions(named, ['seed'], 'shuffle()')
  return new NumpyGenerator(named.seed ?? 42).permutation(rows)
}

/**
 * The rows of a table to train and to test on, in random order by default.
 * @throws TrainerError when either part would be empty or a class cannot be in both; for an unknown option or column.
 */
export function splitTable(table: Table, options: SplitOptions): Split {
  checkOptions(options, ['testSize', 'trainSize', 'seed', 'shuffle', 'stratifyByColumn'], 'trainTestSplit()')
  const { seed = 42, shuffle = true, stratifyByColumn } = options
  if (typeof shuffle !== 'boolean')
    throw new TrainerError('argument', `shuffle must be true or false, not ${JSON.stringify(shuffle)}.`)
  const sizes = splitSizes(table.length, options)
  const classes = stratifyByColumn === undefined ? undefined : columnValues(columnOf(table, stratifyByColumn))
  if (classes !== undefined) {
    const rowsOfClasses = rowsByClass(classes, sizes)
    return shuffle ? drawStratified(rowsOfClasses, sizes, seed) : keepStratified(rowsOfClasses, sizes)
  }
  const { train, test } = sizes
  if (!shuffle) {
    const order = sequentialOrder(table.length)
    return { train: order.slice(0, train), test: order.slice(train, train + test) }
  }
  const order = new NumpyGenerator(seed).permutation(table.length)
  return { train: order.slice(test, test + train), test: order.slice(0, test) }
}

interface Sizes {
  readonly train: number
  readonly test: number
}

/** @throws TrainerError when a size is not a share or a number of rows, or when either part would be empty. */
function splitSizes(rows: number, { testSize, trainSize }: SplitOptions): Sizes {
  const wantedTest = testSize ?? (trainSize === undefined ? 0.25 : undefined)
  const train = trainSize === undefined ? undefined : trainSize < 1 ? Math.floor(rows * trainSize) : trainSize
  const test = wantedTest === undefined ? rows - train! : wantedTest < 1 ? Math.ceil(rows * wantedTest) : wantedTest
  for (const [name, size] of Object.entries({ testSize, trainSize }))
    if (size !== undefined && typeof size !== 'number')
      throw new TrainerError('argument', `${name} must be a number, not ${JSON.stringify(size)}.`)
  const isSize = (size: number): boolean => Number.isInteger(size) && size > 0 && size < rows
  if (!isSize(test) || !isSize(train ?? rows - test)) {
    const wrong = wantedTest === undefined || isSize(test) ? `trainSize ${trainSize}` : `testSize ${wantedTest}`
    throw new TrainerError(
      'argument',
      `${wrong} of ${rows} rows leaves nothing to train or nothing to test on.`,
      rows < 2 ? {} : { fix: `Give a share between 0 and 1, or a number of rows from 1 to ${rows - 1}.` },
    )
  }
  const shares = wantedTest! < 1 && trainSize! < 1 && wantedTest! + trainSize! > 1
  if (shares || test + (train ?? 0) > rows) {
    throw new TrainerError('argument', `testSize ${testSize} and trainSize ${trainSize} exceed the ${rows} rows.`, {
      fix: 'Make one smaller, or leave it out.',
    })
  }
  return { train: train ?? rows - test, test }
}

/**
 * The rows of each class, in the order of the classes: numbers by value, then texts by code point, missing ones last.
 * @throws TrainerError when a class has a single row, or a part has fewer rows than there are classes.
 */
function rowsByClass(classes: readonly unknown[], sizes: Sizes): number[][] {
  const rows = new Map<unknown, number[]>()
  for (const [row, value] of classes.entries()) {
    const name = value ?? null
    if (!rows.has(name)) rows.set(name, [])
    rows.get(name)!.push(row)
  }
  checkClasses(rows, sizes)
  return [...rows].sort(([a], [b]) => compareClasses(a, b)).map(([, own]) => own)
}

function compareClasses(a: unknown, b: unknown): number {
  const rank = (value: unknown): number => (value === null ? 2 : typeof value === 'string' ? 1 : 0)
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  return typeof a === 'string' ? compareCodePoints(a, String(b)) : Number(a) - Number(b)
}

function checkClasses(rows: ReadonlyMap<unknown, readonly number[]>, { train, test }: Sizes): void {
  const single = [...rows].find(([, own]) => own.length < 2)
  if (single !== undefined) {
    throw new TrainerError('argument', `Class ${String(single[0])} has only one row, which cannot be in both parts.`, {
      fix: 'Leave that row out, or split without stratifyByColumn.',
    })
  }
  if (Math.min(test, train) < rows.size) {
    throw new TrainerError(
      'argument',
      `Testing on ${test} of ${train + test} rows leaves one part with fewer rows than there are classes, ` +
        `${rows.size}.`,
      { fix: 'Choose another testSize, or split without stratifyByColumn.' },
    )
  }
}

/** The split of `datasets`, which is that of scikit-learn with NumPy's newer generator. */
function drawStratified(classes: readonly (readonly number[])[], sizes: Sizes, seed: number): Split {
  const generator = new NumpyGenerator(seed)
  const shares = shareOut(classes, sizes, generator)
  const orders = classes.map(rows => Array.from(generator.permutation(rows.length), place => rows[place]!))
  const { train, test } = cutClasses(orders, shares)
  const mixed = (rows: readonly number[]): Int32Array => generator.permutation(rows.length).map(place => rows[place]!)
  return { train: mixed(train), test: mixed(test) }
}

/** The same shares without chance: the first rows of each class are trained on, those behind them tested on. */
function keepStratified(classes: readonly (readonly number[])[], sizes: Sizes): Split {
  const { train, test } = cutClasses(classes, shareOut(classes, sizes))
  return { train: Int32Array.from(train).sort(), test: Int32Array.from(test).sort() }
}

/** How many rows of each class are trained on, and how many tested on. */
interface Shares {
  readonly trained: readonly number[]
  readonly tested: readonly number[]
}

function shareOut(classes: readonly (readonly number[])[], sizes: Sizes, generator?: NumpyGenerator): Shares {
  const counts = classes.map(rows => rows.length)
  const trained = sharesOf(counts, sizes.train, generator)
  const left = counts.map((count, at) => count - trained[at]!)
  return { trained, tested: sharesOf(left, sizes.test, generator) }
}

/** The first rows of each class to train on, those behind them to test on. */
function cutClasses(
  classes: readonly (readonly number[])[],
  { trained, tested }: Shares,
): { readonly train: number[]; readonly test: number[] } {
  return {
    train: classes.flatMap((rows, at) => rows.slice(0, trained[at])),
    test: classes.flatMap((rows, at) => rows.slice(trained[at], trained[at]! + tested[at]!)),
  }
}

/**
 * How many of `size` rows each class gets: its share, rounded down; the rows left over go to the classes with the
 * largest remainders. Among equal remainders the generator chooses, or without one the first do.
 */
function sharesOf(counts: readonly number[], size: number, generator?: NumpyGenerator): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0)
  const shares = counts.map(count => (size * count) / all)
  const given = shares.map(Math.floor)
  const remainders = shares.map((share, at) => share - given[at]!)
  let left = size - given.reduce((sum, count) => sum + count, 0)
  for (const remainder of [...new Set(remainders)].sort((a, b) => b - a)) {
    if (left <= 0) break
    const equal = remainders.flatMap((other, at) => (other === remainder ? [at] : []))
    const adding = Math.min(equal.length, left)
    const places = generator?.choice(equal.length, adding) ?? sequentialOrder(adding)
    for (const place of places) given[equal[place]!]!++
    left -= adding
  }
  return given
}
