// path → rows: datasets from files, from folders laid out like the Hub's, and from arrays
import { TrainerError } from '../errors'
import { declareColumns } from './cardFeatures'
import { Dataset, DatasetDict } from './dataset'
import type { Features } from './features'
import { findSplits, type SplitFiles } from './findFiles'
import { checkReadOptions, readColumns, readOptions, type FileColumns, type ReadOptions } from './formats'
import { joinFiles } from './joinFiles'
import { checkOptions } from '../options'
import type { LooseRow } from './rows'

/** Options of {@link loadDataset}. */
export interface LoadOptions extends ReadOptions {
  /**
   * The split to load, as a Dataset: 'train', or a slice of one: 'train[:100]', 'train[10%:20%]'. Without it, all
   * splits come as a DatasetDict.
   */
  readonly split?: string
  /** Files by split (a single file is the split 'train'), relative to the path if that is a folder. */
  readonly dataFiles?: string | readonly string[] | Readonly<Record<string, string | readonly string[]>>
  /** The configuration, if it is not the second argument. */
  readonly name?: string
}

type Rows<Row> = readonly Row[] | Readonly<Record<string, readonly Row[]>>

/**
 * Loads a dataset: from a file (parquet, CSV, TSV, JSON Lines, JSON, text; also compressed by gzip or
 * zstd, or in a zip archive), from a folder laid out like a
 * repository of the Hub (`mrpc/train-00000-of-00001.parquet`, `data/train.csv`, `validation.jsonl`, `dev.tsv`, …) with
 * the name of a configuration if it has several, or from rows in memory (an array of objects gives a Dataset, a record
 * of arrays a DatasetDict).
 *
 * From files, all splits come as a DatasetDict, or with `split` that one as a Dataset. A single file is the split
 * 'train'.
 * @throws TrainerError when nothing is found (listing what there is), or naming the file and line that cannot be read.
 */
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
): Promise<Dataset<object> | DatasetDict<object>> {
  const named = typeof configurationOrOptions === 'string' ? configurationOrOptions : undefined
  const options = more ?? (named === undefined ? ((configurationOrOptions ?? {}) as LoadOptions) : {})
  if (typeof source !== 'string') return fromMemory(source, options)
  checkOptions(options, ['split', 'name', 'dataFiles', ...readOptions], 'loadDataset()')
  if (named !== undefined && options.name !== undefined && options.name !== named)
    throw new TrainerError('argument', `loadDataset() is given two configurations, '${named}' and '${options.name}'.`)
  const configuration = named ?? options.name
  const { splits, features, ...card } = await findSplits(source, configuration, options.dataFiles)
  const reading = { ...card.options, ...options }
  checkReadOptions(reading, Object.values(splits).flat())
  const read = (files: readonly string[]): Promise<Dataset<object>> => readFiles(files, reading, features)
  if (options.split === undefined) {
    const datasets: Record<string, Dataset<object>> = {}
    for (const [name, files] of Object.entries(splits)) datasets[name] = await read(files)
    return new DatasetDict(datasets)
  }
  const { name, start, end } = parseSplit(options.split)
  const files = (splits as Partial<SplitFiles>)[name]
  if (files === undefined) throw noSplit(name, Object.keys(splits), source)
  return slice(await read(files), start, end)
}

function fromMemory(source: Rows<object>, options: LoadOptions): Dataset<object> | DatasetDict<object> {
  checkOptions(options, ['split'], 'loadDataset() of rows in memory')
  const { split } = options
  if (Array.isArray(source)) {
    const { name, start, end } = parseSplit(split ?? 'train')
    if (name !== 'train') throw noSplit(name, ['train'], 'the rows')
    return slice(Dataset.fromRows(source as readonly object[]), start, end)
  }
  const splits = Object.fromEntries(
    Object.entries(source as Record<string, readonly object[]>).map(([name, rows]) => [name, Dataset.fromRows(rows)]),
  )
  if (split === undefined) return new DatasetDict(splits)
  const { name, start, end } = parseSplit(split)
  if (splits[name] === undefined) throw noSplit(name, Object.keys(splits), 'the record of rows')
  return slice(splits[name], start, end)
}

/** The rows of a split's files, one file after the other, with the columns that a card declares. */
async function readFiles(
  files: readonly string[],
  options: ReadOptions,
  declared: Features | undefined,
): Promise<Dataset<object>> {
  const read: FileColumns[] = []
  for (const file of files) read.push(...(await readColumns(file, options)))
  const table = joinFiles(read, options, declared)
  const place = files.length === 1 ? files[0]! : `${files[0]} and the files behind it`
  const { columns, features, length } =
    declared === undefined ? table : declareColumns(table, declared, place, options.columns)
  return new Dataset(columns, features, length)
}

interface Slice {
  readonly name: string
  readonly start: string | undefined
  readonly end: string | undefined
}

/** `train`, `train[10:20]`, `train[:5%]`. */
function parseSplit(written: string): Slice {
  const match = /^(\w[\w.-]*)(?:\[(-?\d+%?)?:(-?\d+%?)?\])?$/.exec(written)
  if (match === null) {
    throw new TrainerError('argument', `split is '${written}'; the name of a split or of a slice was expected.`, {
      fix: "Write 'train', 'train[:100]' or 'train[10%:20%]'.",
    })
  }
  return { name: match[1]!, start: match[2], end: match[3] }
}

/**
 * The rows of a slice; its ends are numbers of rows, or percentages if one of them is, counted from the end if negative.
 */
function slice(dataset: Dataset<object>, start: string | undefined, end: string | undefined): Dataset<object> {
  if (start === undefined && end === undefined) return dataset
  const { length } = dataset
  const inPercent = `${start}${end}`.includes('%')
  const place = (written: string | undefined, otherwise: number): number => {
    if (written === undefined) return otherwise
    const number = Number(written.replace('%', ''))
    const row = inPercent ? roundHalfToEven((number * length) / 100) : number
    return Math.min(Math.max(row < 0 ? row + length : row, 0), length)
  }
  const from = place(start, 0)
  const to = place(end, length)
  return dataset.select(Array.from({ length: Math.max(to - from, 0) }, (_, row) => from + row))
}

/** Python's `round`: half way between two whole numbers it takes the even one. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  return value - floor === 0.5 ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(value)
}

function noSplit(name: string, there: readonly string[], source: string): TrainerError {
  return new TrainerError(
    'argument',
    `${source} has no split '${name}'; there ${there.length === 1 ? 'is' : 'are'} ${there.join(', ')}.`,
  )
}
