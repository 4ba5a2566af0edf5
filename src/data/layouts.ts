// what files a folder holds beside or instead of a split's rows
import { TrainerError } from '../errors'
import { formatOf, type Format } from './formats'
import type { SplitFiles } from './splitNames'
import { uncompressedName } from './unpack'

const families: Readonly<Partial<Record<Format, Format>>> = { tsv: 'csv', jsonl: 'json' }

/** What reads a file: CSV and TSV, JSON and JSON Lines are read alike. */
function familyOf(file: string): Format {
  const format = formatOf(file)
  return families[format] ?? format
}

/** Splits without the notes that lie beside their rows: where texts and other files meet, the more frequent count. */
export function withoutNotes(splits: SplitFiles): SplitFiles {
  const rowsOf = (files: readonly string[]): readonly string[] => {
    const counts = new Map<Format, number>()
    for (const file of files) counts.set(formatOf(file), (counts.get(formatOf(file)) ?? 0) + 1)
    const texts = counts.get('text') ?? 0
    counts.delete('text')
    const areTexts = texts > Math.max(0, ...counts.values())
    return files.filter(file => (formatOf(file) === 'text') === areTexts)
  }
  return Object.fromEntries(Object.entries(splits).map(([split, files]) => [split, rowsOf(files)]))
}

/**
 * Splits whose rows are there once.
 * @throws TrainerError (`file`) for a split that is in files of several formats, or of one name.
 */
export function refuseTwice(splits: SplitFiles, place: string): SplitFiles {
  for (const [split, files] of Object.entries(splits)) {
    const base = (file: string): string => uncompressedName(file).replace(/\.\w+$/, '')
    const [first = ''] = files
    const other = files.find(
      (file, at) =>
        familyOf(file) !== familyOf(first) || files.slice(0, at).some(before => base(before) === base(file)),
    )
    if (other === undefined) continue
    const twin = files.find(file => file !== other && base(file) === base(other)) ?? first
    throw new TrainerError('file', `${place} has the split ${split} twice: in ${twin} and in ${other}.`, {
      fix: `Name the file that you want: dataFiles: { ${split}: '${twin}' }.`,
    })
  }
  return splits
}

/** Refuses a folder that `save_to_disk` of Python wrote: its rows are in Arrow files. */
export function refuseSavedToDisk(folder: string, paths: readonly string[]): void {
  const path = folder.replace(/[\\/]+$/, '')
  const has = (pattern: RegExp): boolean => paths.some(name => pattern.test(name))
  if (!has(/\.arrow$/) || !has(/(^|\/)(dataset_dict|state)\.json$/)) return
  const [files, write] = has(/(^|\/)dataset_dict\.json$/)
    ? [
        `${path}-parquet`,
        `[split.to_parquet("${path}-parquet/" + name + ".parquet") for name, split in dataset.items()]`,
      ]
    : [`${path}.parquet`, `dataset.to_parquet("${path}.parquet")`]
  throw new TrainerError(
    'file',
    `${path} was written by save_to_disk of Python's datasets: Arrow files, which are not read here.`,
    {
      fix:
        'Convert it in Python: from datasets import load_from_disk; ' +
        `dataset = load_from_disk("${path}"); ${write}. Then load ${files}.`,
    },
  )
}
