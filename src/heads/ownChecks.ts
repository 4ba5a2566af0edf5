// what a head of the user's own has to be, and what its functions have to return
import { nearest, quoted, TrainerError } from '../errors'
import { labelColumns } from '../labelColumn'
import type { Loss } from '../losses/loss'
import type { Value } from '../onnx/types'
import { checkOptions, shown } from '../options'
import type { OwnHead, OwnLabels, OwnLoss } from './OwnHead'

const fields = Object.keys({ name: 1, labels: 1, outputs: 1, loss: 1, weights: 1 } satisfies Record<keyof OwnHead, 1>)

/** Columns that encoders take. */
const inputs = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids']

/** Names that outputs of a program, or parts of a loss, have already. */
const reserved = ['loss', 'count', 'sum']

/**
 * A head of your own for `AutoModel.fromPretrained(folder, { head })`: what it computes of an encoder's tokens, and its
 * loss, one or several, as code that is run once, while the graph is built.
 *
 * @example
 * const head = ownHead({
 *   name: 'BertForTriage',
 *   labels: { topic: { classes: 3 }, urgency: { numbers: 1 } },
 *   outputs: (encoded, { linear }) => ({
 *     topic: linear('topic', encoded.first(), 3),
 *     urgency: linear('urgency', encoded.first(), 1),
 *   }),
 *   loss: (outputs, labels, graph) => ({
 *     topic: crossEntropy(graph, outputs.topic, labels.topic),
 *     urgency: meanSquaredError(graph, outputs.urgency, labels.urgency),
 *   }),
 *   weights: { urgency: 0.5 },
 * })
 * @throws TrainerError ('argument') for a part that is missing or cannot be.
 */
export function ownHead<Outputs extends string, Labels extends string>(
  head: OwnHead<Outputs, Labels>,
): OwnHead<Outputs, Labels> {
  checkOwnHead(head)
  return Object.freeze({ ...head })
}

/** @throws TrainerError ('argument') for what is no head of the user's own. */
export function checkOwnHead(head: OwnHead): void {
  if (typeof head !== 'object' || head === null || Array.isArray(head))
    throw new TrainerError('argument', `The option head is ${shown(head)}, which is no head.`, {
      fix: 'Make one by ownHead({ name, labels, outputs, loss }).',
    })
  checkOptions(head, fields, 'ownHead()')
  const { name, labels, outputs, loss, weights } = head
  check(isName(name), 'name', name, "the name of a class, such as 'BertForTriage',")
  check(typeof outputs === 'function', 'outputs', outputs, 'a function')
  check(typeof loss === 'function', 'loss', loss, 'a function')
  const isTable = typeof labels === 'object' && labels !== null && Object.keys(labels).length > 0
  check(isTable, 'labels', labels, 'an object of columns, such as { topic: { classes: 3 } },')
  for (const [column, kind] of Object.entries(labels)) checkLabels(column, kind)
  if (weights !== undefined) checkWeights(weights, Object.keys(labels))
}

function check(isRight: boolean, field: string, value: unknown, expected: string): void {
  if (isRight) return
  throw new TrainerError('argument', `ownHead(): ${field} is ${shown(value)}; ${expected} was expected.`)
}

function checkLabels(column: string, kind: OwnLabels): void {
  const field = `labels.${column}`
  if (column !== 'labels' && labelColumns.includes(column))
    throw new TrainerError('argument', `ownHead(): labels has the column "${column}", which collators rename.`, {
      fix: 'Call it "labels", as batches do: the dataset may have it as "label".',
    })
  if (!isName(column))
    throw new TrainerError('argument', `ownHead(): labels has the column "${column}", which cannot be one's name.`, {
      fix: `Letters, digits and _ make a name; ${quoted(reserved)} are taken.`,
    })
  if (inputs.includes(column))
    throw new TrainerError('argument', `ownHead(): labels has the column "${column}", which models take as an input.`, {
      fix: 'Give the column of labels another name.',
    })
  checkOptions(kind, ['classes', 'numbers', 'of'], `ownHead(): ${field}`)
  const { classes, numbers, of } = (kind ?? {}) as { classes?: unknown; numbers?: unknown; of?: unknown }
  const count = classes ?? numbers
  const isOne = (classes === undefined) !== (numbers === undefined)
  check(
    isOne && isCount(count, classes === undefined ? 1 : 2),
    field,
    kind,
    '{ classes: 2 } (or more) or { numbers: 1 }',
  )
  check(of === undefined || of === 'rows' || of === 'tokens', `${field}.of`, of, "'rows' or 'tokens'")
}

