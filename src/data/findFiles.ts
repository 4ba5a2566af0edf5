// folder → the files of each split, by the names that repositories of the Hub give them
import { TrainerError, nearest } from '../errors'
import { kindOf, listTree, missingPath, pathIn, pathWithin, type FileBelow } from '../files/tree'
import { readCard, type Card, type Configuration } from './card'
import type { Features } from './features'
import { formatOf, isDataFile, type Format, type ReadOptions } from './formats'
import { isPattern, matchingFiles } from './patterns'
import { uncompressedName } from './unpack'

/** The paths of each split's files, in order. */
export type SplitFiles = Readonly<Record<string, readonly string[]>>

type DataFiles = string | readonly string[] | Readonly<Record<string, string | readonly string[]>>

/** How many levels of folders are searched. */
const depth = 4
const depthOfPatterns = 12

/** What is read of a path. */
export interface Found {
  readonly splits: SplitFiles
  /** What its card says of how the files are read, and of their columns. */
  readonly options: ReadOptions
  readonly features: Features | undefined
}

/**
 * The data files below a path, by split: as its card (README.md) says, else by the names of folders and files.
 * @param configuration the name of a configuration: one of the card's, or a folder of that name, or one in `data/`, or
 * the beginning of file names there.
 * @param dataFiles files or patterns named outright; then nothing is searched, and the card is not asked.
 * @throws TrainerError when nothing is found, listing what exists.
 */
export async function findSplits(path: string, configuration?: string, dataFiles?: DataFiles): Promise<Found> {
  const kind = await kindOf(path)
  const plain = { options: {}, features: undefined }
  if (configuration !== undefined && (dataFiles !== undefined || kind === 'file'))
    throw needlessConfiguration(path, configuration, dataFiles)
  if (dataFiles !== undefined) return { splits: await namedFiles(kind === 'folder' ? path : '', dataFiles), ...plain }
  if (kind === 'file') return { splits: { train: [path] }, ...plain }
  if (kind === 'nothing') throw await nothingAt(path)
  const card = await readCard(path)
  const chosen = card && chooseConfiguration(card, path, configuration)
  const name = chosen?.name ?? configuration
  const features = card?.features(name)
  const options = chosen?.options ?? {}
  if (chosen?.dataFiles !== undefined)
    return {
      splits: inOrder(await namedFiles(pathIn(path, chosen.dataDir ?? '.'), chosen.dataFiles)),
      options,
      features,
    }
  const folder = pathIn(path, chosen?.dataDir ?? '.')
  const listed = await listTree(folder, depth)
  const tree = listed.filter(file => isDataFile(file.name))
  if (tree.length === 0) refuseSavedToDisk(folder, listed)
  if (tree.length === 0) throw noDataFiles(folder)
  const files = chosen === undefined ? laidOutFiles(folder, tree, configuration) : tree
  return { splits: oneFormat(inOrder(bySplit(files)), folder), options, features }
}

/** The configuration that is meant; undefined for a card that does not name any. */
function chooseConfiguration(card: Card, path: string, wanted: string | undefined): Configuration | undefined {
  const { configurations } = card
  if (configurations.length === 0) return undefined
  const names = configurations.map(({ name }) => name)
  if (wanted !== undefined) {
    const found = configurations.find(({ name }) => name === wanted)
    if (found === undefined) throw noConfiguration(path, wanted, names)
    return found
  }
  const usual = configurations.length === 1 ? configurations : configurations.filter(isUsual)
  if (usual.length === 1) return usual[0]!
  throw severalConfigurations(path, names)
}

function isUsual({ name, isDefault }: Configuration): boolean {
  return isDefault || name === 'default'
}

/** Files that are named outright belong to no configuration: its name may be meant for a split. */
function needlessConfiguration(path: string, name: string, dataFiles: DataFiles | undefined): TrainerError {
  const why = dataFiles === undefined ? `${path} is a file` : 'dataFiles names the files'
  return new TrainerError('argument', `${why}, so that the configuration '${name}' chooses nothing.`, {
    fix: `Leave it out; for a split write split: '${name}'.`,
  })
}

