// the stages of a stream of rows: each opens the one before it anew for every pass
import { TrainerError } from '../errors'
import { castOf, Misfit } from './castCells'
import { shown } from '../options'
import type { Features } from './features'
import { fileRows, type StreamedFile, type StreamedRow } from './iterableFiles'
import { NumpyGenerator } from './numpyGenerator'

/** How a stream is opened. */
export interface Opening {
  readonly epoch: number
  /** The generators that order the files, one after another. */
  readonly shuffles: readonly (() => NumpyGenerator)[]
  /** Which part of the files is read, and which part of that part. */
  readonly parts: readonly Part[]
}

interface Part {
  readonly index: number
  readonly count: number
}

/** A stream of rows that can be opened again and again. */
export interface Stage {
  /** What is known of the columns before a row is read. */
  readonly features: Features | undefined
  /** Whether Python has these rows in tables, which it shuffles in larger pieces. */
  readonly isTabular: boolean
  /** Whether the order of files is settled: that of rows depends on it. */
  readonly isOrderFixed: boolean
  /** How many files a part of it is read from. */
  fileCount(parts: readonly Part[]): number
  open(opening: Opening): AsyncIterable<StreamedRow>
}

/** The rows of files, one file after the other. */
export function filesStage(files: readonly StreamedFile[], features: Features | undefined): Stage {
  return {
    features,
    isTabular: true,
    isOrderFixed: false,
    fileCount: parts => partOf(files, parts).length,
    async *open({ shuffles, parts }) {
      let order = [...files.keys()]
      for (const generator of shuffles) order = Array.from(generator().permutation(order.length), at => order[at]!)
      for (const at of partOf(order, parts)) {
        const file = files[at]!
        yield* file.declared === undefined ? fileRows(file) : castRows(file, file.declared)
      }
    },
  }
}

/** A part of a list, one behind the other as long as can be equal, and of that a part again. */
function partOf<T>(list: readonly T[], parts: readonly Part[]): readonly T[] {
  return parts.reduce((left, { index, count }) => {
    const [size, more] = [Math.floor(left.length / count), left.length % count]
    const start = index * size + Math.min(index, more)
    return left.slice(start, start + size + (index < more ? 1 : 0))
  }, list)
}

/** The rows of a file, whose cells become what a card declares. */
async function* castRows(file: StreamedFile, declared: Features): AsyncGenerator<StreamedRow, void, undefined> {
  const wanted = file.options.columns ?? Object.keys(declared)
  const casts = wanted.map(name => [name, castOf(declared[name]!)] as const)
  let number = 0
  for await (const row of fileRows(file)) {
    const unknown = Object.keys(row).find(name => declared[name] === undefined)
    if (unknown !== undefined)
      throw new TrainerError('data', `${file.path} has a column '${unknown}', which its README.md does not declare.`)
    const cast: StreamedRow = {}
    for (const [name, make] of casts) cast[name] = made(make, row[name], `Column '${name}' of ${file.path}`, number)
    number++
    yield cast
  }
}

function made(make: (value: unknown) => unknown, value: unknown, place: string, row: number): unknown {
  try {
    return make(value)
  } catch (misfit) {
    if (!(misfit instanceof Misfit)) throw misfit
    throw new TrainerError(
      'data',
      `${place} holds ${shown(misfit.value)} at row ${row}; its README.md declares ${misfit.wanted}.`,
    )
  }
}

/** Rows that are made of those of another stage. */
export function derivedStage(
  source: Stage,
  rows: (source: AsyncIterable<StreamedRow>) => AsyncIterable<StreamedRow>,
  features: Features | undefined,
  isTabular = false,
): Stage {
  return { ...source, features, isTabular, open: opening => rows(source.open(opening)) }
}

/** The first rows of a stage, or those behind them: which they are must not change with the order of its files. */
export function windowStage(source: Stage, start: number, end: number): Stage {
  return {
    ...source,
    isOrderFixed: true,
    async *open({ epoch }) {
      if (end <= start) return
      let row = 0
      for await (const one of source.open({ epoch, shuffles: [], parts: [] })) {
        if (row++ >= start) yield one
        if (row >= end) return
      }
    },
  }
}

/**
 * The rows in a random order, by a buffer, as Python's `datasets` shuffles with this seed: when it is full its rows are
 * permuted, half of them are given, and half stay. Files come in a random order, up to ten of them at a time.
 */
export function shuffledStage(source: Stage, seed: number, bufferSize: number, most: number): Stage {
  const inputs = source.isOrderFixed ? 1 : most
  const chunk = source.isTabular ? Math.max(1, Math.floor(bufferSize / Math.max(inputs, 1))) : 1
  return {
    ...source,
    async *open({ epoch, shuffles, parts }) {
      const generator = generatorOf(seed, epoch)
      const opening = { epoch, parts, shuffles: [() => new NumpyGenerator(seed), ...shuffles] }
      let buffer: StreamedRow[] = []
      for await (const rows of interleaved(source, opening, inputs, chunk)) {
        for (const row of rows) buffer.push(row)
        if (buffer.length < bufferSize) continue
        const order = generator.permutation(buffer.length)
        const given = buffer.length - Math.floor(bufferSize / 2)
        for (let at = 0; at < given; at++) yield buffer[order[at]!]!
        buffer = Array.from(order.subarray(given), at => buffer[at]!)
      }
      for (const at of generator.permutation(buffer.length)) yield buffer[at]!
    },
  }
}

/** The generator of an epoch: of the first one that of the seed. */
function generatorOf(seed: number, epoch: number): NumpyGenerator {
  const generator = new NumpyGenerator(seed)
  return epoch === 0 ? generator : new NumpyGenerator(generator.integer63() - BigInt(epoch))
}

/** Rows of several files by turns, `size` of them from each. */
async function* interleaved(
  source: Stage,
  opening: Opening,
  most: number,
  size: number,
): AsyncGenerator<StreamedRow[], void, undefined> {
  const count = Math.min(source.fileCount(opening.parts), most)
  const openings =
    count <= 1
      ? [opening]
      : Array.from({ length: count }, (_, index) => ({ ...opening, parts: [...opening.parts, { index, count }] }))
  const streams = openings.map(one => batches(source.open(one), size))
  try {
    while (streams.length > 0) {
      for (const stream of [...streams]) {
        const { done, value } = await stream.next()
        if (done === true) streams.splice(streams.indexOf(stream), 1)
        else yield value
      }
    }
  } finally {
    for (const stream of streams) await stream.return()
  }
}

/** Rows in batches of a size, the last one maybe smaller. */
export async function* batches<Row>(rows: AsyncIterable<Row>, size: number): AsyncGenerator<Row[], void, undefined> {
  let batch: Row[] = []
  for await (const row of rows) {
    batch.push(row)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
