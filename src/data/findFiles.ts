// folder → the files of each split, by the names that repositories of the Hub give them
import { TrainerError, nearest } from '../errors'
import { kindOf, listTree, missingPath, pathIn, type FileBelow } from '../files/tree'
import { isDataFile } from './formats'

/** The paths of each split's files, in order. */
export type SplitFiles = Readonly<Record<string, readonly string[]>>

type DataFiles = string | readonly string[] | Readonly<Record<string, string | readonly string[]>>

/** How many levels of folders are searched. */
const depth = 4

/**
 * The data files below a path, by split.
 * @param configuration the name of a configuration: a folder of that name, or one in `data/`, or the beginning of file
 * names there.
 * @param dataFiles files named outright; then nothing is searched.
 * @throws TrainerError when nothing is found, listing what exists.
 */
export async function findSplits(path: string, configuration?: string, dataFiles?: DataFiles): Promise<SplitFiles> {
  const kind = await kindOf(path)
  if (dataFiles !== undefined) return namedFiles(kind === 'folder' ? path : '', dataFiles)
  if (kind === 'file') return { train: [path] }
  if (kind === 'nothing') throw await nothingAt(path)
  const tree = (await listTree(path, depth)).filter(({ name }) => isDataFile(name))
  const files = configuration === undefined ? defaultFiles(path, tree) : configurationFiles(path, tree, configuration)
  return inOrder(bySplit(files))
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

/** The files when no configuration is named: those directly there, in `data/`, or in folders named after splits. */
function defaultFiles(path: string, tree: readonly FileBelow[]): readonly FileBelow[] {
  const direct = tree.filter(({ folders }) => folders.every(name => name === 'data' || keywordIn(name) !== undefined))
  if (direct.length > 0) return direct
  const names = configurations(tree)
  if (names.length === 1) return configurationFiles(path, tree, names[0]!)
  if (names.length > 1) {
    throw new TrainerError('argument', `${path} has several configurations: ${names.join(', ')}.`, {
      fix: `Name one: loadDataset('${path}', '${names[0]}').`,
    })
  }
  throw new TrainerError('file', `${path} has no data files: parquet, csv, tsv, jsonl, json or txt was expected.`)
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
  const names = configurations(tree)
  const there = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
  const close = nearest(configuration, names)
  throw new TrainerError(
    'argument',
    `${path} has no configuration '${configuration}'; ${there}.`,
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

async function namedFiles(folder: string, files: DataFiles): Promise<SplitFiles> {
  const splits =
    typeof files === 'string' || Array.isArray(files)
      ? { train: files as string | string[] }
      : (files as Record<string, string | string[]>)
  const named: Record<string, string[]> = {}
  for (const [split, names] of Object.entries(splits)) {
    named[split] = (typeof names === 'string' ? [names] : names).map(name => pathIn(folder, name))
    for (const path of named[split]) if ((await kindOf(path)) !== 'file') throw await nothingAt(path)
  }
  return named
}

const hubHint = 'A dataset is named by its path; one from the Hub has to be downloaded first.'

/** The error for a path without anything. A name without an extension may be meant for the Hub. */
function nothingAt(path: string): Promise<TrainerError> {
  const hasExtension = /[^\\/]\.[^\\/.]*$/.test(path)
  return missingPath(path, hasExtension ? undefined : hubHint)
}
