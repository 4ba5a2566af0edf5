// options of pushToHub, checked before anything is written
import { TrainerError } from '../errors'
import type { HubOptions } from '../hub/connection'
import type { PushToHubOptions } from '../hub/pushOptions'
import { isJsonObject } from '../json'
import { checkFlag, checkOptions, shown } from '../options'

/** Options of both `pushToHub`. */
export interface PushOptions extends Omit<PushToHubOptions, 'token'>, Pick<HubOptions, 'token'> {
  /** The configuration's name. Default 'default'. */
  readonly configName?: string | undefined
  /** Whether it becomes the configuration that is loaded without a name. Default false. */
  readonly setDefault?: boolean | undefined
  /** The folder of the files. Default: the configuration's name, and `data` for 'default'. */
  readonly dataDir?: string | undefined
  /** The commit's title. Default 'Upload dataset'. */
  readonly commitMessage?: string | undefined
  /** The most bytes of rows in a file, as a number or as '500MB', '1GiB'. Default '500MB'. */
  readonly maxShardSize?: number | string | undefined
}

/** Options of {@link Dataset.pushToHub}. */
export interface PushSplitOptions extends PushOptions {
  /** The split's name. Default: that which the rows were loaded from, else 'train'. */
  readonly split?: string | undefined
  /** How many files; by default as many as `maxShardSize` asks for. */
  readonly numShards?: number | undefined
}

/** Options of {@link DatasetDict.pushToHub}. */
export interface PushSplitsOptions extends PushOptions {
  /** How many files, by split; by default as many as `maxShardSize` asks for. */
  readonly numShards?: Readonly<Record<string, number>> | undefined
}

const common = ['configName', 'setDefault', 'dataDir', 'commitMessage', 'commitDescription', 'private', 'revision']
const names = [...common, 'createPr', 'maxShardSize', 'numShards', 'token']

/** The split that options name. @throws TrainerError (`argument`) for options that there are not. */
export function splitOf(options: PushSplitOptions): string | undefined {
  checkOptions(options, [...names, 'split'], 'pushToHub()')
  return options.split
}

/** What is pushed, and how. */
export interface PushPlan {
  readonly configuration: string
  readonly setDefault: boolean
  readonly dataDir: string
  readonly message: string
  readonly description: string | undefined
  readonly private: boolean | undefined
  readonly token: HubOptions['token']
  readonly revision: string | undefined
  readonly createPr: boolean
  /** How many files a split of so many bytes becomes. */
  shardCount(split: string, bytes: number): number
}

/** The plan of some options. @throws TrainerError (`argument`) for those that cannot be. */
export function pushPlan(splits: readonly string[], options: PushSplitsOptions): PushPlan {
  checkOptions(options, names, 'pushToHub()')
  const { configName: configuration = 'default', setDefault = false, createPr = false, numShards } = options
  checkNames(splits, configuration, options.dataDir)
  checkFlag(setDefault, 'setDefault')
  checkFlag(createPr, 'createPr')
  checkFlag(options.private, 'private')
  checkCounts(numShards, splits)
  if (numShards !== undefined && options.maxShardSize !== undefined)
    throw new TrainerError('argument', 'maxShardSize and numShards both say how many files are written.', {
      fix: 'Give one of them.',
    })
  const most = sizeOf(options.maxShardSize ?? '500MB')
  const usual = configuration === 'default' ? 'data' : configuration
  return {
    configuration,
    setDefault,
    dataDir: (options.dataDir ?? usual).replace(/\/+$/, ''),
    message: options.commitMessage ?? 'Upload dataset',
    description: options.commitDescription,
    private: options.private,
    token: options.token,
    revision: options.revision,
    createPr,
    shardCount: (split, bytes) => numShards?.[split] ?? Math.floor(bytes / most) + 1,
  }
}

function checkNames(splits: readonly string[], configuration: unknown, dataDir: unknown): void {
  const isName = (value: unknown): boolean =>
    typeof value === 'string' && /^[^\\/:*?"<>|\s.][^\\/:*?"<>|\r\n]*$/.test(value)
  if (!isName(configuration) || configuration === 'data')
    throw new TrainerError('argument', `configName is ${shown(configuration)}, which cannot name a configuration.`, {
      fix: "Give the name of a folder, other than 'data'.",
    })
  const parts = typeof dataDir === 'string' ? dataDir.replace(/\/+$/, '').split('/') : []
  if (dataDir !== undefined && (parts.length === 0 || !parts.every(isName)))
    throw new TrainerError('argument', `dataDir is ${shown(dataDir)}; a folder of the repository was expected.`, {
      fix: "Write it as 'data' or 'data/en'.",
    })
  const wrong = splits.find(name => typeof name !== 'string' || !/^\w+(\.\w+)*$/.test(name))
  if (wrong !== undefined)
    throw new TrainerError('argument', `${shown(wrong)} cannot be the name of a split on the Hub.`, {
      fix: 'One has letters, digits, "_", and "." between them.',
    })
  if (splits.length === 0) throw new TrainerError('argument', 'A DatasetDict without splits cannot be pushed.')
}

function checkCounts(counts: unknown, splits: readonly string[]): void {
  if (counts !== undefined && !isJsonObject(counts))
    throw new TrainerError('argument', `numShards is ${shown(counts)}; numbers by split were expected.`, {
      fix: `Write it as { ${splits[0]}: 4 }.`,
    })
  for (const [split, count] of Object.entries(counts ?? {})) {
    if (!splits.includes(split))
      throw new TrainerError('argument', `numShards names the split '${split}'; there are ${splits.join(', ')}.`)
    if (count !== undefined && (!Number.isInteger(count) || (count as number) < 1 || (count as number) > 99_999))
      throw new TrainerError('argument', `numShards must be a whole number above 0, not ${shown(count)}.`)
  }
}

/** '500MB' in bytes. */
function sizeOf(written: number | string): number {
  const match = /^(\d+)\s*([KMGTP]?)(i?)B$/i.exec(String(written))
  const power = match === null ? 0 : ['', 'K', 'M', 'G', 'T', 'P'].indexOf(match[2]!.toUpperCase())
  const bytes = match === null ? written : Number(match[1]) * (match[3] === '' ? 1000 : 1024) ** power
  if (typeof bytes === 'number' && Number.isFinite(bytes) && bytes >= 1) return bytes
  throw new TrainerError('argument', `maxShardSize is ${shown(written)}; a number of bytes was expected.`, {
    fix: "Write it as 500_000_000 or '500MB'.",
  })
}
