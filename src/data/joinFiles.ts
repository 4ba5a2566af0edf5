// the files of a split → one table, each of whose columns has one type
import { TrainerError } from '../errors'
import { columnsOption, compactColumn, concatColumns, type Column } from './columns'
import type { Feature, Features } from './features'
import type { FileColumns, ReadOptions } from './formats'
import type { Table } from './table'
import { typedColumn } from './typedCells'

/**
 * The rows of a split's files, one file after the other.
 * @param declared what a card says of the columns: texts stay texts, whatever is in them.
 * @throws TrainerError (`data`) naming both files where they differ in their columns, in the type of one, or in the
 * names of classes.
 */
export function joinFiles(files: readonly FileColumns[], options: ReadOptions, declared: Features = {}): Table {
  const [first, ...others] = files
  if (first === undefined) throw new TrainerError('internal', 'internal: a split was found without files.')
  for (const other of others) checkSameColumns(first, other)
  const columns = new Map<string, Column>()
  const features: Record<string, Feature> = {}
  for (const name of first.columns.keys()) {
    const { parts, feature } = typedParts(name, files, options, declared[name])
    if (files.length > 1) checkOneType(name, parts, files)
    columns.set(name, concatColumns(parts))
    const known = feature ?? commonFeature(name, files)
    if (known !== undefined) features[name] = known
  }
  return { columns, features, length: files.reduce((rows, { length }) => rows + length, 0) }
}

function checkSameColumns(first: FileColumns, other: FileColumns): void {
  const names = [...other.columns.keys()]
  if (names.length === first.columns.size && names.every(name => first.columns.has(name))) return
  const expected = [...first.columns.keys()].join(', ') || 'none'
  throw new TrainerError(
    'data',
    `${other.file} has the columns ${names.join(', ') || 'none'}, ${first.file} of the same split has ${expected}.`,
  )
}

/** A column of each file; written cells get the type that fits them all. */
function typedParts(
  name: string,
  files: readonly FileColumns[],
  { decimal = '.' }: ReadOptions,
  declared: Feature | undefined,
): { parts: Column[]; feature?: Feature } {
  const written = files.flatMap(file => {
    const cells = file.columns.get(name)!
    const place = `Column '${name}' of ${file.file}`
    return isWritten(cells) ? [{ cells, place, others: othersIn(file, name), decimal }] : []
  })
  if (written.length === 0) return { parts: files.map(({ columns }) => columns.get(name) as Column) }
  const { values, feature } = typedColumn(written, declared)
  const typed = values.map(compactColumn).values()
  const parts = files.map(({ columns }) => {
    const cells = columns.get(name)!
    return isWritten(cells) ? typed.next().value! : cells
  })
  return { parts, ...(feature !== undefined && { feature }) }
}

/** The columns of a file beside one. */
function othersIn({ columns }: FileColumns, name: string): string[] {
  return [...columns.keys()].filter(other => other !== name)
}

function isWritten(cells: Column | readonly string[]): cells is readonly string[] {
  return Array.isArray(cells)
}

/** Refuses a column that is numbers in one file and texts in another. */
function checkOneType(name: string, parts: readonly Column[], files: readonly FileColumns[]): void {
  let known: { readonly kind: string; readonly at: number } | undefined
  for (const [at, column] of parts.entries()) {
    for (const kind of kindsOf(column)) {
      known ??= { kind, at }
      if (known.kind === kind || known.at === at) continue
      const others = othersIn(files[at]!, name)
      throw new TrainerError(
        'data',
        `Column '${name}' has ${known.kind} in ${files[known.at]!.file}, but ${kind} in ${files[at]!.file} of the ` +
          'same split.',
        {
          fix:
            others.length === 0
              ? 'Write them alike.'
              : `Write them alike, or leave the column out: ${columnsOption(others)}.`,
        },
      )
    }
  }
}

function kindsOf(column: Column): Set<string> {
  if (column.listLengths !== undefined) return new Set(['lists'])
  const kinds = new Set<string>()
  for (let row = 0; row < column.length; row++) {
    const kind = kindOf(column.get(row))
    if (kind !== undefined) kinds.add(kind)
  }
  return kinds
}

function kindOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return 'lists'
  return typeof value === 'object' ? 'objects' : `${typeof value === 'string' ? 'text' : typeof value}s`
}

/** What the files say of a column: the names of its classes, or its dtype; floating point where one of them has it. */
function commonFeature(name: string, files: readonly FileColumns[]): Feature | undefined {
  const known = files.filter(({ features }) => features[name] !== undefined)
  const labelled = known.filter(({ features }) => features[name]!.type === 'ClassLabel')
  const namesOf = ({ features }: FileColumns): string => features[name]!.names!.join(', ')
  const different = labelled.find(file => namesOf(file) !== namesOf(labelled[0]!))
  if (different !== undefined) {
    throw new TrainerError(
      'data',
      `Column '${name}' has the classes ${namesOf(labelled[0]!)} in ${labelled[0]!.file}, but ${namesOf(different)} in ` +
        `${different.file} of the same split.`,
    )
  }
  const float = known.find(({ features }) => features[name]!.dtype.startsWith('float'))
  return (labelled[0] ?? float ?? known[0])?.features[name]
}
