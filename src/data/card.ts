// README.md of a folder or a repository → what its YAML says of files, configurations and columns
import { parse as parseYaml } from 'yaml'
import { TrainerError } from '../errors'
import { frontMatterOf } from '../files/frontMatter'
import { pathIn } from '../files/tree'
import { isJsonObject } from '../json'
import { cardFeatures } from './cardFeatures'
import type { Features } from './features'
import type { ReadOptions } from './formats'
import type { DataSource } from './sources'

/** What a card says of one configuration. */
export interface Configuration {
  readonly name: string
  /** Patterns of files by split, as `dataFiles` takes them; undefined where the names of files say it. */
  readonly dataFiles: Readonly<Record<string, readonly string[]>> | undefined
  /** The folder that the files are in. */
  readonly dataDir: string | undefined
  readonly isDefault: boolean
  /** How the files are read. */
  readonly options: ReadOptions
}

/** What the YAML at the beginning of a README.md says. */
export interface Card {
  /** In the order of the card; empty where it does not name any. */
  readonly configurations: readonly Configuration[]
  /** The columns of a configuration, or of the only one. */
  features(configuration: string | undefined): Features | undefined
}

/**
 * Reads the card of a folder or a repository; undefined if it has none, or one without YAML.
 * @throws TrainerError (`file`) for YAML that cannot be read, or that says what nothing here can do.
 */
export async function readCard(source: DataSource): Promise<Card | undefined> {
  const text = await source.readText('README.md')
  const written = frontMatterOf(text ?? '')
  if (written === undefined) return undefined
  const path = pathIn(source.name, 'README.md')
  const yaml = parseCard(written, path)
  const infos = listOf(yaml['dataset_info'])
  const configs = listOf(yaml['configs'])
  const configurations = configs.map(entry => configurationOf(entry, path))
  const twice = configurations.find(({ name }, at) => configurations.findIndex(other => other.name === name) < at)
  if (twice !== undefined) throw new TrainerError('file', `${path} has two configurations '${twice.name}'.`)
  return {
    configurations,
    features(configuration) {
      const nameOf = ({ config_name: name = 'default' }: Yaml): unknown => name
      const only = configuration === undefined && infos.length === 1 ? infos[0] : undefined
      const info = only ?? infos.find(entry => nameOf(entry) === (configuration ?? 'default'))
      const own = configs.find(({ config_name: name }) => name === configuration)
      const features = own?.['features'] ?? info?.['features']
      return features === undefined ? undefined : cardFeatures(features, path)
    },
  }
}

type Yaml = Readonly<Record<string, unknown>>

/** Every scalar stays a text: `no` and `1.0` are names of classes as the author wrote them. */
function parseCard(text: string, path: string): Yaml {
  try {
    const yaml: unknown = parseYaml(text, { schema: 'failsafe' })
    return isJsonObject(yaml) ? yaml : {}
  } catch (cause) {
    throw new TrainerError('file', `The YAML of ${path} cannot be read: ${(cause as Error).message}`, {
      fix: 'Mend it, or name the files yourself: dataFiles: { train: … }.',
      cause,
    })
  }
}

/** What a configuration may say that has nothing to do with reading its files. */
const descriptions = ['config_name', 'data_files', 'data_dir', 'default', 'version', 'description', 'features']

/** Python's names of options, and what they are here. */
const optionNames: Readonly<Record<string, readonly [keyof ReadOptions, (written: unknown) => unknown]>> = {
  sep: ['sep', String],
  delimiter: ['delimiter', String],
  decimal: ['decimal', String],
  encoding: ['encoding', String],
  field: ['field', String],
  skiprows: ['skipRows', Number],
  nrows: ['nRows', Number],
  names: ['columnNames', written => written],
  column_names: ['columnNames', written => written],
  usecols: ['columns', written => written],
  columns: ['columns', written => written],
}

function configurationOf(written: Yaml, path: string): Configuration {
  const name = written['config_name']
  if (typeof name !== 'string')
    throw new TrainerError('file', `${path} has a configuration without config_name among its configs.`)
  const options: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(written)) {
    if (descriptions.includes(key)) continue
    const option = optionNames[key]
    if (option === undefined) {
      throw new TrainerError(
        'file',
        `${path} gives configuration '${name}' the option ${key}, which is not read here.`,
        {
          fix: 'Name the files and options yourself: dataFiles: { train: … }.',
        },
      )
    }
    options[option[0]] = option[1](value)
  }
  return {
    name,
    dataFiles: dataFilesOf(written['data_files'], `data_files of configuration '${name}' in ${path}`),
    dataDir: typeof written['data_dir'] === 'string' ? written['data_dir'] : undefined,
    isDefault: written['default'] === 'true',
    options,
  }
}

function dataFilesOf(written: unknown, place: string): Record<string, readonly string[]> | undefined {
  if (written === undefined) return undefined
  const texts = (value: unknown): readonly string[] | undefined => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    return list.every(item => typeof item === 'string') ? list : undefined
  }
  const all = texts(written)
  if (all !== undefined) return { train: all }
  const splits = Array.isArray(written) ? written.map(item => (isJsonObject(item) ? item : {})) : []
  const files = splits.map(({ split, path }) => [split, texts(path)] as const)
  if (files.length === 0 || files.some(([split, paths]) => typeof split !== 'string' || paths === undefined))
    throw new TrainerError('file', `${place} are not files, nor a list of a split and a path each.`)
  const twice = files.find(([split], at) => files.findIndex(([other]) => other === split) < at)
  if (twice !== undefined)
    throw new TrainerError('file', `${place} have the split '${String(twice[0])}' twice.`, {
      fix: 'List all its files in one place: path: [a.csv, b.csv].',
    })
  return Object.fromEntries(files) as Record<string, readonly string[]>
}

function listOf(written: unknown): readonly Yaml[] {
  const list: readonly unknown[] = Array.isArray(written) ? written : [written]
  return list.filter(isJsonObject)
}
