// the labels of a head of the user's own: columns of a batch → inputs of a program
import { LabelError, quoted } from '../errors'
import type { Places, RowName } from '../feeds/FeedLayout'
import { inOrder } from '../feeds/rowOrder'
import { ignoredIndex } from '../labelColumn'
import { noteLabels } from '../losses/ownLabels'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { type Batch, Tensor } from '../tensor'
import type { LabelFeed } from './Head'
import type { OwnLabels } from './OwnHead'

type Kinds = Readonly<Record<string, OwnLabels>>

/** What a column's input is called in a graph: an output may have the column's name. */
const inputName = (column: string): string => `labels.${column}`

/** Declares columns of labels as inputs of a graph: int32 [rows] for classes, float32 [rows, numbers]. */
export function declareOwnLabels(graph: GraphBuilder, kinds: Kinds): Readonly<Record<string, Value>> {
  const declare = ([column, kind]: [string, OwnLabels]): [string, Value] => {
    const axis = kind.of === 'tokens' ? 'tokens' : 'batch'
    const value =
      'classes' in kind
        ? graph.input(inputName(column), 'int32', [axis])
        : graph.input(inputName(column), 'float32', [axis, kind.numbers])
    return [column, noteLabels(value, { column, ...kind })]
  }
  return Object.fromEntries(Object.entries(kinds).map(declare))
}

/**
 * A batch's labels in the order of its feed; undefined where it has none.
 * @param terms the columns that each have a loss of their own, where there are several.
 * @throws LabelError naming the column and the row of a label that does not fit, or the column that is missing.
 */
export function ownLabelFeed(
  batch: Batch,
  kinds: Kinds,
  places: Places,
  rowName: RowName,
  terms: readonly string[] | undefined,
): LabelFeed | undefined {
  const columns = Object.keys(kinds)
  const given = columns.filter(column => batch[column] !== undefined)
  if (given.length === 0) return undefined
  const missing = columns.find(column => !given.includes(column))
  if (missing !== undefined)
    throw new LabelError(
      `The batch has the labels ${quoted(given)}, but no "${missing}".`,
      'The head needs all of its columns of labels: return them from the data collator.',
    )
  const fed = columns.map(
    column => [column, fedColumn({ column, kind: kinds[column]!, batch, places, rowName })] as const,
  )
  const counts = Object.fromEntries(fed.map(([column, { count }]) => [column, count]))
  return {
    inputs: Object.fromEntries(fed.map(([column, { tensor }]) => [inputName(column), tensor])),
    count: (terms ?? columns).reduce((sum, column) => sum + counts[column]!, 0),
    ...(terms !== undefined && { counts: Object.fromEntries(terms.map(column => [column, counts[column]!])) }),
  }
}

/** A column of a batch, and what it stands for. */
interface Column {
  readonly column: string
  readonly kind: OwnLabels
  readonly batch: Batch
  readonly places: Places
  readonly rowName: RowName
}

interface FedColumn {
  readonly tensor: Tensor
  readonly count: number
}

function fedColumn(given: Column): FedColumn {
  const { column, kind, batch, places } = given
  const width = 'classes' in kind ? 1 : kind.numbers
  checkShape(given, width)
  const values = Array.from(batch[column]!.data as Float32Array, Number)
  const isCounted = values.map((_, at) => checkedValue(given, values, at, width))
  if (kind.of !== 'tokens') {
    const dims = 'classes' in kind ? [values.length] : [values.length / width, width]
    return { tensor: inOrder(tensorOf(kind, values, dims), places.order), count: countOf(isCounted) }
  }
  // tokens that were added to round their number have no label, and padding has the one that it was given
  const inFeed = Array.from(places.slots).flatMap(slot =>
    slot < 0 ? new Array<number>(width).fill(ignoredIndex) : values.slice(slot * width, (slot + 1) * width),
  )
  const counted = Array.from(places.slots).flatMap(slot =>
    slot < 0 ? [] : isCounted.slice(slot * width, (slot + 1) * width),
  )
  const dims = 'classes' in kind ? [places.slots.length] : [places.slots.length, width]
  return { tensor: tensorOf(kind, inFeed, dims), count: countOf(counted) }
}

function tensorOf(kind: OwnLabels, values: readonly number[], dims: readonly number[]): Tensor {
  return 'classes' in kind
    ? new Tensor('int32', Int32Array.from(values), dims)
    : new Tensor('float32', Float32Array.from(values), dims)
}

function countOf(isCounted: readonly boolean[]): number {
  return isCounted.filter(Boolean).length
}

function checkShape({ column, kind, batch, places }: Column, width: number): void {
  const { dims } = batch[column]!
  const ofTokens = kind.of === 'tokens'
  const outer = ofTokens ? (batch.input_ids ?? batch[column]!).dims : [places.order.length]
  const inner = dims.slice(outer.length)
  const isRight = outer.every((length, axis) => dims[axis] === length) && inner.reduce((n, d) => n * d, 1) === width
  if (isRight && inner.length <= 1) return
  const wanted = width === 1 ? `[${outer.join(', ')}]` : `[${[...outer, width].join(', ')}]`
  throw new LabelError(
    `"${column}" has the shape [${dims.join(', ')}], but its labels are ${wanted}: ${described(kind)} for each ${ofTokens ? 'token' : 'row'}.`,
    ofTokens
      ? `The collator has to pad them as it pads input_ids, with ${ignoredIndex}: DataCollatorForTokenClassification does so with a column "labels".`
      : `In map, give each row ${described(kind)}, or say in labels.${column} how many there are.`,
  )
}

function described(kind: OwnLabels): string {
  if ('classes' in kind) return `one of ${kind.classes} classes`
  return kind.numbers === 1 ? 'a number' : `${kind.numbers} numbers`
}

/** Whether a label counts. @throws LabelError for one that cannot be. */
function checkedValue(given: Column, values: readonly number[], at: number, width: number): boolean {
  const { column, kind, batch, rowName } = given
  const value = values[at]!
  const isRight =
    'classes' in kind ? Number.isInteger(value) && value >= 0 && value < kind.classes : Number.isFinite(value)
  const isIgnored = value === ignoredIndex && ('classes' in kind || kind.of === 'tokens')
  if (isRight || isIgnored) return !isIgnored
  const place = Math.floor(at / width)
  const length = batch.input_ids?.dims.at(-1) ?? 1
  const where =
    kind.of === 'tokens' ? `token ${place % length} of ${rowName(Math.floor(place / length))}` : rowName(place)
  const known =
    'classes' in kind ? `there are ${kind.classes} classes: 0 to ${kind.classes - 1}` : 'it has to be finite'
  throw new LabelError(
    `"${column}" of ${where} is ${value}, but ${known}.`,
    'classes' in kind
      ? `Correct it, give ${ignoredIndex} where none counts, or say in labels.${column} how many there are.`
      : 'Correct it, or leave such rows out with filter().',
  )
}
