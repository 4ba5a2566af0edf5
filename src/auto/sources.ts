// a folder, or an id of the Hub → a folder with the files that are needed
import { TrainerError } from '../errors'
import { refuseOtherNames } from '../files/folderKinds'
import { isFolder, pathExists } from '../files/paths'
import { adapterConfigName, adapterFiles, noWeights, readWeightMap } from '../files/weights'
import { checkHubOptions, type HubOptions, hubOptionNames } from '../hub/connection'
import { HubRefusal } from '../hub/errors'
import { idAdvice, isRepositoryId } from '../hub/ids'
import { openRepository, type Repository, type Suffices } from '../hub/repository'
import { shown } from '../options'
import { NoTokenizer } from '../tokenizers/NoTokenizer'

/** Where `fromPretrained` takes what it loads from: all but `subfolder` are for ids of the Hub. */
export interface SourceOptions extends HubOptions {
  /** The folder inside the repository, or inside the folder. Default: none. */
  readonly subfolder?: string | undefined
}

/** The names of {@link SourceOptions}. */
export const sourceOptionNames: readonly string[] = [...hubOptionNames, 'subfolder']

/** Where the files of a model or a tokenizer are. Of a repository, what is needed is fetched first. */
export interface PretrainedSource {
  /** The folder that has, or will have, the files. */
  readonly folder: string
  /** What the user gave: a folder, that inside it with `subfolder`, or an id. */
  readonly name: string
  /** The id; undefined for a folder. */
  readonly repository?: string
  /** The revision of the repository that was asked for, if any was. */
  readonly revision?: string | undefined
  /** Sees to it that config.json is there, where there is one, or that of an adapter. */
  fetchConfig(): Promise<void>
  /** Sees to it that the weights are there: safetensors, else those of PyTorch. */
  fetchWeights(): Promise<void>
  /** Sees to it that the files of a tokenizer are there. */
  fetchTokenizer(): Promise<void>
}

/** The files that have weights, or say where they are; the first that there is counts. */
const weightsFiles = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
]

/** What is loaded, and which files of a commit that Python has cached suffice for it. */
const sufficient = {
  config: known => Promise.resolve(known('config.json') === true),
  async model(known, folder) {
    if (known(adapterConfigName) === true) return adapterFiles.some(file => known(file) === true)
    if (known('config.json') !== true) return false
    const [single, index] = weightsFiles as [string, string]
    if (known(single) === true || known(index) !== true) return known(single) === true
    const files = Object.values(await readWeightMap(`${folder}/${index}`))
    return files.every(file => known(file) === true)
  },
  // A tokenizer.json has the added tokens, and needs no vocabulary beside it.
  tokenizer: known =>
    Promise.resolve(
      ['tokenizer.json', 'tokenizer_config.json', 'config.json'].every(name => known(name) === true) &&
        known('special_tokens_map.json') !== undefined,
    ),
} satisfies Record<string, Suffices>

/**
 * What a folder or an id stands for: a folder that exists wins.
 * @param what is to be loaded from it.
 * @throws TrainerError ('file') when there is no such folder and it cannot be an id; ('hub') for an id of which nothing
 * can be had, each with what to do.
 */
export async function openSource(
  what: keyof typeof sufficient,
  folderOrId: string,
  options: SourceOptions = {},
): Promise<PretrainedSource> {
  checkSourceOptions(options)
  if (typeof folderOrId !== 'string')
    throw new TrainerError('argument', `A folder, or an id of the Hub, was expected; ${shown(folderOrId)} was given.`)
  const { subfolder = '' } = options
  if (await isFolder(folderOrId)) return localSource(folderOrId, options)
  if (await pathExists(folderOrId))
    throw new TrainerError('file', `${folderOrId} is a file, not a folder.`, {
      fix: 'Give the folder that it lies in.',
    })
  if (!isRepositoryId(folderOrId))
    throw new TrainerError('file', `There is no folder "${folderOrId}".`, {
      fix: idAdvice(folderOrId) ?? 'Check the path.',
    })
  try {
    const inside = subfolder === '' ? '' : `${subfolder}/`
    const suffices: Suffices = (known, folder) =>
      sufficient[what](path => known(inside + path), inside === '' ? folder : `${folder}/${subfolder}`)
    const repository = await openRepository('model', folderOrId, options, suffices)
    return { ...repositorySource(repository, subfolder), revision: options.revision }
  } catch (error) {
    throw adviseFolder(error, folderOrId)
  }
}

