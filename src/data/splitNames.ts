// the names of folders and files → splits, as Python's `datasets` takes them
import { nearest, TrainerError } from '../errors'
import { matchingPaths } from './patterns'

/** The paths of each split's files, in order. */
export type SplitFiles = Readonly<Record<string, readonly string[]>>

const keywords: Readonly<Record<string, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['validation', 'valid', 'dev', 'val'],
  test: ['test', 'testing', 'eval', 'evaluation'],
}

/** What may stand around a keyword; a letter may not. */
const apart = '[-._ 0-9]'

const inFolders = (word: string): string[] => [
  `**/${word}/**`,
  `**/${word}${apart}*/**`,
  `**/*${apart}${word}/**`,
  `**/*${apart}${word}${apart}*/**`,
]

const inFiles = (word: string): string[] => [`**/${word}${apart}*`, `**/*${apart}${word}${apart}*`]

/**
 * The splits of data files by their names: `data/NAME-00000-of-00001` gives any split; else a folder named after one
 * (`train`, `dev`, `my-test`), else a file. Once there is a split, files of none are left out; without any, all are
 * 'train'. A file may be in several splits.
 * @param paths relative to the folder of the dataset.
 */
export function splitsByName(paths: readonly string[]): SplitFiles {
  const sharded = shardedSplits(paths)
  if (sharded !== undefined) return sharded
  for (const patternsOf of [inFolders, inFiles]) {
    const splits: Record<string, readonly string[]> = {}
    for (const [split, words] of Object.entries(keywords)) {
      const found = words.flatMap(patternsOf).flatMap(pattern => matchingPaths(pattern, paths))
      if (found.length > 0) splits[split] = [...new Set(found)]
    }
    if (Object.keys(splits).length > 0) return matchedApart(splits)
  }
  return { train: matchingPaths('**', paths) }
}

/** Whether a name is one that tells a split: `dev`, `my-test`. */
export function isSplitWord(name: string): boolean {
  const words = Object.values(keywords).flat()
  return words.some(word => inFolders(word).some(pattern => matchingPaths(pattern, [`${name}/file`]).length > 0))
}

/** The split that may have been meant by a word that names none: 'dev' is a word for 'validation'. */
export function splitMeant(word: string, there: readonly string[]): string | undefined {
  const plain = word.toLowerCase()
  const [keyword] = Object.entries(keywords).find(([, words]) => words.includes(plain)) ?? [plain]
  const starting = (start: string): string | undefined =>
    there.find(name => name === start || name.startsWith(`${start}_`))
  return starting(keyword) ?? nearest(word, there)
}

function shardedSplits(paths: readonly string[]): SplitFiles | undefined {
  const shards = matchingPaths('data/*-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]*.*', paths)
  if (shards.length === 0) return undefined
  return groupedBySplit(shards, path => /^data\/(.+)-\d{5}-of-\d{5}/.exec(path)![1]!)
}

/** Paths by the split that each is of, whatever it is called. */
export function groupedBySplit(paths: readonly string[], splitOf: (path: string) => string): SplitFiles {
  const splits = new Map<string, string[]>()
  for (const path of paths) {
    const split = splitOf(path)
    if (!splits.has(split)) splits.set(split, [])
    splits.get(split)!.push(path)
  }
  return inOrder(Object.fromEntries(splits))
}

/** Training, validation and test first, then others by name. */
export function inOrder(splits: SplitFiles): SplitFiles {
  const order = Object.keys(keywords)
  const rank = (name: string): number => (order.indexOf(name) + order.length + 1) % (order.length + 1)
  return Object.fromEntries(Object.entries(splits).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1)))
}

/** MNLI's two validation and two test splits, which Python reads as one each when no card tells them apart. */
function matchedApart(splits: SplitFiles): SplitFiles {
  const kindOf = (path: string): string | undefined => /[-._ /](matched|mismatched)(?=[-._ /0-9])/.exec(path)?.[1]
  const parts = Object.entries(splits).flatMap(([split, files]): [string, readonly string[]][] => {
    const kinds = ['matched', 'mismatched'].map(kind => files.filter(file => kindOf(file) === kind))
    if (kinds.some(({ length }) => length === 0)) return [[split, files]]
    const [matched = [], mismatched = []] = kinds
    const others = files.filter(file => kindOf(file) === undefined)
    return [
      ...(others.length > 0 ? [[split, others] as [string, readonly string[]]] : []),
      [`${split}_matched`, matched],
      [`${split}_mismatched`, mismatched],
    ]
  })
  return Object.fromEntries(parts)
}

/** The error for a split that cannot be a property of a DatasetDict. */
export function unfitName(name: string): TrainerError {
  return new TrainerError(
    'data',
    `A split cannot be called '${name}': datasets by split have something of that name.`,
    {
      fix: `Load it alone: split: '${name}', or give its files another name: dataFiles: { other: … }.`,
    },
  )
}
