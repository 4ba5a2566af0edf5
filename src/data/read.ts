// path → rows: datasets from files, from folders laid out like the Hub's, and from arrays
import { TrainerError } from '../errors'
import { declareColumns } from './cardFeatures'
import { Dataset, DatasetDict } from './dataset'
import type { Features } from './features'
import { severalConfigurations } from './configurations'
import { findSplits, type DataFiles, type Found } from './findFiles'
import { checkReadOptions, readColumns, readOptions, type FileColumns, type ReadOptions } from './formats'
import { joinFiles } from './joinFiles'
import { checkFlag, checkOptions, shown } from '../options'
import { IterableDatasetDict, type IterableDataset } from './iterable'
import { refuseSlices, streamSplits } from './iterableLoad'
import { type HubOptions, hubOptionNames } from '../hub/connection'
import { openSource } from './openSource'
import type { LooseRow } from './rows'
import { joinSlices } from './joinSplits'
import { parseSplit, slicesOf } from './slices'
import type { DataSource } from './sources'
import { tableOfRows, type Table } from './table'

/**
 * Options of {@link loadDataset}. `revision`, `token`, `cacheDir`, `localFilesOnly` and `forceDownload` are those of a repository of the
 * Hub.
 */
export interface LoadOptions extends ReadOptions, HubOptions {
  /**
   * The split to load, as a Dataset: 'train', a slice of one ('train[:100]', 'train[10%:20%]'), several one after the
   * other ('train+validation[:50]'), or 'all'. Without it, all splits come as a DatasetDict.
   */
  readonly split?: string
  /** Files or patterns by split (without names of splits 'train'), relative to the path if that is a folder or an id. */
  readonly dataFiles?: DataFiles
  /** The folder of the path or the repository that holds the files; its card does not count then. */
  readonly dataDir?: string
  /** The configuration, if it is not the second argument. */
  readonly name?: string
  /** Whether rows are read while they are used, as an IterableDataset, in place of all at once. Default false. */
  readonly streaming?: boolean
}

type Streaming = LoadOptions & { readonly streaming: true }

type Rows<Row> = readonly Row[] | Readonly<Record<string, readonly Row[]>>

/**
 * Loads a dataset: from a file (parquet, CSV, TSV, JSON Lines, JSON, text; also compressed), from a folder, from the Hub
 * by its id (`org/name`), or from rows in memory (an array of objects gives a Dataset, a record of arrays a
 * DatasetDict). What is the path of something is not looked for on the Hub.
 *
 * A folder or a repository has what its card (the YAML of README.md) says: configurations, of which the second argument
 * names one, files by split, and columns. Without a card the names of folders and files tell the splits
 * (`train/a.csv`, `dev.tsv`, `data/NAME-00000-of-00001.parquet`, …), and a configuration is a folder. Of a repository
 * only the files of the wanted splits are fetched, into the cache that Python uses too. A loading script (.py) is not
 * run: then the rows are those that the Hub has converted to parquet.
 *
 * With `streaming: true` the rows are read while they are used, of the Hub too: nothing is downloaded that is not read.
 *
 * All splits come as a DatasetDict, or with `split` that one as a Dataset. A single file is the split 'train'.
 * @throws TrainerError when nothing is found (listing what there is), for what the Hub refuses, or naming the file and
 * line that cannot be read.
 *
 * @example
 * const dataset = await loadDataset('nyu-mll/glue', 'mrpc')
 * const some = await loadDataset('nyu-mll/glue', 'mrpc', { split: 'train[:10%]' })
 */
