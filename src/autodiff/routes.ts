import { isFloat } from '../onnx/infer'
import type { Node, Value } from '../onnx/types'
import { gradients } from './gradients'

/** The paths from what gradients are asked for to the loss. */
export interface Routes {
  /** The nodes on them, in the order in which they run. */
  readonly nodes: readonly Node[]
  /**
   * The values that depend on what is asked for, each with the node that makes it; undefined for what is asked for
   * itself.
   */
  readonly makers: ReadonlyMap<string, Node | undefined>
  readonly loss: Value
}

/** The nodes on the paths from `wrt` to the loss, and the values that depend on `wrt`. */
export function between(nodes: readonly Node[], loss: Value, wrt: readonly Value[]): Routes {
  const makers = new Map<string, Node | undefined>(wrt.map(value => [value.name, undefined]))
  const reached = nodes.filter(node => {
    if (gradients[node.op] === 'flat' || !node.inputs.some(input => input !== undefined && makers.has(input.name)))
      return false
    const outputs = node.outputs.filter(output => output !== undefined && isFloat(output.dtype)) as Value[]
    for (const output of outputs) if (!makers.has(output.name)) makers.set(output.name, node)
    return outputs.length > 0
  })
  const leading = new Set([loss.name])
  const active = reached.reverse().filter(node => {
    if (!node.outputs.some(output => output !== undefined && leading.has(output.name))) return false
    for (const input of node.inputs) if (input !== undefined && makers.has(input.name)) leading.add(input.name)
    return true
  })
  return { nodes: active.reverse(), makers, loss }
}

/** The path through a node, as errors show it: weight → Gather_3 → NonZero_5 → ReduceSum_9 → loss. */
export function route(node: Node, { nodes, makers, loss }: Routes): string {
  const before: string[] = []
  let first = ''
  for (let at: Node | undefined = node; at !== undefined;) {
    const from: Value = at.inputs.find(input => input !== undefined && makers.has(input.name))!
    first = from.name
    at = makers.get(from.name)
    if (at !== undefined) before.unshift(at.name)
  }
  const after: string[] = []
  const reads = (made: readonly (Value | undefined)[]): Node | undefined =>
    nodes.find(next => next.inputs.some(input => input !== undefined && made.some(value => value?.name === input.name)))
  for (let next = reads(node.outputs); next !== undefined; next = reads(next.outputs)) after.push(next.name)
  const whole = [first, ...before, node.name, ...after]
  const shown = whole.length <= 12 ? whole : [...whole.slice(0, 5), '…', ...whole.slice(-5)]
  return [...shown, loss.name].join(' → ')
}
