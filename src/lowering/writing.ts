// what rules of several families need to write
import { TrainerError } from '../errors'
import { toEnd } from '../onnx/shapes'
import type { Dimension } from '../onnx/types'
import type { Site } from './Lowering'

/** A place in a file as one that int64 has: exporters write the largest one for "to the end". */
export function bounded(place: number): number {
  return Math.max(-toEnd, Math.min(toEnd, place))
}

/** Whether all lengths of a shape are numbers. */
export function known(shape: readonly Dimension[]): shape is readonly number[] {
  return shape.every(length => typeof length === 'number')
}

/** The axes of a node: its attribute `axes` in older opsets, its second input in newer ones; undefined without either. */
export function axesOf(site: Site, at = 1): readonly number[] | undefined {
  const { attributes, inputs, numbers } = site
  return attributes.numbers('axes') ?? (inputs[at] === undefined ? undefined : numbers(at, 'axes'))
}

/**
 * A number of elements that a rule may write into a graph. Lengths are read from a file, and what is made of them before
 * anything runs has to take no more memory than a machine has.
 * @throws TrainerError ('graph') for more of them.
 */
export function affordable(count: number, what: string, most = mostElements): number {
  if (count >= 0 && count <= most) return Math.floor(count)
  throw new TrainerError('graph', `${what} would be ${count} in number; at most ${most} are written into a graph.`)
}

const mostElements = 2 ** 24
