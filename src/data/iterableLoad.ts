// the files of splits → streams of their rows
import { TrainerError } from '../errors'
import type { Features } from './features'
import type { Found } from './findFiles'
import { checkReadOptions, type ReadOptions } from './formats'
import { IterableDataset } from './iterable'
import { fileFeatures } from './iterableFiles'
import { filesStage } from './iterableStages'
import type { Slice } from './slices'
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

/** @throws TrainerError (`argument`) for a slice of a split: where it begins and ends is not known of a stream. */
export function refuseSlice({ name, start, end }: Slice): void {
  if (start === undefined && end === undefined) return
  const steps = `${start === undefined ? '' : '.skip(…)'}${end === undefined ? '' : '.take(…)'}`
  throw new TrainerError('argument', `A stream has no slices, but split asks for one of '${name}'.`, {
    fix: `Write split: '${name}', and then ${steps}.`,
  })
}
