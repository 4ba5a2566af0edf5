// folder → the files of each split, by the names that repositories of the Hub give them
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, relative, sep } from 'node:path'
import { TrainerError, nearest } from '../errors'
import { isDataFile } from './formats'

/** The files of each split, in order. */
export type SplitFiles = Readonly<Record<string, readonly string[]>>

type DataFiles = string | readonly string[] | Readonly<Record<string, string | readonly string[]>>

/**
 * The data files below a path, by split.
 * @param configuration the name of a configuration: a folder of that name, or one in `data/`, or the beginning of file
 * names there.
 * @param dataFiles files named outright; then nothing is searched.
 * @throws TrainerError when there are none, with what there is.
 */
export async function findSplits(path: string, configuration?: string, dataFiles?: DataFiles): Promise<SplitFiles> {
  const kind = await kindOf(path)
  if (dataFiles !== undefined) return namedFiles(kind === 'folder' ? path : '', dataFiles)
  if (kind === 'file') return { train: [path] }
  if (kind === 'nothing') throw await nothingAt(path)
  const tree = await listFiles(path, 4)
  const files = configuration === undefined ? defaultFiles(path, tree) : configurationFiles(path, tree, configuration)
  return ordered(group(files))
}

const keywords: Readonly<Record<string, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['validation', 'valid', 'dev', 'val'],
  test: ['test', 'testing', 'eval', 'evaluation'],
}

/**
 * The split that a file belongs to: its name before `-00000-of-00001`, or a word in its name (or in its folder's) that
 * stands for one; with `_matched` or `_mismatched` behind it as in MNLI. undefined if nothing says.
 */
export function splitOf(file: string): string | undefined {
  const name = basename(file).replace(/(\.\w+)+$/, '')
  const shard = /^(\w+)-\d{3,}-of-\d{3,}/.exec(name)
  return (
    (shard !== null ? (keywordIn(shard[1]!) ?? shard[1]) : undefined) ??
    keywordIn(name) ??
    keywordIn(basename(dirname(file)))
  )
}

function keywordIn(name: string): string | undefined {
  for (const [split, words] of Object.entries(keywords)) {
    const match = new RegExp(`(?:^|[^a-z])(?:${words.join('|')})(_matched|_mismatched)?(?:[^a-z]|$)`, 'i').exec(name)
    if (match !== null) return split + (match[1] ?? '').toLowerCase()
  }
  return undefined
}

/** Files by split; without any split in their names all of them are 'train'. */
function group(files: readonly string[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {}
  for (const file of files) (groups[splitOf(file) ?? ''] ??= []).push(file)
  const { '': unnamed, ...named } = groups
  return Object.keys(named).length === 0 && unnamed !== undefined ? { train: unnamed } : named
}

function ordered(splits: Readonly<Record<string, readonly string[]>>): SplitFiles {
  const order = Object.keys(keywords)
  const rank = (name: string): number =>
    (order.findIndex(split => name.startsWith(split)) + order.length + 1) % (order.length + 1)
  return Object.fromEntries(Object.entries(splits).sort(([a], [b]) => rank(a) - rank(b)))
}

/** The files of a folder that asks for no configuration: those in it, in `data/`, or in folders named after splits. */
function defaultFiles(path: string, tree: readonly string[]): readonly string[] {
  const direct = tree.filter(file =>
    foldersOf(path, file).every(part => part === 'data' || keywordIn(part) !== undefined),
  )
  if (direct.length > 0) return direct
  const names = configurations(path, tree)
  if (names.length === 1) return configurationFiles(path, tree, names[0]!)
  if (names.length > 1) {
    throw new TrainerError('argument', `${path} has several configurations: ${names.join(', ')}.`, {
      fix: `Name one: loadDataset('${path}', '${names[0]}').`,
    })
  }
  throw new TrainerError(
    'file',
    `There are no data files in ${path}: parquet, csv, tsv, jsonl, json or txt was expected.`,
  )
}

function configurationFiles(path: string, tree: readonly string[], configuration: string): readonly string[] {
  const below = (folder: string): string[] => tree.filter(file => file.startsWith(join(folder, configuration) + sep))
  for (const folder of [path, join(path, 'data')]) if (below(folder).length > 0) return below(folder)
  const prefixed = tree.filter(
    file => basename(file).startsWith(`${configuration}-`) || basename(file).startsWith(`${configuration}_`),
  )
  if (prefixed.length > 0) return prefixed
  if (configuration === 'default') return defaultFiles(path, tree)
  const there = configurations(path, tree)
  const close = nearest(configuration, there)
  throw new TrainerError(
    'argument',
    `${path} has no configuration '${configuration}'; there ${there.length === 0 ? 'is none' : `are ${there.join(', ')}`}.`,
    {
      ...(close !== undefined && { fix: `Did you mean '${close}'?` }),
    },
  )
}

/** The folders that hold data files, splits' folders aside. */
function configurations(path: string, tree: readonly string[]): string[] {
  const folders = tree.map(file => foldersOf(path, file).find(part => part !== 'data'))
  return [...new Set(folders.filter(folder => folder !== undefined))]
    .filter(folder => keywordIn(folder) === undefined)
    .sort()
}

/** The folders between a path and a file below it. */
function foldersOf(path: string, file: string): string[] {
  return relative(path, file).split(sep).slice(0, -1)
}

async function namedFiles(folder: string, files: DataFiles): Promise<SplitFiles> {
  const splits =
    typeof files === 'string' || Array.isArray(files)
      ? { train: files as string | string[] }
      : (files as Record<string, string | string[]>)
  const named: Record<string, string[]> = {}
  for (const [split, names] of Object.entries(splits)) {
    named[split] = (typeof names === 'string' ? [names] : names).map(name => join(folder, name))
    for (const file of named[split]) if ((await kindOf(file)) !== 'file') throw await nothingAt(file)
  }
  return named
}

async function listFiles(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const files: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.')) continue
    if ((await kindOf(path)) === 'folder') files.push(...(depth > 1 ? await listFiles(path, depth - 1) : []))
    else if (isDataFile(entry.name)) files.push(path)
  }
  return files
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'nothing'> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined ? 'nothing' : found.isDirectory() ? 'folder' : 'file'
}

const hubHint = 'A dataset is named by its path; from the Hub it has to be downloaded first.'

async function nothingAt(path: string): Promise<TrainerError> {
  const folder = dirname(path)
  const names = await readdir(folder).catch(() => undefined)
  const there =
    names === undefined
      ? `nor is there a folder ${folder}`
      : `${folder} has ${names.sort().slice(0, 20).join(', ') || 'nothing in it'}`
  const close = nearest(basename(path), names ?? [])
  return new TrainerError('file', `There is no file or folder ${path}; ${there}.`, {
    ...(close !== undefined
      ? { fix: `Did you mean ${join(folder, close)}?` }
      : extname(path) === '' && { fix: hubHint }),
  })
}