export function loadDataset<Row extends object = LooseRow>(
  path: string,
  options: Streaming & { split: string },
): Promise<IterableDataset<Row>>
export function loadDataset<Row extends object = LooseRow>(
  path: string,
  configuration: string | undefined,
  options: Streaming & { split: string },
): Promise<IterableDataset<Row>>
export function loadDataset<Row extends object = LooseRow>(
  path: string,
  options: Streaming,
): Promise<IterableDatasetDict<Row>>
export function loadDataset<Row extends object = LooseRow>(
  path: string,
  configuration: string | undefined,
  options: Streaming,
): Promise<IterableDatasetDict<Row>>
export function loadDataset<Row extends object>(rows: readonly Row[], options?: LoadOptions): Promise<Dataset<Row>>
export function loadDataset<Row extends object>(
  splits: Readonly<Record<string, readonly Row[]>>,
  options: LoadOptions & { split: string },
): Promise<Dataset<Row>>
export function loadDataset<Row extends object>(
  splits: Readonly<Record<string, readonly Row[]>>,
  options?: LoadOptions,
): Promise<DatasetDict<Row>>
export function loadDataset<Row extends object = LooseRow>(
  path: string,
  options: LoadOptions & { split: string },
): Promise<Dataset<Row>>
export function loadDataset<Row extends object = LooseRow>(
  path: string,
  configuration: string | undefined,
  options: LoadOptions & { split: string },
): Promise<Dataset<Row>>
export function loadDataset<Row extends object = LooseRow>(
  path: string,
  configuration?: string,
  options?: LoadOptions,
): Promise<DatasetDict<Row>>
export function loadDataset<Row extends object = LooseRow>(
  path: string,
  options?: LoadOptions,
): Promise<DatasetDict<Row>>
export async function loadDataset(
  source: string | Rows<object>,
  configurationOrOptions?: string | LoadOptions,
  more?: LoadOptions,
): Promise<Dataset<object> | DatasetDict<object> | IterableDataset<object> | IterableDatasetDict<object>> {
  const named = typeof configurationOrOptions === 'string' ? configurationOrOptions : undefined
  const options = more ?? (named === undefined ? ((configurationOrOptions ?? {}) as LoadOptions) : {})
  if (typeof source !== 'string') return fromMemory(source, options)
  if (more !== undefined && configurationOrOptions !== undefined && named === undefined)
    throw noName(configurationOrOptions)
  checkOptions(options, loadOptions, 'loadDataset()')
  if (named !== undefined && options.name !== undefined && options.name !== named)
    throw new TrainerError('argument', `loadDataset() is given two configurations, '${named}' and '${options.name}'.`)
  checkFlag(options.streaming, 'streaming')
  const wanted = options.split === undefined ? undefined : parseSplit(options.split)
  if (options.streaming === true) refuseSlices(wanted ?? [])
  const { source: place, dataFiles } = await openSource(source, options)
  const found = await findSplits(place, {
    configuration: named ?? options.name,
    dataFiles,
    dataDir: options.dataDir,
    splits: wanted?.map(({ name }) => name),
  })
  const names = Object.keys(found.splits)
  const slices = wanted && slicesOf(wanted, names, source)
  const chosen = slices === undefined ? names : [...new Set(slices.map(({ name }) => name))]
  if (options.streaming === true) {
    refuseSlices(slices ?? [])
    const streams = await streamSplits(place, found, chosen, options)
    return slices === undefined ? new IterableDatasetDict(streams) : streams[chosen[0]!]!
  }
  const tables = await readSplits(place, found, chosen, options)
  const made = ({ columns, features, length }: Table, split: string): Dataset<object> =>
    new Dataset(columns, features, length, {
      repository: place.repository?.id,
      configuration: found.configuration,
      split,
    })
  if (slices !== undefined)
    return made(joinSlices(slices, tables), slices === wanted ? options.split! : chosen.join('+'))
  return new DatasetDict(Object.fromEntries(names.map(name => [name, made(tables[name]!, name)])))
}

/** The rows of some splits; their files are fetched first, all at once. */
async function readSplits(
  source: DataSource,
  found: Found,
  names: readonly string[],
  options: LoadOptions,
): Promise<Record<string, Table>> {
  const reading = { ...found.options, ...options }
  const paths = names.flatMap(name => found.splits[name]!)
  checkReadOptions(reading, paths)
  const located = await source.locate(paths)
  const tables: [string, Table][] = []
  let at = 0
  for (const name of names) {
    const files = located.slice(at, (at += found.splits[name]!.length))
    tables.push([name, await readFiles(files, reading, found, source.name)])
  }
  return Object.fromEntries(tables)
}

function fromMemory(source: Rows<object>, options: LoadOptions): Dataset<object> | DatasetDict<object> {
  checkOptions(options, ['split'], 'loadDataset() of rows in memory')
  const { split } = options
  if (typeof source !== 'object' || source === null)
    throw new TrainerError('argument', `loadDataset() takes a path, an id or rows, not ${shown(source)}.`)
  if (Array.isArray(source)) {
    return joinedRows({ train: source as readonly object[] }, split ?? 'train', 'the rows')
  }
  const splits = source as Readonly<Record<string, readonly object[]>>
  if (split !== undefined) return joinedRows(splits, split, 'the record of rows')
  return new DatasetDict(
    Object.fromEntries(Object.entries(splits).map(([name, rows]) => [name, Dataset.fromRows(rows)])),
  )
}

function joinedRows(
  splits: Readonly<Record<string, readonly object[]>>,
  split: string,
  place: string,
): Dataset<object> {
  const slices = slicesOf(parseSplit(split), Object.keys(splits), place)
  const tables = Object.fromEntries(slices.map(({ name }) => [name, tableOfRows(splits[name]!)]))
  const { columns, features, length } = joinSlices(slices, tables)
  return new Dataset(columns, features, length)
}

/** The rows of a split's files, one file after the other, with the columns that a card declares. */
async function readFiles(
  files: readonly string[],
  options: ReadOptions,
  { features: declared, folders }: Found,
  source: string,
): Promise<Table> {
  const read: FileColumns[] = []
  for (const file of files) read.push(...(await readColumns(file, options)))
  const table = joined(read, options, declared, folders, source)
  const place = files.length === 1 ? files[0]! : `${files[0]} and the files behind it`
  return declared === undefined ? table : declareColumns(table, declared, place, options.columns)
}

/** The rows of files as one table. Folders whose files do not fit together are taken for configurations. */
function joined(
  files: readonly FileColumns[],
  options: ReadOptions,
  declared: Features | undefined,
  folders: readonly string[],
  source: string,
): Table {
  try {
    return joinFiles(files, options, declared)
  } catch (cause) {
    if (folders.length < 2 || !(cause instanceof TrainerError)) throw cause
    throw severalConfigurations(source, folders, cause.problem)
  }
}

const loadOptions = ['split', 'name', 'dataFiles', 'dataDir', 'streaming', ...hubOptionNames, ...readOptions]

function noName(configuration: unknown): TrainerError {
  return new TrainerError('argument', `The configuration is ${shown(configuration)}; its name was expected.`, {
    fix: 'Give the options once: loadDataset(path, options), or loadDataset(path, configuration, options).',
  })
}