/** A folder that `save_to_disk` of Python wrote: its rows are in Arrow files. */
function refuseSavedToDisk(folder: string, tree: readonly FileBelow[]): void {
  const path = folder.replace(/[\\/]+$/, '')
  const has = (pattern: RegExp): boolean => tree.some(({ name }) => pattern.test(name))
  if (!has(/\.arrow$/) || !has(/^(dataset_dict|state)\.json$/)) return
  const dict = has(/^dataset_dict\.json$/)
  const [files, write] = dict
    ? [
        `${path}-parquet`,
        `[split.to_parquet("${path}-parquet/" + name + ".parquet") for name, split in dataset.items()]`,
      ]
    : [`${path}.parquet`, `dataset.to_parquet("${path}.parquet")`]
  throw new TrainerError(
    'file',
    `${path} was written by save_to_disk of Python's datasets: Arrow files, which are not read here.`,
    {
      fix:
        'Convert it in Python: from datasets import load_from_disk; ' +
        `dataset = load_from_disk("${path}"); ${write}. Then load ${files}.`,
    },
  )
}

const families: Readonly<Partial<Record<Format, Format>>> = { tsv: 'csv', jsonl: 'json' }

/** Refuses a split whose rows are there twice: in files of several formats, or of one name. */
function oneFormat(splits: SplitFiles, folder: string): SplitFiles {
  for (const [split, files] of Object.entries(splits)) {
    const base = (file: string): string => uncompressedName(file).replace(/\.\w+$/, '')
    const family = (file: string): Format => families[formatOf(file)] ?? formatOf(file)
    const [first = ''] = files
    const other = files.find(
      (file, at) => family(file) !== family(first) || files.slice(0, at).some(before => base(before) === base(file)),
    )
    if (other === undefined) continue
    const twin = files.find(file => file !== other && base(file) === base(other)) ?? first
    const name = pathWithin(folder, twin)
    throw new TrainerError('file', `${folder} has the split ${split} twice: in ${twin} and in ${other}.`, {
      fix: `Name the file that you want: dataFiles: { ${split}: '${name}' }.`,
    })
  }
  return splits
}

const keywords: Readonly<Record<string, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['validation', 'valid', 'dev', 'val'],
  test: ['test', 'testing', 'eval', 'evaluation'],
}

/**
 * The split that a file belongs to: its name before `-00000-of-00001`, or a word in its name (or in its folder's) that
 * stands for one, with `_matched` or `_mismatched` behind it as in MNLI. undefined if nothing says.
 */
export function splitOf(path: string): string | undefined {
  const [file = '', folder = ''] = path.split(/[\\/]/).reverse()
  const name = file.replace(/(\.\w+)+$/, '')
  const shard = /^(\w+)-\d{3,}-of-\d{3,}/.exec(name)?.[1]
  const written = shard === undefined ? undefined : (keywordIn(shard) ?? shard)
  return written ?? keywordIn(name) ?? keywordIn(folder)
}

function keywordIn(name: string): string | undefined {
  for (const [split, words] of Object.entries(keywords)) {
    const match = new RegExp(`(?:^|[^a-z])(?:${words.join('|')})(_matched|_mismatched)?(?:[^a-z]|$)`, 'i').exec(name)
    if (match !== null) return split + (match[1] ?? '').toLowerCase()
  }
  return undefined
}

