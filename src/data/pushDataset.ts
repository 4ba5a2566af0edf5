// tables by split → parquet files and a card in a repository of the Hub, as Python's push_to_hub makes them
import { TrainerError } from '../errors'
import { readText } from '../files/readFile'
import { inTemporaryFolder } from '../files/temporary'
import { pathIn } from '../files/tree'
import { writeFileWhole } from '../files/writeFile'
import { createRepository } from '../hub/createRepository'
import { openRepository, type Repository, type RepositoryFile } from '../hub/repository'
import { uploadFiles, type Changes, type UploadedCommit } from '../hub/upload'
import { writeFeatures, type Features } from './features'
import { pushPlan, splitOf, type PushPlan, type PushSplitOptions, type PushSplitsOptions } from './pushOptions'
import type { Table } from './table'
import { wholeFeatures } from './wholeFeatures'
import { encodeParquet, tableBytes } from './writeParquet'
import { cardWith, type PushedSplit } from './writtenCard'

/**
 * Pushes one split; the others of its configuration stay.
 * @param loaded the split that the rows were loaded from.
 */
export async function pushSplit(
  table: Table,
  id: string,
  options: PushSplitOptions,
  loaded?: string,
): Promise<UploadedCommit> {
  const split = splitOf(options) ?? loaded ?? 'train'
  const { split: _, numShards: count, ...others } = options
  const numShards = count === undefined ? {} : { numShards: { [split]: count } }
  return pushTables(new Map([[split, table]]), id, { ...others, ...numShards }, false)
}

/** Pushes all splits of a configuration; those that it has besides are removed. */
export function pushSplits(
  tables: ReadonlyMap<string, Table>,
  id: string,
  options: PushSplitsOptions,
): Promise<UploadedCommit> {
  return pushTables(tables, id, options, true)
}

/** Pushes splits of a configuration as one commit. */
async function pushTables(
  tables: ReadonlyMap<string, Table>,
  id: string,
  options: PushSplitsOptions,
  replaces: boolean,
): Promise<UploadedCommit> {
  const plan = pushPlan([...tables.keys()], options)
  const { token, revision, createPr, message, description } = plan
  const features = await commonFeatures(tables)
  const name = await createRepository('dataset', id, { token, private: plan.private, readable: createPr })
  return inTemporaryFolder(async folder => {
    const files: Record<string, string> = {}
    const splits: PushedSplit[] = []
    for (const [split, table] of tables) {
      const bytes = await tableBytes(table, features)
      const written = await writeShards(table, features, pathIn(folder, split), plan.shardCount(split, bytes))
      for (const [index, path] of written.paths.entries())
        files[shardName(plan, split, index, written.paths.length)] = path
      splits.push({ name: split, rows: table.length, bytes, fileBytes: written.bytes })
    }
    const beside = async (commit: string): Promise<Changes> => {
      const there = await openRepository('dataset', name, { token, revision: commit })
      const old = oldFiles(there, plan.dataDir, replaces ? undefined : [...tables.keys()])
      const removedBytes = Object.fromEntries(splits.map(split => [split.name, bytesOf(old, plan, split.name)]))
      const pushed = { ...plan, features, splits, replaces, removedBytes, unnamed: shardedSplits(there) }
      const card = cardWith(await cardOf(there), pushed, name)
      const removed = old.map(({ path }) => path).filter(path => files[path] === undefined)
      return { files: { 'README.md': new TextEncoder().encode(card) }, removed }
    }
    const how = { message, description, token, revision, createPr, beside, showsProgress: true }
    return uploadFiles('dataset', name, files, how)
  })
}

/** What the columns of all splits hold. @throws TrainerError (`data`) where they differ. */
async function commonFeatures(tables: ReadonlyMap<string, Table>): Promise<Features> {
  let first: { readonly split: string; readonly features: Features } | undefined
  for (const [split, table] of tables) {
    const features = await wholeFeatures(table)
    first ??= { split, features }
    const differing = differingColumn(first.features, features)
    if (differing === undefined) continue
    throw new TrainerError(
      'data',
      `The splits ${first.split} and ${split} differ in column '${differing}'; all splits of a configuration have the same columns.`,
      { fix: 'Make them alike, or push them apart, each with a configName of its own.' },
    )
  }
  return first!.features
}

function differingColumn(a: Features, b: Features): string | undefined {
  const text = (features: Features, name: string): string | undefined =>
    features[name] && JSON.stringify(writeFeatures({ [name]: features[name] }))
  return Object.keys({ ...a, ...b }).find(name => text(a, name) !== text(b, name))
}

/** Writes a table as so many files, whose rows are as many as can be equal. */
async function writeShards(
  table: Table,
  features: Features,
  prefix: string,
  count: number,
): Promise<{ readonly paths: readonly string[]; readonly bytes: number }> {
  const paths: string[] = []
  let bytes = 0
  const [size, more] = [Math.floor(table.length / count), table.length % count]
  for (let index = 0; index < count; index++) {
    const start = index * size + Math.min(index, more)
    const part = { features, start, end: start + size + (index < more ? 1 : 0) }
    const path = `${prefix}-${index}.parquet`
    bytes += await writeFileWhole(path, encodeParquet(table, part))
    paths.push(path)
  }
  return { paths, bytes }
}

function shardName({ dataDir }: PushPlan, split: string, index: number, count: number): string {
  const [number, all] = [index, count].map(value => String(value).padStart(5, '0'))
  return `${dataDir}/${split}-${number}-of-${all}.parquet`
}

/** The files of some splits in a folder, or all of them. */
function oldFiles({ files }: Repository, dataDir: string, splits?: readonly string[]): readonly RepositoryFile[] {
  const within = files.filter(({ path }) => path.startsWith(`${dataDir}/`) && !path.includes('/', dataDir.length + 1))
  if (splits === undefined) return within
  return within.filter(({ path }) => splits.some(split => path.startsWith(`${dataDir}/${split}-`)))
}

function bytesOf(files: readonly RepositoryFile[], { dataDir }: PushPlan, split: string): number {
  const own = files.filter(({ path }) => path.startsWith(`${dataDir}/${split}-`))
  return own.reduce((total, { size }) => total + size, 0)
}

/** The splits that names in `data/` tell, as they were pushed before cards named files. */
function shardedSplits({ files }: Repository): string[] {
  const names = files.map(({ path }) => /^data\/([^/]+)-\d{5}-of-\d{5}[^/]*\.parquet$/.exec(path)?.[1])
  return [...new Set(names.filter(name => name !== undefined))]
}

async function cardOf(repository: Repository): Promise<string | undefined> {
  if (!repository.files.some(({ path }) => path === 'README.md')) return undefined
  return readText(pathIn(await repository.fetch(['README.md']), 'README.md'))
}