function checkSourceOptions(options: SourceOptions): void {
  checkHubOptions(options)
  const { subfolder } = options
  if (subfolder === undefined) return
  const isInside =
    typeof subfolder === 'string' && subfolder.split(/[\\/]/).every(part => !['', '.', '..'].includes(part))
  if (!isInside)
    throw new TrainerError('argument', `subfolder is ${shown(subfolder)}; a folder inside it was expected.`, {
      fix: "Give its path, such as 'encoder', or leave it out.",
    })
}

async function localSource(folder: string, { subfolder, revision }: SourceOptions): Promise<PretrainedSource> {
  if (revision !== undefined && revision !== 'main')
    throw new TrainerError('argument', `${folder} is a folder of this machine, which has no revision "${revision}".`, {
      fix: 'Leave the revision out, or give the id of a repository.',
    })
  const path = subfolder === undefined ? folder : `${folder}/${subfolder}`
  if (!(await isFolder(path)))
    throw new TrainerError('file', `There is no folder "${path}".`, { fix: 'Check subfolder.' })
  const nothing = (): Promise<void> => Promise.resolve()
  return { folder: path, name: path, fetchConfig: nothing, fetchWeights: nothing, fetchTokenizer: nothing }
}

/** The error for an id that may have been meant as a folder. */
function adviseFolder(error: unknown, id: string): unknown {
  if (!(error instanceof TrainerError) || error.code !== 'hub') return error
  const { cause, problem, fix = '' } = error
  const isThere = cause instanceof HubRefusal && (cause.status === 403 || cause.errorCode === 'RevisionNotFound')
  if (isThere || (cause instanceof HubRefusal && cause.errorCode === 'GatedRepo')) return error
  return new TrainerError('hub', problem, { fix: `${fix} (There is no folder "${id}" here either.)`, cause })
}

/** What tokenizers are read from, beside SentencePiece models. */
const tokenizerFiles = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
]

function repositorySource(repository: Repository, subfolder: string): PretrainedSource {
  const { id, folder, files } = repository
  const inside = subfolder === '' ? '' : `${subfolder}/`
  const name = `${id}${subfolder === '' ? '' : `, subfolder "${subfolder}",`}`
  const place = `${folder}${subfolder === '' ? '' : `/${subfolder}`}`
  const paths = files.filter(({ path }) => path.startsWith(inside)).map(({ path }) => path.slice(inside.length))
  const names = new Set(paths.flatMap(path => [path, path.split('/')[0]!]))
  const fetch = async (wanted: readonly string[]): Promise<void> => {
    await repository.fetch(wanted.filter(path => paths.includes(path)).map(path => inside + path))
  }
  const refuseOthers = (): void =>
    refuseOtherNames(name, names, other => `"${id}" with { subfolder: "${inside}${other}" }`)
  return {
    folder: place,
    name: id,
    repository: id,
    async fetchConfig() {
      if (names.has(adapterConfigName)) return fetch([adapterConfigName])
      if (!names.has('config.json')) refuseOthers()
      if (!names.has('config.json')) throw noConfig(name)
      await fetch(['config.json'])
    },
    async fetchWeights() {
      const found = (names.has(adapterConfigName) ? adapterFiles : weightsFiles).find(file => names.has(file))
      if (found === undefined) {
        refuseOthers()
        throw new TrainerError('file', noWeights(name, paths).problem, {
          fix: 'Give the id of one that has them, or push them: model.pushToHub(id), in Python push_to_hub.',
        })
      }
      await fetch([found])
      if (!found.endsWith('.json')) return
      await fetch([...new Set(Object.values(await readWeightMap(`${place}/${found}`)))])
    },
    async fetchTokenizer() {
      const models = paths.filter(path => /^[^/]+\.model$/.test(path))
      const found = [...tokenizerFiles, ...models].filter(path => names.has(path))
      if (!found.some(path => /^(tokenizer\.json|vocab\..*|.*\.model)$/.test(path))) throw noTokenizer(name, paths)
      await fetch([...found, 'config.json'])
    },
  }
}

function noConfig(name: string): TrainerError {
  return new TrainerError('file', `The repository ${name} has no config.json.`, {
    fix: 'Is it one of a Hugging Face model?',
  })
}

function noTokenizer(name: string, paths: readonly string[]): TrainerError {
  const there = paths.filter(path => !path.includes('/')).slice(0, 20)
  return new NoTokenizer(
    `The repository ${name} has no tokenizer: it has ${there.join(', ') || 'no files'}.`,
    'Give the id of the model that it was made of, or push the tokenizer: tokenizer.pushToHub(id), in Python push_to_hub.',
  )
}
