import type { Node, Value } from '../onnx/types'

/** The ways from what gradients are asked for to the loss. */
export interface Routes {
  /** The nodes on them, in the order in which they run. */
  readonly nodes: readonly Node[]
  /** The values that depend on what is asked for, and the node by which each does first; undefined for what is asked for itself. */
  readonly makers: ReadonlyMap<string, Node | undefined>
  readonly loss: Value
}

/** The way through a node, for an error: weight → Gather_3 → NonZero_5 → ReduceSum_9 → loss. */
export function route(node: Node, { nodes, makers, loss }: Routes): string {
  const before: string[] = []
  let first = ''
  for (let at: Node | undefined = node; at !== undefined; ) {
    const from: Value = at.inputs.find((input) => input !== undefined && makers.has(input.name))!
    first = from.name
    at = makers.get(from.name)
    if (at !== undefined) before.unshift(at.name)
  }
  const after: string[] = []
  const reads = (made: readonly (Value | undefined)[]): Node | undefined =>
    nodes.find((next) => next.inputs.some((input) => input !== undefined && made.some((value) => value?.name === input.name)))
  for (let next = reads(node.outputs); next !== undefined; next = reads(next.outputs)) after.push(next.name)
  const whole = [first, ...before, node.name, ...after]
  const shown = whole.length <= 12 ? whole : [...whole.slice(0, 5), '…', ...whole.slice(-5)]
  return [...shown, loss.name].join(' → ')
}