function checkWeights(weights: Readonly<Record<string, unknown>>, columns: readonly string[]): void {
  checkOptions(weights, columns, 'ownHead(): weights')
  for (const [column, weight] of Object.entries(weights))
    check(weight === undefined || Number.isFinite(weight), `weights.${column}`, weight, 'a finite number')
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= least
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z_]\w*$/.test(value) && !reserved.includes(value)
}

/**
 * @throws TrainerError ('argument') for what `outputs` has returned, where that is not a value for each row or token
 * by name.
 */
export function checkOutputs(name: string, outputs: Readonly<Record<string, Value>>): void {
  const isTable = typeof outputs === 'object' && outputs !== null && !('shape' in outputs)
  if (!isTable || Object.keys(outputs).length === 0)
    throw new TrainerError('argument', `outputs of ${name} returned ${shown(outputs)}; values by name were expected.`, {
      fix: "Return them by name: { topic: linear('topic', encoded.first(), 3) }.",
    })
  for (const [output, value] of Object.entries(outputs)) {
    if (!isName(output))
      throw new TrainerError('argument', `${name} has the output "${output}", which cannot be one's name.`, {
        fix: `Letters, digits and _ make a name; ${quoted(reserved)} are taken.`,
      })
    const shape: readonly unknown[] = value?.shape ?? []
    if (value?.dtype === 'float32' && (shape[0] === 'batch' || shape[0] === 'tokens')) continue
    const found = value?.shape === undefined ? shown(value) : `${value.dtype} [${shape.join(', ')}]`
    throw new TrainerError(
      'argument',
      `The output "${output}" of ${name} is ${found}; float32 [batch, …] or [tokens, …] was expected.`,
      {
        fix: 'Make it of encoded.first() or encoded.tokens(). Where a reshape lost the axis: graph.assume(x, [encoded.first().shape[0], 3]).',
      },
    )
  }
}

/**
 * The losses that `loss` has returned, by column, or the one.
 * @throws TrainerError ('argument') for what is neither.
 */
export function checkedLoss(own: OwnHead, written: OwnLoss): Loss | Readonly<Record<string, Loss>> {
  const { name, labels } = own
  if (isLoss(written)) {
    refuseWeights(own)
    return written
  }
  const entries = typeof written === 'object' && written !== null ? Object.entries(written) : []
  const wrong = entries.find(([, loss]) => !isLoss(loss))
  if (entries.length === 0 || wrong !== undefined) {
    const found = wrong === undefined ? shown(written) : `${shown(wrong[1])} as "${wrong[0]}"`
    throw new TrainerError('argument', `loss of ${name} returned ${found}; a sum and a count were expected.`, {
      fix: 'Return { sum, count }, scalars of the graph, as crossEntropy(graph, …) does, or several by their columns.',
    })
  }
  const columns = Object.keys(labels)
  const other = entries.find(([column]) => !columns.includes(column))
  if (other === undefined) {
    const without = columns.find(column => !entries.some(([named]) => named === column))
    if (without !== undefined) throw noLossOf(name, without)
    return Object.fromEntries(entries) as Readonly<Record<string, Loss>>
  }
  const close = nearest(other[0], columns)
  throw new TrainerError(
    'argument',
    `loss of ${name} returned a loss "${other[0]}", but its labels are ${quoted(columns)}.`,
    {
      fix: close === undefined ? 'Name losses by the columns whose labels they are of.' : `Did you mean "${close}"?`,
    },
  )
}

/** Of one loss only the weight of the one column can be meant. */
function refuseWeights({ name, labels, weights = {} }: OwnHead): void {
  const weighted = Object.entries(weights).find(([, weight]) => weight !== undefined)
  if (weighted === undefined || Object.keys(labels).length === 1) return
  throw new TrainerError('argument', `weights of ${name} has "${weighted[0]}", but its loss is one for all columns.`, {
    fix: `Return losses by their columns, { ${weighted[0]}: … }, or multiply in loss.`,
  })
}

/** @throws TrainerError ('argument') for a column whose labels no loss reads. */
export function checkLabelsRead({ name, labels }: OwnHead, isRead: (column: string) => boolean): void {
  const without = Object.keys(labels).find(column => !isRead(column))
  if (without !== undefined) throw noLossOf(name, without)
}

function noLossOf(name: string, column: string): TrainerError {
  return new TrainerError('argument', `${name} has the labels "${column}", but no loss of them.`, {
    fix: 'Return one for them too, or leave the column out of labels.',
  })
}

function isLoss(written: unknown): written is Loss {
  if (typeof written !== 'object' || written === null) return false
  const { sum, count } = written as Partial<Loss>
  return [sum, count].every(value => value?.dtype === 'float32' && value.shape.length === 0)
}
