// a file, a folder or an id → rows with texts and a label, in two parts
import { Dataset, type DatasetDict, loadDataset, nearest, TrainerError } from '../../index'
import { type ChosenColumns, counted, isMissing } from './columns'
import type { Labels, RowLabel } from './labels'

/** What was read. */
export interface OpenedRows {
  readonly train: Dataset
  /** The rows that the data itself keeps for evaluations, and what they are called. */
  readonly validation: Dataset | undefined
  readonly validationName: string | undefined
}

/** @throws TrainerError for what is not there, with the nearest name, and for what has no rows. */
export async function openRows(path: string, configuration: string | undefined): Promise<OpenedRows> {
  const { splits } = await load(path, configuration)
  const names = Object.keys(splits)
  const train = splits['train'] ?? (names.length === 1 ? splits[names[0]!] : undefined)
  if (train === undefined)
    throw new TrainerError('data', `${path} has no split 'train'; it has ${names.join(', ')}.`, {
      fix: 'Give the file that is to be trained on.',
    })
  if (train.length === 0) throw new TrainerError('data', `${path} has no rows to train on.`)
  const validationName = validationNames.find(name => name in splits)
  return { train, validation: validationName && splits[validationName]!, validationName } as OpenedRows
}

/** What the rows are called that data keeps for evaluations. */
const validationNames = ['validation', 'validation_matched', 'dev', 'valid']

/**
 * The rows to evaluate on, and what they are called: the split that is named, else the one for validation, else the one
 * for tests, else the only one.
 * @throws TrainerError as openRows does.
 */
export async function openEvaluated(
  path: string,
  configuration: string | undefined,
  wanted: string | undefined,
): Promise<{ readonly rows: Dataset; readonly place: string }> {
  const { splits } = await load(path, configuration)
  const names = Object.keys(splits)
  const usual = wanted === undefined ? [...validationNames, 'test'] : [wanted]
  const name =
    usual.find(one => names.includes(one)) ?? (wanted === undefined && names.length === 1 ? names[0] : undefined)
  if (name === undefined) {
    const near = nearest(wanted ?? '', names)
    const problem = `${path} has no split '${wanted ?? 'validation'}'; it has ${names.join(', ')}.`
    throw new TrainerError('data', problem, {
      fix: near === undefined ? `Give the file of one, or to evaluate --split ${names[0]}.` : `Did you mean '${near}'?`,
    })
  }
  const rows = splits[name]!
  if (rows.length === 0) throw new TrainerError('data', `${path} has no rows to evaluate on.`)
  return { rows, place: names.length === 1 ? path : `${name} of ${path}` }
}

/** @throws TrainerError as loadDataset does, its advice in words of the command line. */
async function load(path: string, configuration: string | undefined): Promise<DatasetDict> {
  try {
    return await loadDataset(path, configuration, {})
  } catch (cause) {
    const named = cause instanceof TrainerError ? /loadDataset\('.*', '(.*)'\)/.exec(cause.fix ?? '')?.[1] : undefined
    if (named === undefined) throw cause
    const { code, problem } = cause as TrainerError
    throw new TrainerError(code, problem, { fix: `Name one: --configuration ${named}.`, cause })
  }
}

/** Rows that have everything, and the numbers of those that have not, counted from 1. */
export interface UsableRows {
  /** The columns of texts, and `label`. */
  readonly rows: Dataset
  readonly leftOut: readonly number[]
}

/** The columns of texts are called so, or otherwise where a name means something else to a model. */
export function textNames({ texts }: Pick<ChosenColumns, 'texts'>): string[] {
  return texts.map(name =>
    /^(labels?|label_ids|input_ids|attention_mask|token_type_ids)$/.test(name) ? `${name}_text` : name,
  )
}

/** Leaves out the rows without a text or a label. */
export function usableRows(rows: Dataset, columns: ChosenColumns, labels: Labels, place: string): UsableRows {
  const texts = columns.texts.map(name => rows.column(name) as ArrayLike<unknown>)
  const values = labels.of(rows, place)
  const kept: number[] = []
  const leftOut: number[] = []
  for (let row = 0; row < rows.length; row++) {
    const isWhole = values[row] !== undefined && texts.every(column => !isMissing(column[row]))
    if (isWhole) kept.push(row)
    else leftOut.push(row + 1)
  }
  if (kept.length === 0)
    throw new TrainerError('data', `No row of ${place} has both a text (${columns.texts.join(', ')}) and a label.`)
  const names = textNames(columns)
  const named = Object.fromEntries(names.map((name, at) => [name, kept.map(row => String(texts[at]![row]))]))
  return {
    rows: withLabels(
      named,
      kept.map(row => values[row]),
      labels,
    ),
    leftOut,
  }
}

function withLabels(columns: Readonly<Record<string, unknown[]>>, values: RowLabel[], labels: Labels): Dataset {
  const { names, task } = labels
  const features =
    task === 'text-classification' ? { label: { type: 'ClassLabel', dtype: 'int64', names } as const } : {}
  return Dataset.fromColumns({ ...columns, label: values }, features) as object as Dataset
}

/** "3 rows have no text or no label, and are left out: 5, 9 and 12 (counted from 1)." */
export function leftOutNote(leftOut: readonly number[], place: string): string | undefined {
  if (leftOut.length === 0) return undefined
  const shown = leftOut.slice(0, 10).map(counted).join(', ')
  const more = leftOut.length > 10 ? ', …' : ''
  const rows = leftOut.length === 1 ? '1 row has' : `${counted(leftOut.length)} rows have`
  const are = leftOut.length === 1 ? 'is' : 'are'
  return `${rows} no text or no label in ${place} and ${are} left out: ${shown}${more} (counted from 1).`
}
