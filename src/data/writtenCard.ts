// a dataset's card → the card with what was pushed: dataset_info and configs in the YAML of its README.md
import { type Document, isMap, isSeq, parse, parseDocument, visit, type YAMLMap, type YAMLSeq } from 'yaml'
import { TrainerError } from '../errors'
import { splitFrontMatter } from '../files/frontMatter'
import { isJsonObject } from '../json'
import { cardFeatures } from './cardFeatures'
import { writeFeatures, type Features } from './features'
import { featuresAsYaml } from './writtenFeatures'

/** A split that was pushed. */
export interface PushedSplit {
  readonly name: string
  readonly rows: number
  /** As Arrow keeps it. */
  readonly bytes: number
  /** Of its files. */
  readonly fileBytes: number
}

/** What was pushed. */
export interface Pushed {
  readonly configuration: string
  readonly features: Features
  readonly splits: readonly PushedSplit[]
  /** The folder of the files. */
  readonly dataDir: string
  readonly setDefault: boolean
  /** Whether these are all splits of the configuration from now on. */
  readonly replaces: boolean
  /** Bytes of the files that go, by split. */
  readonly removedBytes: Readonly<Record<string, number>>
  /** Splits in `data/` of a repository whose card names no files. */
  readonly unnamed: readonly string[]
}

/**
 * The card with what was pushed; everything else in it stays as it is written.
 * @param text what README.md holds; undefined where there is none.
 * @throws TrainerError (`file`) for YAML that cannot be read, (`data`) when a split has other features than the others.
 */
export function cardWith(text: string | undefined, pushed: Pushed, place: string): string {
  const front = splitFrontMatter(text ?? '')
  const written = front?.yaml ?? ''
  const document = parseDocument(written, python)
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents)))
    throw new TrainerError('file', `The YAML of README.md in ${place} cannot be read, so that nothing is pushed.`, {
      fix: 'Mend it there, between its two lines ---.',
      cause: document.errors[0],
    })
  if (document.contents === null) document.contents = document.createNode({}) as never
  setInfo(document, pushed, known(written, pushed.configuration), place)
  setConfiguration(document, pushed, place)
  const yaml = document.toString({ lineWidth: 0, singleQuote: true, indentSeq: false })
  if (front === undefined) return `---\n${yaml}---\n${text === undefined ? '' : `\n${text}`}`
  const { opening, rest } = front
  return `${opening}${opening.endsWith('\r\n') ? yaml.replaceAll('\n', '\r\n') : yaml}${rest}`
}

interface Known {
  readonly features: unknown
  readonly splits: readonly Readonly<Record<string, unknown>>[]
  readonly downloadSize: number
}

/** What the card says of a configuration, every scalar as a text: names of classes as they are written. */
function known(written: string, configuration: string): Known | undefined {
  const yaml: unknown = parse(written, { schema: 'failsafe' })
  const infos = [isJsonObject(yaml) ? yaml['dataset_info'] : undefined].flat().filter(isJsonObject)
  const info = infos.find(({ config_name: name = 'default' }) => name === configuration)
  if (info === undefined) return undefined
  const splits = [info['splits']].flat().filter(isJsonObject)
  return { features: info['features'], splits, downloadSize: Number(info['download_size'] ?? 0) }
}

function setInfo(document: Document, pushed: Pushed, info: Known | undefined, place: string): void {
  const { configuration, features, replaces } = pushed
  const names = pushed.splits.map(({ name }) => name)
  const kept = replaces ? [] : (info?.splits ?? []).filter(({ name }) => !names.includes(String(name)))
  if (kept.length > 0) checkFeatures(pushed, info!, place)
  const splits = [
    ...kept.map(split => ({
      name: split['name'],
      num_bytes: Number(split['num_bytes'] ?? 0),
      num_examples: Number(split['num_examples'] ?? 0),
    })),
    ...pushed.splits.map(({ name, bytes, rows }) => ({ name, num_bytes: bytes, num_examples: rows })),
  ]
  const before = replaces ? 0 : (info?.downloadSize ?? 0) - sum(names.map(name => pushed.removedBytes[name] ?? 0))
  const node = plainNode(document, {
    config_name: configuration,
    features: featuresAsYaml(features),
    splits,
    download_size: Math.max(before, 0) + sum(pushed.splits.map(({ fileBytes }) => fileBytes)),
    dataset_size: sum(splits.map(split => split.num_bytes)),
  })
  const all = replaced(itemsOf(document, 'dataset_info'), configuration, node)
  if (all.length > 1) document.set('dataset_info', sequence(document, all))
  else {
    if (configuration === 'default') node.delete('config_name')
    document.set('dataset_info', node)
  }
}