/** Paths by split; if no name tells a split, all of them are 'train'. */
function bySplit(files: readonly FileBelow[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {}
  for (const { path } of files) (groups[splitOf(path) ?? ''] ??= []).push(path)
  const { '': unnamed, ...named } = groups
  return Object.keys(named).length === 0 && unnamed !== undefined ? { train: unnamed } : named
}

/** Training, validation and test splits first, then any others. */
function inOrder(splits: Readonly<Record<string, readonly string[]>>): SplitFiles {
  const order = Object.keys(keywords)
  const rank = (name: string): number =>
    (order.findIndex(split => name.startsWith(split)) + order.length + 1) % (order.length + 1)
  return Object.fromEntries(Object.entries(splits).sort(([a], [b]) => rank(a) - rank(b)))
}

/** The files of a folder whose card does not name configurations. */
function laidOutFiles(path: string, tree: readonly FileBelow[], configuration?: string): readonly FileBelow[] {
  return configuration === undefined ? defaultFiles(path, tree) : configurationFiles(path, tree, configuration)
}

function noDataFiles(path: string): TrainerError {
  return new TrainerError('file', `${path} has no data files: parquet, csv, tsv, jsonl, json or txt was expected.`)
}

/** The files when no configuration is named: those directly there, in `data/`, or in folders named after splits. */
function defaultFiles(path: string, tree: readonly FileBelow[]): readonly FileBelow[] {
  const direct = tree.filter(({ folders }) => folders.every(name => name === 'data' || keywordIn(name) !== undefined))
  if (direct.length > 0) return direct
  const names = configurations(tree)
  if (names.length > 1) throw severalConfigurations(path, names)
  return configurationFiles(path, tree, names[0]!)
}

function configurationFiles(path: string, tree: readonly FileBelow[], configuration: string): readonly FileBelow[] {
  const parts = configuration.split('/').filter(part => part !== '')
  for (const wanted of [parts, ['data', ...parts]]) {
    const below = tree.filter(({ folders }) => wanted.every((name, level) => folders[level] === name))
    if (below.length > 0) return below
  }
  const prefixed = tree.filter(
    ({ name }) => name.startsWith(`${configuration}-`) || name.startsWith(`${configuration}_`),
  )
  if (prefixed.length > 0) return prefixed
  if (configuration === 'default') return defaultFiles(path, tree)
  throw noConfiguration(path, configuration, configurations(tree))
}

function severalConfigurations(path: string, names: readonly string[]): TrainerError {
  return new TrainerError('argument', `${path} has several configurations: ${names.join(', ')}.`, {
    fix: `Name one: loadDataset('${path}', '${names[0]}').`,
  })
}

function noConfiguration(path: string, wanted: string, names: readonly string[]): TrainerError {
  const there = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
  const close = nearest(wanted, names)
  return new TrainerError(
    'argument',
    `${path} has no configuration '${wanted}'; ${there}.`,
    close === undefined ? undefined : { fix: `Did you mean '${close}'?` },
  )
}

/** The folders that hold data files, apart from those named after splits. */
function configurations(tree: readonly FileBelow[]): string[] {
  const folders = tree.map(file => file.folders.find(name => name !== 'data'))
  return [...new Set(folders.filter(folder => folder !== undefined))]
    .filter(folder => keywordIn(folder) === undefined)
    .sort()
}

/** Files named outright, or by patterns; several formats in one split are refused only where a pattern found them. */
async function namedFiles(folder: string, files: DataFiles): Promise<SplitFiles> {
  const splits =
    typeof files === 'string' || Array.isArray(files)
      ? { train: files as string | string[] }
      : (files as Record<string, string | string[]>)
  const named: Record<string, string[]> = {}
  const searched: Record<string, string[]> = {}
  let tree: readonly FileBelow[] | undefined
  for (const [split, names] of Object.entries(splits)) {
    const paths: string[] = []
    for (const name of typeof names === 'string' ? [names] : names) {
      if (isPattern(name)) {
        tree ??= await listTree(folder === '' ? '.' : folder, depthOfPatterns)
        paths.push(...filesOf(name, tree, folder))
      } else paths.push(await existingFile(pathIn(folder, name)))
    }
    named[split] = [...new Set(paths)]
    if ([names].flat().some(isPattern)) searched[split] = named[split]
  }
  oneFormat(searched, folder)
  return named
}

async function existingFile(path: string): Promise<string> {
  if ((await kindOf(path)) !== 'file') throw await nothingAt(path)
  return path
}

function filesOf(pattern: string, tree: readonly FileBelow[], folder: string): string[] {
  const matching = matchingFiles(pattern, tree).filter(({ name }) => isDataFile(name))
  if (matching.length > 0) return matching.map(({ path }) => path)
  throw new TrainerError('file', `${folder || 'The folder'} has no data files that match ${pattern}.`, {
    fix: `It has ${
      tree
        .slice(0, 20)
        .map(({ folders, name }) => [...folders, name].join('/'))
        .join(', ') || 'no files'
    }.`,
  })
}

const hubHint = 'A dataset is named by its path; one from the Hub has to be downloaded first.'

/** The error for a path without anything. A name without an extension may be meant for the Hub. */
function nothingAt(path: string): Promise<TrainerError> {
  const hasExtension = /[^\\/]\.[^\\/.]*$/.test(path)
  return missingPath(path, hasExtension ? undefined : hubHint)
}
