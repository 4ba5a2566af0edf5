// what loadDataset is given → the folder or the repository that it means
import { TrainerError } from '../errors'
import { kindOf, missingPath } from '../files/tree'
import type { HubOptions } from '../hub/connection'
import { HubRefusal } from '../hub/errors'
import { isRepositoryId, openRepository, type Repository } from '../hub/repository'
import type { DataFiles } from './findFiles'
import { isDataFile } from './formats'
import { folderSource, repositorySource, type DataSource } from './sources'

/** The options that only a repository of the Hub reads. */
export const hubOptions = ['revision', 'token', 'cacheDir', 'localFilesOnly'] as const

/** The branch that the Hub keeps what it has converted in. */
const converted = 'refs/convert/parquet'

/** What names no place: Python's readers (`load_dataset("csv", data_files=…)`), or nothing. */
const readers = ['csv', 'json', 'parquet', 'text', '']

/** Options of {@link openSource}. */
export interface SourceOptions extends HubOptions {
  readonly dataFiles?: DataFiles
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
  const { dataFiles } = options
  const kind = await kindOf(path)
  if (kind === 'nothing' && isRepositoryId(path) && !isDataFile(path) && !readers.includes(path))
    return { source: await openDataset(path, options), dataFiles }
  const given = hubOptions.find(name => options[name] !== undefined)
  if (given !== undefined) throw notOfTheHub(path, given, kind)
  if (kind === 'folder') return { source: folderSource(path), dataFiles }
  if (kind === 'nothing' && !readers.includes(path)) throw await missingPath(path, hintFor(path))
  if ((kind === 'file') === (dataFiles !== undefined)) throw kind === 'file' ? twoFiles(path) : noFiles(path)
  return { source: { ...folderSource(''), name: path }, dataFiles: dataFiles ?? path }
}

/** A dataset of the Hub: where its repository holds a loading script and no rows, what the Hub has made of it. */
async function openDataset(id: string, options: HubOptions): Promise<DataSource> {
  const { revision, token, cacheDir, localFilesOnly } = options
  const asked = { revision, token, cacheDir, localFilesOnly }
  const repository = await openOrExplain(id, asked)
  const paths = repository.files.map(({ path }) => path)
  const script = paths.find(path => /^[^/]+\.py$/.test(path))
  if (script === undefined || paths.some(path => isDataFile(path)))
    return repositorySource(repository, revision === converted)
  if (revision !== undefined && revision !== 'main') throw onlyScript(id, script, revision)
  try {
    return repositorySource(await openRepository('dataset', id, { ...asked, revision: converted }), true)
  } catch (cause) {
    if (
      cause instanceof TrainerError &&
      cause.cause instanceof HubRefusal &&
      cause.cause.errorCode === 'RevisionNotFound'
    )
      throw onlyScript(id, script, undefined, cause)
    throw cause
  }
}

/** Opens a repository; when it is not there, the error says that no folder of this name is here either. */
async function openOrExplain(id: string, options: HubOptions): Promise<Repository> {
  try {
    return await openRepository('dataset', id, options)
  } catch (cause) {
    if (!(cause instanceof TrainerError) || cause.code !== 'hub') throw cause
    if (cause.cause instanceof HubRefusal && cause.cause.errorCode !== 'RepoNotFound') throw cause
    const fix = cause.fix === undefined ? {} : { fix: cause.fix }
    throw new TrainerError('hub', `There is no file or folder ${id} here. ${cause.problem}`, {
      ...fix,
      cause: cause.cause,
    })
  }
}

function onlyScript(id: string, script: string, revision: string | undefined, cause?: unknown): TrainerError {
  const where = revision === undefined ? '' : ` at revision "${revision}"`
  const why =
    revision === undefined
      ? `the Hub has not converted it to parquet (branch ${converted})`
      : 'the Hub converts the branch main alone'
  return new TrainerError('hub', `${id}${where} holds a loading script (${script}), which is not run, and ${why}.`, {
    fix:
      revision === undefined
        ? `Load it in Python with datasets below 4, and save it: dataset.to_parquet("train.parquet").`
        : `Leave revision out for what the Hub has converted.`,
    cause,
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
  const hasExtension = /[^\\/]\.[^\\/.]*$/.test(path)
  return hasExtension ? undefined : 'A dataset is named by its path, or by its id on the Hub: ORGANIZATION/NAME.'
}
