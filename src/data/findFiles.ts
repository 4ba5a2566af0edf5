// a folder or a repository → the files of each split, as its card says, or by the names that they have
import { TrainerError } from '../errors'
import { isAbsolutePath } from '../files/tree'
import { isJsonObject } from '../json'
import { readCard } from './card'
import {
  chooseConfiguration,
  configurationFolders,
  configurationPaths,
  needlessConfiguration,
  noConfiguration,
} from './configurations'
import type { Features } from './features'
import { isDataFile, type ReadOptions } from './formats'
import { refuseSavedToDisk, refuseTwice, withoutNotes } from './layouts'
import { isPattern, matchingPaths } from './patterns'
import { nameOf, someOf, type DataSource } from './sources'
import { groupedBySplit, isSplitWord, splitsByName, type SplitFiles } from './splitNames'

/** Files and patterns by split; without names of splits they are 'train'. */
export type DataFiles = string | readonly string[] | Readonly<Record<string, string | readonly string[]>>

/** What is asked for. */
export interface Wanted {
  /** One of the card's, or a folder of that name, or one in `data/`, or the beginning of file names there. */
  readonly configuration?: string | undefined
  /** Files or patterns named outright; then nothing is searched, and the card is not asked. */
  readonly dataFiles?: DataFiles | undefined
  /** The folder that they are in; without names of files the card is not asked either. */
  readonly dataDir?: string | undefined
  /** The only splits that have to be there. */
  readonly splits?: readonly string[] | undefined
}

/** What is read of a folder or a repository. */
export interface Found {
  readonly splits: SplitFiles
  /** The configuration's name, 'default' where nothing has one. */
  readonly configuration: string
  /** What its card says of how the files are read, and of their columns. */
  readonly options: ReadOptions
  readonly features: Features | undefined
  /** Folders that may be configurations although no card says so, and whose files are read as one dataset. */
  readonly folders: readonly string[]
}

/**
 * The data files of a source, by split: as its card (README.md) says, else by the names of folders and files.
 * @throws TrainerError when nothing is found, listing what exists.
 */
export async function findSplits(source: DataSource, wanted: Wanted = {}): Promise<Found> {
  const { configuration, dataFiles, dataDir, splits: needed } = wanted
  const plain = { configuration: configuration ?? 'default', options: {}, features: undefined, folders: [] }
  if (dataFiles !== undefined) {
    const why = dataFiles === source.name ? `${source.name} is a file` : 'dataFiles names the files'
    if (configuration !== undefined) throw needlessConfiguration(why, configuration)
    checkDataFiles(dataFiles)
    return { ...plain, splits: await namedFiles(source, folderOf(dataDir), dataFiles, needed) }
  }
  if (dataDir !== undefined) {
    if (configuration !== undefined) throw needlessConfiguration('dataDir names the folder', configuration)
    return { ...plain, ...(await filesByName(source, folderOf(dataDir))) }
  }
  if (source.isExport === true)
    return { ...plain, ...exportedSplits(await source.list(''), source.name, configuration) }
  const card = await readCard(source)
  const chosen = card && chooseConfiguration(card, source.name, configuration)
  const name = chosen?.name ?? configuration
  const read = {
    configuration: name ?? 'default',
    options: chosen?.options ?? {},
    features: card?.features(name),
    folders: [],
  }
  if (chosen?.dataFiles !== undefined)
    return { ...read, splits: await namedFiles(source, folderOf(chosen.dataDir), chosen.dataFiles, needed) }
  if (chosen !== undefined) return { ...read, ...(await filesByName(source, folderOf(chosen.dataDir))) }
  return { ...read, ...(await filesByName(source, '', configuration)) }
}

/** The configurations of a source. */
export async function configurationNames(source: DataSource): Promise<readonly string[]> {
  if (source.isExport === true) return exportedConfigurations(await source.list(''))
  const names = (await readCard(source))?.configurations.map(({ name }) => name) ?? []
  return names.length > 0 ? names : ['default']
}

/** A folder of the source as its paths begin. */
function folderOf(dataDir = ''): string {
  return dataDir.replace(/^(?:\.\/+)+|^\.$/, '').replace(/\/+$/, '')
}

/** Splits by the names of all data files below a folder, or of those of a configuration that no card names. */
async function filesByName(
  source: DataSource,
  base: string,
  configuration?: string,
): Promise<Pick<Found, 'splits' | 'folders'>> {
  const start = base === '' ? '' : `${base}/`
  const listed = await source.list('')
  const tree = listed.filter(path => path.startsWith(start)).map(path => path.slice(start.length))
  const data = matchingPaths('**', tree).filter(path => isDataFile(nameOf(path)))
  const place = base === '' ? source.name : `${source.name}/${base}`
  if (data.length === 0) {
    refuseSavedToDisk(place, tree)
    throw noDataFiles(place)
  }
  const [folder, paths] =
    configuration === undefined ? ['', data] : configurationPaths(data, source.name, configuration)
  const splits = placed(splitsByName(paths), [base, folder].filter(part => part !== '').join('/'))
  const folders = configurationFolders(data).filter(name => !isSplitWord(name))
  const mayMix = base === '' && configuration === undefined && folders.length > 1
  return { splits: refuseTwice(withoutNotes(splits), source.name), folders: mayMix ? folders : [] }
}

