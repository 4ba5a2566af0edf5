// lists of tensors, which graphs of ours do not have: a list is known item by item while a graph is written
import { TrainerError } from '../errors'
import { positive } from '../onnx/shapes'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import type { Site } from './Lowering'
import { affordable } from './writing'

/** What a name of a file stands for: a value, or a list of them. */
export type Bound = Value | readonly Value[]

export function isList(bound: Bound | undefined): bound is readonly Value[] {
  return Array.isArray(bound)
}

/** What a rule for lists is given: lists are among the inputs, and are not there as values. */
export interface ListSite extends Site {
  readonly bound: readonly (Bound | undefined)[]
}

/** How operators of lists are written: by what they make of lists, or of values. */
export const listLowerings: Readonly<Record<string, (site: ListSite) => Bound>> = {
  SequenceEmpty: ({ attributes }) => {
    attributes.ignore('dtype')
    return []
  },
  SequenceConstruct: ({ inputs }) => inputs.filter(value => value !== undefined),
  SplitToSequence: splitToList,
  SequenceAt: site => listOf(site)[placeOf(site, 1, listOf(site).length)]!,
  SequenceLength: site => site.graph.constant(listOf(site).length, 'int64'),
  SequenceInsert: site => {
    const list = listOf(site)
    const at = site.bound[2] === undefined ? list.length : placeOf(site, 2, list.length + 1)
    return list.toSpliced(at, 0, site.input(1))
  },
  SequenceErase: site => {
    const list = listOf(site)
    return list.toSpliced(site.bound[1] === undefined ? list.length - 1 : placeOf(site, 1, list.length), 1)
  },
  ConcatFromSequence: site => {
    const axis = site.attributes.int('axis', 0)
    const list = listOf(site)
    if (site.attributes.int('new_axis', 0) === 0) return site.graph.concat(list, axis)
    const at = positive(axis, list[0]!.shape.length + 1)
    return site.graph.concat(
      list.map(value => site.graph.unsqueeze(value, [at])),
      at,
    )
  },
}

function listOf({ bound, node }: ListSite): readonly Value[] {
  const [list] = bound
  if (isList(list)) return list
  throw new TrainerError('file', `its input "${node.inputs[0]}" is not a list of tensors.`)
}

function placeOf(site: ListSite, at: number, length: number): number {
  const [place] = site.numbers(at, 'place in the list')
  const counted = place! < 0 ? place! + length : place!
  if (counted >= 0 && counted < length) return counted
  throw new TrainerError('graph', `its place ${place} is not one of a list of ${length}.`)
}

/** A list of more parts is refused: each is a value of the graph. */
const mostParts = 4096

function splitToList(site: ListSite): readonly Value[] {
  const { graph, input, inputs, attributes, constant } = site
  const x = input(0)
  const axis = positive(attributes.int('axis', 0), x.shape.length)
  const keeps = attributes.int('keepdims', 1) === 1 || inputs[1] !== undefined
  const whole = x.shape[axis]!
  const given = inputs[1] === undefined ? Tensor.from('int64', 1) : constant(inputs[1])
  if (given === undefined)
    throw new TrainerError(
      'graph',
      `the lengths of its parts ("${site.node.inputs[1]}") are known only when the graph runs.`,
    )
  const each = Number(given.data[0])
  if (given.dims.length === 0 && typeof whole !== 'number')
    throw new TrainerError(
      'graph',
      `into how many parts the length "${whole}" is split is known only when the graph runs.`,
    )
  const lengths =
    given.dims.length > 0
      ? Array.from(given.data as ArrayLike<number>, Number)
      : Array.from({ length: affordable(Math.ceil(Number(whole) / each), 'its parts', mostParts) }, (_, i) =>
          Math.min(each, Number(whole) - i * each),
        )
  const parts = graph.split(x, axis, lengths)
  return keeps ? parts : parts.map(part => graph.squeeze(part, [axis]))
}
