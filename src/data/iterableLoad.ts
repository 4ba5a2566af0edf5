// the files of splits → streams of their rows
import { TrainerError } from '../errors'
import type { Features } from './features'
import type { Found } from './findFiles'
import { checkReadOptions, type ReadOptions } from './formats'
import { IterableDataset } from './iterable'
import { fileFeatures } from './iterableFiles'
import { filesStage } from './iterableStages'
import { isWhole, type Slice } from './slices'
import type { DataSource } from './sources'

/**
 * Streams of some splits. Of parquet the footer of a split's first file is read, for its columns; nothing is fetched or
 * kept.
 */
export async function streamSplits(
  source: DataSource,
  found: Found,
  names: readonly string[],
  options: ReadOptions,
): Promise<Record<string, IterableDataset<object>>> {
  const reading = { ...found.options, ...options }
  checkReadOptions(
    reading,
    names.flatMap(name => found.splits[name]!),
  )
  const streams: Record<string, IterableDataset<object>> = {}
  for (const name of names) {
    const files = found.splits[name]!.map(path => ({ source, path, options: reading, declared: found.features }))
    const features = found.features ?? (await fileFeatures(files[0]!))
    streams[name] = new IterableDataset(filesStage(files, features && chosen(features, reading.columns)))
  }
  return streams
}

function chosen(features: Features, columns: readonly string[] | undefined): Features {
  return columns === undefined ? features : Object.fromEntries(columns.map(name => [name, features[name]!]))
}

/** @throws TrainerError (`argument`) for slices of a split, of which a stream does not know where they are, and several. */
export function refuseSlices(slices: readonly Slice[]): void {
  if (slices.length > 1)
    throw new TrainerError('argument', 'A stream is one of a single split, but split asks for several.', {
      fix: 'Leave it out, and take them by their names.',
    })
  const sliced = slices.find(slice => !isWhole(slice))
  if (sliced === undefined) return
  const { name, start, end } = sliced
  const steps = `${start === undefined ? '' : '.skip(…)'}${end === undefined ? '' : '.take(…)'}`
  throw new TrainerError('argument', `A stream has no slices, but split asks for one of '${name}'.`, {
    fix: `Write split: '${name}', and then ${steps}.`,
  })
}
