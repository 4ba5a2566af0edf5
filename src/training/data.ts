import { Dataset } from '../data/dataset'
import { createLoader, type Loader, type LoaderRows, rowAt, rowCount, type RowSource } from '../data/loader'
import { modelColumns, type SelectedColumns, selectModelColumns, wholeRow } from '../data/modelColumns'
import { lengthGroupedEpochOrder, randomOrder } from '../data/sampler'
import { nearest, quoted, TrainerError } from '../errors'
import { labelColumn, labelColumns } from '../labelColumn'
import { logOnce } from '../logging'
import type { TrainingArguments } from '../TrainingArguments'
import { collated } from './collating'
import type { Batch } from '../tensor'
import type { LoadedBatch } from './LoadedBatch'
import type { DataCollator } from './options'

/** What loaders are made from. */
export interface LoaderParts {
  readonly args: TrainingArguments
  readonly collator: DataCollator
  /** The columns that the model takes beside labels. */
  readonly inputNames: readonly string[]
  /** The columns that are labels to its head. */
  readonly labelNames: readonly string[]
  /** What the model calls its classes, in the order of their numbers; undefined where it only numbers them. */
  readonly classNames: readonly string[] | undefined
}

/** Batches to train on, in the order that `trainSamplingStrategy`, seed and epoch give. */
export function trainLoader(parts: LoaderParts, dataset: LoaderRows<object>): Loader<LoadedBatch> {
  const { args } = parts
  const { rows, dropped } = modelRows(parts, dataset, 'training')
  const order = rowOrder(args, dataset, rowCount(rows))
  return createLoader({
    rows,
    batchSize: args.trainBatchSize,
    dropLast: args.dataloaderDropLast,
    collate: collateWith(parts, dropped),
    ...(order && { order }),
  })
}

/** The batches that training begins with, three at most. @throws TrainerError ('data') when there is none. */
export async function firstBatches(loader: Loader<LoadedBatch>): Promise<Batch[]> {
  const batches: Batch[] = []
  for await (const { batch } of loader.batches(0)) if (batches.push(batch) === 3) break
  if (batches.length > 0) return batches
  throw new TrainerError('data', 'There is no batch to train on.', { fix: 'Give rows.' })
}

/**
 * Batches to evaluate on. Where the order does not show in the result, rows come sorted by length, so that a batch's
 * rows are alike; each batch says which rows it is. With padding on the left it does: a head that reads column 0 reads
 * padding there, whose position is as far from the text as the batch is wide.
 */
export function evaluationLoader(
  parts: LoaderParts,
  dataset: LoaderRows<object>,
  sorted: boolean,
): Loader<LoadedBatch> {
  const { args, collator } = parts
  const { rows, dropped } = modelRows(parts, dataset, 'evaluation')
  const lengths =
    sorted &&
    collator.paddingSide === 'right' &&
    dataset instanceof Dataset &&
    dataset.columnNames.includes('input_ids')
      ? dataset.lengths('input_ids')
      : undefined
  const count =
    lengths === undefined ? 0 : lengths.length - (args.dataloaderDropLast ? lengths.length % args.evalBatchSize : 0)
  const order = lengths === undefined ? undefined : longestFirst(lengths, count)
  const collate = collateWith(parts, dropped)
  return createLoader({
    rows,
    batchSize: args.evalBatchSize,
    dropLast: args.dataloaderDropLast,
    collate: rowCount(rows) === undefined ? withWholeRows(collate) : collate,
    ...(order && { order: () => order }),
  })
}

/**
 * The first `count` rows, the longest first: rows that drop_last leaves out are the dataset's last ones, whatever their
 * length.
 */
function longestFirst(lengths: ArrayLike<number>, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b)
}

/** A dataset without the columns that the model does not take, which are logged once; with `removeUnusedColumns` off, as it is. */
function modelRows(parts: LoaderParts, dataset: LoaderRows<object>, what: 'training' | 'evaluation'): SelectedColumns {
  const { args, inputNames, collator } = parts
  if (rowCount(dataset) === 0)
    throw new TrainerError('data', `The ${what} dataset is empty.`, { fix: 'Check the split, and what filter() kept.' })
  tellOtherClasses(parts, dataset, what)
  if (!args.removeUnusedColumns) return { rows: dataset as SelectedColumns['rows'], dropped: [] }
  const selected = selectModelColumns(dataset, names =>
    modelColumns(names, inputNames, [...labelsAmong(names, parts, what), ...(collator.columns ?? [])]),
  )
  if (selected.dropped.length > 0)
    logOnce(
      'warning',
      `The ${what} dataset's columns ${selected.dropped.join(', ')} are not used: the model does not take them.`,
    )
  return selected
}

/** Warns where a dataset calls its classes otherwise than the model, or numbers them otherwise; case does not count. */
function tellOtherClasses({ args, classNames: known }: LoaderParts, dataset: LoaderRows<object>, what: string): void {
  if (known === undefined || !(dataset instanceof Dataset)) return
  const column = labelColumn(dataset.columnNames, args.labelNames)
  const names = column === undefined ? undefined : dataset.features[column]?.names
  const lower = (list: readonly string[]): string[] => list.map(name => name.toLowerCase())
  if (names === undefined || lower(names).join('\n') === lower(known).join('\n')) return
  const isKnown = names.every(name => lower(known).includes(name.toLowerCase()))
  const fix = isKnown
    ? `dataset.alignLabelsWithMapping(model.config.label2id, '${column}') numbers the dataset as the model does.`
    : 'fromPretrained(…, { id2label: […] }) gives the model other names.'
  logOnce(
    'warning',
    `The ${what} dataset's classes are, by number, ${quoted(names)}, but the model's are ${quoted(known)}. ${fix}`,
  )
}