function placed(splits: SplitFiles, folder: string): SplitFiles {
  const whole = (path: string): string => (folder === '' ? path : `${folder}/${path}`)
  return Object.fromEntries(Object.entries(splits).map(([name, paths]) => [name, paths.map(whole)]))
}

function exportedConfigurations(paths: readonly string[]): string[] {
  return [...new Set(matchingPaths('*/*/*.parquet', paths).map(path => path.split('/', 1)[0]!))]
}

/** What the Hub has converted to parquet: CONFIGURATION/SPLIT/0000.parquet. */
function exportedSplits(
  paths: readonly string[],
  place: string,
  wanted: string | undefined,
): Pick<Found, 'splits' | 'configuration'> {
  const names = exportedConfigurations(paths)
  if (names.length === 0) throw noDataFiles(place)
  const configuration = wanted ?? (names.length === 1 ? names[0]! : 'default')
  if (!names.includes(configuration)) throw noConfiguration(place, wanted, names)
  const own = matchingPaths('*/*/*.parquet', paths).filter(path => path.startsWith(`${configuration}/`))
  return { configuration, splits: groupedBySplit(own, path => path.split('/')[1]!) }
}

/** @throws TrainerError (`argument`) for what names no files. */
function checkDataFiles(files: unknown): void {
  const isNames = (names: unknown): boolean => {
    const list: readonly unknown[] = Array.isArray(names) ? names : [names]
    return list.length > 0 && list.every(name => typeof name === 'string' && name !== '')
  }
  const splits = isJsonObject(files) ? Object.values(files) : []
  if (isNames(files) || (splits.length > 0 && splits.every(isNames))) return
  throw new TrainerError('argument', 'dataFiles must be a path, a list of paths, or such for each split.', {
    fix: "Write 'a.csv', ['a.csv', 'b.csv'] or { train: 'a.csv', test: 'b/*.csv' }.",
  })
}

/**
 * Files named outright, or by patterns. Several formats in one split are refused only where a pattern found them; a
 * split of which a pattern finds nothing is an error if it is wanted.
 */
async function namedFiles(
  source: DataSource,
  folder: string,
  files: DataFiles,
  wanted: readonly string[] | undefined,
): Promise<SplitFiles> {
  const splits =
    typeof files === 'string' || Array.isArray(files)
      ? { train: files as string | string[] }
      : (files as Record<string, string | string[]>)
  // 'all' stands for every split, unless one has that name
  const isAll = wanted?.includes('all') === true && !('all' in splits)
  const named: Record<string, readonly string[]> = {}
  const searched: Record<string, readonly string[]> = {}
  for (const [split, names] of Object.entries(splits)) {
    if (wanted !== undefined && !wanted.includes(split) && !isAll) {
      named[split] = []
      continue
    }
    const paths: string[] = []
    for (const name of [names].flat()) paths.push(...(await pathsOf(source, within(folder, name))))
    named[split] = [...new Set(paths)]
    if ([names].flat().some(isPattern)) searched[split] = named[split]
  }
  refuseTwice(searched, source.name)
  return named
}

function within(folder: string, name: string): string {
  const plain = name.replace(/^(?:\.\/+)+/, '')
  return folder === '' || isAbsolutePath(plain) ? plain : `${folder}/${plain}`
}

async function pathsOf(source: DataSource, name: string): Promise<string[]> {
  if (!isPattern(name)) {
    await source.check(name)
    return [name]
  }
  // a pattern may begin above the folder, which lists what is below it
  const above = /^(?:(?:\.\.\/)+|\/|[A-Za-z]:[\\/])(?:[^*?[/]+\/)*/.exec(name)?.[0] ?? ''
  const paths = await source.list(above)
  const pattern = name.slice(above.length)
  const isWanted = (path: string): boolean => isDataFile(nameOf(path)) || nameOf(path) === nameOf(pattern)
  const matching = paths.includes(pattern) ? [pattern] : matchingPaths(pattern, paths).filter(isWanted)
  if (matching.length > 0) return matching.map(path => above + path)
  const place = source.name || 'The folder'
  throw new TrainerError('file', `${place} has no data files that match ${name}.`, { fix: `It has ${someOf(paths)}.` })
}

function noDataFiles(place: string): TrainerError {
  return new TrainerError('file', `${place} has no data files: parquet, csv, tsv, jsonl, json or txt was expected.`)
}
