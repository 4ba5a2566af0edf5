import { reshapedTo } from '../autodiff/shapes'
import { TrainerError } from '../errors'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import { merged } from './axes'
import type { Site } from './Lowering'
import { affordable } from './writing'

/** A value, and the label of each of its axes; those of an ellipsis are numbers, counted from the back. */
interface Labelled {
  readonly value: Value
  readonly labels: readonly string[]
}

/** Writes Einsum by products of two operands at a time. */
export function einsum({ graph: g, inputs, input, attributes }: Site): Value {
  const operands = inputs.map((_, i) => input(i))
  const { terms, result } = parsed(attributes.text('equation', ''), operands)
  const labelled = operands.map((value, i) => diagonal(g, { value, labels: terms[i]! }))
  const known = squeezed(g, labelled)
  const [first, ...rest] = known
  const whole = rest.reduce((a, b, i) => {
    const later = rest.slice(i + 1).flatMap(({ labels }) => labels)
    return contracted(g, a, b, new Set([...result, ...later]))
  }, first!)
  const summed = onlyOf(g, whole, new Set(result))
  return ordered(g, summed, result).value
}

/** The labels of the operands and the result. @throws TrainerError ('file') for an equation that does not fit. */
function parsed(equation: string, operands: readonly Value[]): { terms: string[][]; result: string[] } {
  const text = equation.replaceAll(/\s/g, '')
  const wrong = (problem: string): TrainerError =>
    new TrainerError('file', `its equation "${equation}" does not fit: ${problem}.`)
  if (!/^(?:[A-Za-z]|\.\.\.|,)*(?:->(?:[A-Za-z]|\.\.\.)*)?$/.test(text)) throw wrong('it is not of the form ij,jk->ik')
  const [left = '', right] = text.split('->')
  const written = left.split(',')
  if (written.length !== operands.length)
    throw wrong(`it has ${written.length} terms, but the node ${operands.length} inputs`)
  const terms = written.map((term, i) => {
    const named = labelsOf(term, operands[i]!.shape.length - lettersOf(term).length)
    if (named?.length === operands[i]!.shape.length) return named
    throw wrong(`the term "${term}" stands for an input of ${operands[i]!.shape.length} axes`)
  })
  const all = terms.flat()
  const hidden = [...new Set(all.filter(isHidden))].toSorted((a, b) => Number(b) - Number(a))
  const once = [...new Set(lettersOf(left))].filter(label => all.indexOf(label) === all.lastIndexOf(label)).toSorted()
  const result = right === undefined ? [...hidden, ...once] : labelsOf(right, hidden.length)
  if (result === undefined || new Set(result).size < result.length || !result.every(label => all.includes(label)))
    throw wrong(`the result "${right}" names a label twice, or one that no input has`)
  return { terms, result }
}

function lettersOf(term: string): readonly string[] {
  return [...term.replaceAll(/[.,]/g, '')]
}

/** The labels of a term, an ellipsis standing for so many axes; undefined if it stands for fewer than none. */
function labelsOf(term: string, hidden: number): string[] | undefined {
  const [before = '', after] = term.split('...')
  if (after === undefined) return [...before]
  if (hidden < 0) return undefined
  return [...before, ...Array.from({ length: hidden }, (_, i) => String(hidden - i)), ...after]
}

function isHidden(label: string): boolean {
  return label >= '0' && label <= '999'
}

/** Takes the diagonal of axes with the same label. */
function diagonal(g: GraphBuilder, operand: Labelled): Labelled {
  const { value, labels } = operand
  const second = labels.findIndex((label, i) => labels.indexOf(label) < i)
  if (second < 0) return operand
  const first = labels.indexOf(labels[second]!)
  const length = [value.shape[first], value.shape[second]].find(d => typeof d === 'number')
  if (typeof length !== 'number')
    throw new TrainerError('graph', `the length of the label "${labels[second]}", which repeats, is not known.`)
  const shape = value.shape.map((_, i) => (i === first || i === second ? length : 1))
  const truths = Uint8Array.from({ length: affordable(length ** 2, 'the places of a diagonal') }, (_, i) =>
    Number(i % (length + 1) === 0),
  )
  const here = g.constant(new Tensor('bool', truths, shape))
  const summed = g.reduceSum(g.where(here, value, 0), [second])
  return diagonal(g, { value: summed, labels: labels.toSpliced(second, 1) })
}

/** Leaves out axes of length 1 whose label another operand has with another length: they are broadcast. */
function squeezed(g: GraphBuilder, operands: readonly Labelled[]): readonly Labelled[] {
  const isLong = (label: string): boolean =>
    operands.some(({ value, labels }) => labels.some((own, i) => own === label && value.shape[i] !== 1))
  return operands.map(({ value, labels }) => {
    const gone = labels.flatMap((label, i) => (value.shape[i] === 1 && isLong(label) ? [i] : []))
    return gone.length === 0
      ? { value, labels }
      : { value: g.squeeze(value, gone), labels: labels.filter((_, i) => !gone.includes(i)) }
  })
}

/** Sums over all other labels. */
function onlyOf(g: GraphBuilder, { value, labels }: Labelled, kept: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((label, i) => (kept.has(label) ? [] : [i]))
  return { value: g.reduceSum(value, axes), labels: labels.filter(label => kept.has(label)) }
}

function ordered(g: GraphBuilder, { value, labels }: Labelled, order: readonly string[]): Labelled {
  const perm = order.map(label => labels.indexOf(label))
  return perm.every((axis, i) => axis === i) ? { value, labels } : { value: g.transpose(value, perm), labels: order }
}

/** The product of two operands, summed over the labels that are not kept. */
function contracted(g: GraphBuilder, left: Labelled, right: Labelled, kept: ReadonlySet<string>): Labelled {
  const a = onlyOf(g, left, new Set([...kept, ...right.labels]))
  const b = onlyOf(g, right, new Set([...kept, ...left.labels]))
  const both = a.labels.filter(label => b.labels.includes(label))
  const batch = both.filter(label => kept.has(label))
  const inner = both.filter(label => !kept.has(label))
  const rows = a.labels.filter(label => !both.includes(label))
  const columns = b.labels.filter(label => !both.includes(label))
  const x = ordered(g, a, [...batch, ...rows, ...inner])
  const y = ordered(g, b, [...batch, ...inner, ...columns])
  const labels = [...batch, ...rows, ...columns]
  if (inner.length === 0) return { value: outer(g, x.value, y.value, rows.length, columns.length), labels }
  const n = batch.length
  const factorA = merged(g, merged(g, x.value, n + rows.length, inner.length), n, rows.length)
  const factorB = merged(g, merged(g, y.value, n + inner.length, columns.length), n, inner.length)
  const product = g.matMul(factorA, factorB)
  const shape = [
    ...product.shape.slice(0, n),
    ...x.value.shape.slice(n, n + rows.length),
    ...y.value.shape.slice(n + inner.length),
  ]
  return { value: reshapedTo(g, product, shape, [product, x.value, y.value]), labels }
}

/** Each element of the rows times each of the columns. */
function outer(g: GraphBuilder, a: Value, b: Value, rows: number, columns: number): Value {
  const n = a.shape.length - rows
  const axes = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i)
  const x = columns === 0 ? a : g.unsqueeze(a, axes(n + rows, columns))
  const y = rows === 0 ? b : g.unsqueeze(b, axes(n, rows))
  return g.mul(x, y)
}