/**
 * The names of labels to keep of a dataset's columns: all that `labelNames` names, which a collator may make one of; else
 * the one that is the label.
 * @throws TrainerError ('data') where `labelNames` names none of the columns, though rows have labels, or need them.
 */
function labelsAmong(
  columns: readonly string[],
  { args: { labelNames: wanted }, labelNames }: LoaderParts,
  what: 'training' | 'evaluation',
): readonly string[] {
  const isOne = labelNames.includes('labels') || isOther(labelNames)
  const label = isOne ? labelColumn(columns, wanted) : undefined
  const isWrong = label === undefined && wanted !== undefined && isOne
  if (isWrong && (what === 'training' || labelColumns.some(name => columns.includes(name))))
    throw otherLabels(wanted, `the ${what} dataset`, columns)
  return [...labelNames.filter(name => name !== 'labels'), ...(wanted ?? []), ...(label === undefined ? [] : [label])]
}

/** Collates, and gives the column of `labelNames` its name. `dropped` are the columns that rows no longer have. */
function collateWith(
  parts: LoaderParts,
  dropped: readonly string[],
): (rows: Readonly<Record<string, unknown>>[], indices: readonly number[], epoch: number) => Promise<LoadedBatch> {
  const { labelNames } = parts.args
  const named = (batch: Batch): Batch => {
    const [name] = isOther(parts.labelNames) ? parts.labelNames : []
    const isNamed = name === undefined || batch[name] !== undefined || batch.labels === undefined
    return isNamed ? batch : { ...batch, [name]: batch.labels! }
  }
  return async (rows, indices, epoch) => {
    const batch = named(await collated({ ...parts, dropped }, rows, indices, epoch, labelNames))
    const own = labelNames?.find(name => batch[name] !== undefined)
    if (own !== undefined) return { batch: named({ ...batch, labels: batch[own]! }), rows: indices }
    const isMadeOfOthers =
      labelNames !== undefined &&
      !labelNames.some(name => name === 'labels' || rows.some(row => row[name] !== undefined))
    if (batch.labels !== undefined && isMadeOfOthers) throw otherLabels(labelNames!, 'the batch', Object.keys(batch))
    return { batch, rows: indices }
  }
}

/** Batches of a stream, with its rows as they came: callbacks may show them. */
function withWholeRows(collate: ReturnType<typeof collateWith>): ReturnType<typeof collateWith> {
  return async (rows, ...given) => ({ ...(await collate(rows, ...given)), whole: rows.map(wholeRow) })
}

/** Whether a head takes one column of labels under another name than `labels`: a batch may call it either. */
function isOther(labelNames: readonly string[]): boolean {
  return labelNames.length === 1 && labelNames[0] !== 'labels'
}

function otherLabels(wanted: readonly string[], of: string, columns: readonly string[]): TrainerError {
  const near = wanted.map(name => nearest(name, columns)).find(name => name !== undefined)
  return new TrainerError('data', `labelNames is ${quoted(wanted)}, but the columns of ${of} are ${quoted(columns)}.`, {
    fix:
      near === undefined
        ? 'Leave labelNames out for "label" and "labels", or name a column that is there.'
        : `Did you mean "${near}"?`,
  })
}

function rowOrder(
  args: TrainingArguments,
  dataset: LoaderRows<object>,
  count: number | undefined,
): ((epoch: number) => ArrayLike<number>) | undefined {
  const seed = args.dataSeed ?? args.seed
  if (count === undefined || args.trainSamplingStrategy === 'sequential') return undefined
  if (args.trainSamplingStrategy === 'random') return epoch => randomOrder(count, seed, epoch)
  const lengths = rowLengths(dataset, count, args.lengthColumnName)
  return epoch => lengthGroupedEpochOrder(lengths, args.trainBatchSize * args.gradientAccumulationSteps, seed, epoch)
}

/** The rows' lengths: the column that has them, else those of `input_ids`. */
function rowLengths(dataset: LoaderRows<object>, count: number, column: string): ArrayLike<number> {
  if (dataset instanceof Dataset) {
    if (dataset.columnNames.includes(column)) return (dataset as Dataset).column(column)
    if (dataset.columnNames.includes('input_ids')) return dataset.lengths('input_ids')
  }
  return Int32Array.from({ length: count }, (_, i) => {
    const row = rowAt(dataset as RowSource<object>, i) as Readonly<Record<string, unknown>>
    const length = row[column] ?? (row.input_ids as ArrayLike<number> | undefined)?.length
    if (typeof length === 'number') return length
    throw new TrainerError(
      'data',
      `Row ${i} of the training dataset has neither "${column}" nor "input_ids", so rows cannot be grouped by length.`,
      {
        fix: 'Tokenize the dataset, or name the column with lengthColumnName.',
      },
    )
  })
}
