// where data files are: in a folder, or in a repository of the Hub
import { nearest, TrainerError } from '../errors'
import { kindOf, listFiles, missingPath, pathFrom, pathIn } from '../files/tree'
import { openSlices, readText, type SlicedFile } from '../files/readFile'
import type { Repository } from '../hub/repository'

/** What datasets are found in. Paths of it have slashes; what a person or a card wrote may lead out of a folder. */
export interface DataSource {
  /** What messages call it: a path, or an id. */
  readonly name: string
  /** The repository; undefined for a folder. */
  readonly repository?: Repository
  /** Whether it holds what the Hub has converted to parquet: CONFIGURATION/SPLIT/0000.parquet. */
  readonly isExport?: boolean
  /** The files below a folder of it, '' for all: their paths from there. */
  list(folder: string): Promise<readonly string[]>
  /** @throws TrainerError (`file`) that says what there is when it has no file of this name. */
  check(name: string): Promise<void>
  /** Where files are on this machine. Those of a repository are fetched first. */
  locate(paths: readonly string[]): Promise<readonly string[]>
  /** A file of which parts are read: nothing of a repository is stored for it. */
  open(path: string): Promise<SlicedFile>
  /** A file's text; undefined if there is no such file. */
  readText(path: string): Promise<string | undefined>
}

/** A folder; '' for the one that the process runs in. */
export function folderSource(folder: string): DataSource {
  let all: Promise<readonly string[]> | undefined
  return {
    name: folder,
    list(below) {
      if (below !== '') return listFiles(pathFrom(folder, below))
      return (all ??= listFiles(folder === '' ? '.' : folder))
    },
    async check(name) {
      const path = pathFrom(folder, name)
      if ((await kindOf(path)) !== 'file') throw await missingPath(path)
    },
    locate: paths => Promise.resolve(paths.map(path => pathFrom(folder, path))),
    open: path => openSlices(pathFrom(folder, path)),
    readText: path => readText(pathIn(folder, path)),
  }
}

/**
 * The paths of a repository's files, also of those that cannot be had without a connection: which splits there are does
 * not depend on what has been fetched.
 */
export function repositoryPaths({ files, absent }: Repository): string[] {
  return [...files.map(({ path }) => path), ...absent]
}

/** A repository, of which nothing but what is asked for is fetched. */
export function repositorySource(repository: Repository, isExport = false): DataSource {
  const { id } = repository
  const paths = repositoryPaths(repository)
  const check = (name: string): Promise<void> => {
    if (paths.includes(name)) return Promise.resolve()
    const close = nearest(name, paths)
    const fix = close === undefined ? `It has ${someOf(paths)}.` : `Did you mean ${close}?`
    return Promise.reject(new TrainerError('file', `${id} has no file ${name}.`, { fix }))
  }
  const locate = async (wanted: readonly string[]): Promise<readonly string[]> => {
    const folder = await repository.fetch(wanted)
    return wanted.map(path => pathIn(folder, path))
  }
  return {
    name: id,
    repository,
    isExport,
    list: folder => Promise.resolve(folder === '' ? paths : []),
    check,
    locate,
    open: path => repository.open(path),
    async readText(path) {
      if (!paths.includes(path)) return undefined
      const [place] = await locate([path])
      return readText(place!)
    },
  }
}

/** The last name of a path with slashes. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** The first of some names, for messages. */
export function someOf(names: readonly string[]): string {
  return names.slice(0, 20).join(', ') || 'no files'
}