function checkFeatures({ features, splits }: Pushed, info: Known, place: string): void {
  const text = (known: Features): string => JSON.stringify(writeFeatures(known))
  if (info.features === undefined) return
  const there = cardFeatures(info.features, `README.md of ${place}`)
  if (text(there) === text(features)) return
  const names = (known: Features): string => Object.keys(known).join(', ')
  const differing = Object.keys({ ...there, ...features }).filter(
    name => JSON.stringify(there[name]) !== JSON.stringify(features[name]),
  )
  const what =
    names(there) === names(features)
      ? `Its other splits have another type in ${differing.join(', ')}`
      : `Its other splits have ${names(there)}`
  throw new TrainerError(
    'data',
    `The split ${splits.map(({ name }) => name).join(', ')} has the columns ${names(features)}, but not those of ${place}. ${what}.`,
    { fix: 'Push all splits at once, as a DatasetDict, or under another configName.' },
  )
}

function setConfiguration(document: Document, pushed: Pushed, place: string): void {
  const { configuration, dataDir, replaces } = pushed
  const items = itemsOf(document, 'configs')
  const own = items.find(item => nameOf(item) === configuration)
  const unnamed = items.length === 0 && configuration === 'default' ? pushed.unnamed : []
  const before = own === undefined ? unnamed.map(split => [split, `data/${split}-*`]) : filesOf(own)
  const files = new Map<string, unknown>(replaces ? [] : (before as [string, unknown][]))
  for (const { name } of pushed.splits) files.set(name, `${dataDir}/${name}-*`)
  const dataFiles = plainNode(
    document,
    [...files].map(([split, path]) => ({ split, path })),
  )
  const node = own ?? plainNode(document, { config_name: configuration })
  node.set('data_files', dataFiles)
  if (pushed.setDefault && configuration !== 'default') {
    makeDefault(items, place)
    node.set('default', true)
  }
  document.set('configs', sequence(document, replaced(items, configuration, node)))
}

/** Takes `default` from the configuration that has it. */
function makeDefault(items: readonly YAMLMap[], place: string): void {
  if (items.some(item => nameOf(item) === 'default'))
    throw new TrainerError('argument', `${place} has a configuration named 'default', which stays the default one.`, {
      fix: 'Leave setDefault out, or rename that configuration first.',
    })
  for (const item of items) item.delete('default')
}

/** A configuration's files by split, one pattern or a list of them each. */
function filesOf(configuration: YAMLMap): [string, unknown][] {
  const written = (configuration.toJSON() as Record<string, unknown>)['data_files']
  if (written === undefined) return []
  const list = Array.isArray(written) ? (written as unknown[]) : [written]
  if (list.every(item => typeof item === 'string')) return [['train', list.length === 1 ? list[0] : list]]
  return list.filter(isJsonObject).map(({ split, path }) => [String(split), path])
}

/** The entries of a key: a list of them, or a single one. */
function itemsOf(document: Document, key: string): YAMLMap[] {
  const value = document.get(key)
  return (isSeq(value) ? value.items : [value]).filter(isMap)
}

function nameOf(item: YAMLMap): string {
  return String(item.get('config_name') ?? 'default')
}

/** The entries with one in place of that of its name, sorted by name; each says its name first. */
function replaced(items: readonly YAMLMap[], name: string, node: YAMLMap): YAMLMap[] {
  const all = [...items.filter(item => nameOf(item) !== name), node]
  for (const item of all) if (item.get('config_name') === undefined) item.items.unshift(namedDefault())
  return all.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

function namedDefault(): YAMLMap['items'][number] {
  return (parseDocument('config_name: default').contents as YAMLMap).items[0]!
}

function sequence(document: Document, items: readonly YAMLMap[]): YAMLSeq {
  const list = document.createNode([]) as unknown as YAMLSeq
  list.flow = false
  list.items.push(...items)
  return list
}

/** Python reads YAML 1.1, which takes `no` and `12:30` without quotes for something else than a text. */
const python = { compat: 'yaml-1.1' } as const

/** A node of plain values. */
function plainNode(document: Document, value: object): YAMLMap {
  const node = document.createNode(value)
  // the one text that PyYAML cannot read without quotes, and that the library writes so
  visit(node, { Scalar: (_, scalar) => void (scalar.value === '=' && (scalar.type = 'QUOTE_SINGLE')) })
  return node as unknown as YAMLMap
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
