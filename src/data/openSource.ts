// what loadDataset is given → the folder or the repository that it means
import { TrainerError } from '../errors'
import { kindOf, missingPath } from '../files/tree'
import { checkHubOptions, type HubOptions, hubOptionNames } from '../hub/connection'
import { HubRefusal } from '../hub/errors'
import { idAdvice, isRepositoryId } from '../hub/ids'
import { openRepository, type Repository } from '../hub/repository'
import { shown } from '../options'
import type { DataFiles } from './findFiles'
import { isDataFile } from './formats'
import { folderSource, nameOf, repositoryPaths, repositorySource, type DataSource } from './sources'

/** The branch that the Hub keeps what it has converted in. */
const converted = 'refs/convert/parquet'

/** What names no place: Python's readers (`load_dataset("csv", data_files=…)`), or nothing. */
const readers = ['csv', 'json', 'parquet', 'text', '']

/** Options of {@link openSource}. */
export interface SourceOptions extends HubOptions {
  readonly dataFiles?: DataFiles
  readonly dataDir?: string
}

/** Where data files are looked for, and those that are meant if they are named outright. */
export interface OpenedSource {
  readonly source: DataSource
  readonly dataFiles: DataFiles | undefined
}

/**
 * A path that exists is meant as such; what else can be an id is one of the Hub.
 * @throws TrainerError when neither is there, and for options of the Hub beside a path.
 */
export async function openSource(path: string, options: SourceOptions): Promise<OpenedSource> {
  const { dataFiles, dataDir } = options
  checkHubOptions(options)
  if (dataDir !== undefined && typeof dataDir !== 'string')
    throw new TrainerError('argument', `dataDir is ${shown(dataDir)}; the path of a folder was expected.`)
  if (typeof path !== 'string')
    throw new TrainerError('argument', `A path, or an id of the Hub, was expected; ${shown(path)} was given.`)
  const kind = await kindOf(path)
  if (kind === 'nothing' && isRepositoryId(path) && !isDataFile(path) && !readers.includes(path))
    return { source: await openDataset(path, options), dataFiles }
  const given = hubOptionNames.find(name => options[name] !== undefined)
  if (given !== undefined) throw notOfTheHub(path, given, kind)
  if (kind === 'folder') return { source: folderSource(path), dataFiles }
  if (kind === 'nothing' && !readers.includes(path)) throw await missingPath(path, hintFor(path))
  if (kind === 'file' && dataDir !== undefined)
    throw new TrainerError('argument', `${path} is a file, and not in dataDir.`, { fix: 'Give one of them.' })
  if ((kind === 'file') === (dataFiles !== undefined)) throw kind === 'file' ? twoFiles(path) : noFiles(path)
  return { source: { ...folderSource(''), name: path }, dataFiles: dataFiles ?? path }
}

/**
 * A dataset of the Hub. Where its repository has no files that can be read (a loading script, for example, which is not
 * run), its rows are what the Hub has converted.
 */
async function openDataset(id: string, options: SourceOptions): Promise<DataSource> {
  const { revision = 'main', dataFiles, dataDir, ...access } = options
  const named = dataFiles !== undefined || dataDir !== undefined
  const mayConvert = revision === 'main' && !named
  let repository: Repository
  try {
    repository = await openRepository('dataset', id, { ...access, revision })
  } catch (cause) {
    const source = mayConvert && isNotCached(cause) ? await openConverted(id, access) : undefined
    if (source !== undefined) return source
    throw withoutFolder(id, cause)
  }
  const paths = repositoryPaths(repository)
  if (!paths.some(path => isDataFile(nameOf(path)))) {
    const source = mayConvert ? await openConverted(id, access) : undefined
    if (source !== undefined) return source
    const script = paths.find(path => /^[^/]+\.py$/.test(path))
    if (script !== undefined && !named) throw onlyScript(id, script, revision)
  }
  return repositorySource(repository, revision === converted)
}

/** What the Hub has converted to parquet of a dataset; undefined if it has not. */
async function openConverted(id: string, options: HubOptions): Promise<DataSource | undefined> {
  try {
    return repositorySource(await openRepository('dataset', id, { ...options, revision: converted }), true)
  } catch (cause) {
    if (isNotCached(cause) || refusalOf(cause)?.errorCode === 'RevisionNotFound') return undefined
    throw cause
  }
}

function refusalOf(error: unknown): HubRefusal | undefined {
  return error instanceof TrainerError && error.cause instanceof HubRefusal ? error.cause : undefined
}

/** Whether nothing may be fetched, and the cache lacks a repository. */
function isNotCached(error: unknown): boolean {
  return error instanceof TrainerError && error.code === 'hub' && error.cause === undefined
}

/** The error for what may have been meant as a path, which says that there is none of that name either. */
function withoutFolder(id: string, cause: unknown): unknown {
  const refusal = refusalOf(cause)
  if (!(cause instanceof TrainerError) || cause.code !== 'hub') return cause
  if (refusal !== undefined && refusal.errorCode !== 'RepoNotFound') return cause
  return new TrainerError('hub', `There is no file or folder ${id} here. ${cause.problem}`, {
    ...(cause.fix !== undefined && { fix: cause.fix }),
    cause: cause.cause,
  })
}

function onlyScript(id: string, script: string, revision: string): TrainerError {
  const where = `${id} at revision "${revision}" holds a loading script (${script}) and no data files. Scripts are not run`
  return revision === 'main'
    ? new TrainerError('hub', `${where}, and the Hub has not converted this one to parquet (${converted}).`, {
        fix: 'Run it in Python with datasets below 4, and load what dataset.to_parquet("train.parquet") writes.',
      })
    : new TrainerError('hub', `${where}; what the Hub has converted to parquet is that of the branch main.`, {
        fix: 'Leave revision out to load it.',
      })
}

function notOfTheHub(path: string, option: string, kind: string): TrainerError {
  const what = kind === 'nothing' ? 'no id of the Hub' : `a ${kind} here`
  return new TrainerError('argument', `${option} is an option of datasets of the Hub; ${path} is ${what}.`, {
    fix: kind === 'nothing' ? 'One is named ORGANIZATION/NAME.' : 'Leave it out.',
  })
}

function noFiles(reader: string): TrainerError {
  return new TrainerError('argument', `loadDataset('${reader}') reads the files that dataFiles names, and none are.`, {
    fix: `Name them: loadDataset('${reader}', { dataFiles: … }).`,
  })
}

function twoFiles(path: string): TrainerError {
  return new TrainerError('argument', `${path} is a file, and dataFiles names others.`, { fix: 'Give one of them.' })
}

/** What else may have been meant by a path; nothing for the name of a file. */
function hintFor(path: string): string | undefined {
  const advice = idAdvice(path)
  if (advice !== undefined) return advice
  const hasExtension = /[^\\/]\.[^\\/.]*$/.test(path)
  return hasExtension ? undefined : 'A dataset is named by its path, or by its id on the Hub: ORGANIZATION/NAME.'
}
