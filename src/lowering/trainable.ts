// which initializers of a file a gradient goes back to, found before anything is written
import { gradients } from '../autodiff/gradients'
import { isFloat } from '../onnx/infer'
import type { OpName } from '../onnx/operators'
import {
  functionName,
  graphsOf,
  operatorName,
  type RawFunction,
  type RawGraph,
  type RawModel,
  type RawNode,
} from '../onnx/RawModel'
import { bodyOf, paired } from './functions'
import { readBy } from './reading'
import { listLowerings } from './sequences'
import { lowerings } from './table'

/** What the initializers are that an output depends on. */
export interface Reached {
  /** Those that a gradient of the output goes back to. */
  readonly carried: ReadonlySet<string>
  /** Of these, those that are only read as frequencies of positions, which rotary embeddings keep as constants. */
  readonly frequencies: ReadonlySet<string>
  /** Those that are read as statistics, which training moves by itself. */
  readonly statistics: ReadonlySet<string>
}

/** Which initializers of a file an output depends on, and how. */
export function reachedFrom(model: RawModel, output: string): Reached {
  const walk = { model, statistics: new Set<string>(), data: undefined }
  const live = new Set([output])
  goBack(walk, model.graph.nodes, live)
  const apart = new Set([output])
  goBack({ ...walk, data: dataOf(model) }, model.graph.nodes, apart)
  const own = (names: ReadonlySet<string>): string[] => [...names].filter(name => model.graph.initializers.has(name))
  return {
    carried: new Set(own(live)),
    frequencies: new Set(own(live).filter(name => !apart.has(name))),
    statistics: new Set(own(walk.statistics)),
  }
}

/** The values that depend on a batch's numbers or on a matrix of weights, in the graph itself. */
function dataOf({ graph }: RawModel): ReadonlySet<string> {
  const matrices = [...graph.initializers].filter(
    ([, { dtype, dims }]) => isFloat(dtype) && dims.filter(length => length > 1).length > 1,
  )
  const inputs = graph.inputs.filter(({ type }) => type === undefined || isFloat(type.dtype))
  const data = new Set([...matrices.map(([name]) => name), ...inputs.map(({ name }) => name)])
  for (const node of graph.nodes)
    if (readBy(node).some(name => data.has(name))) for (const name of node.outputs) data.add(name)
  return data
}

interface Walk {
  readonly model: RawModel
  readonly statistics: Set<string>
  /** Where given, the sine or cosine of a value that is not among these is a constant. */
  readonly data: ReadonlySet<string> | undefined
}

/** Adds to the names that a gradient reaches those that it reaches through nodes. */
function goBack(walk: Walk, nodes: readonly RawNode[], live: Set<string>): void {
  const wanted = new Set(live)
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some(name => wanted.has(name))) continue
    const reached = node.outputs.some(name => live.has(name))
    throughNode(walk, node, live, reached)
    for (const name of readBy(node)) wanted.add(name)
  }
}

/** Marks what a gradient reaches through a node. */
function throughNode(walk: Walk, node: RawNode, live: Set<string>, reached: boolean): void {
  for (const graph of graphsOf(node)) throughBranch(walk, node, graph, live)
  const called = walk.model.functions.get(functionName(node))
  if (called !== undefined) {
    throughCall(walk, node, called, live)
    return
  }
  if (walk.data?.has(node.inputs[0] ?? '') === false && (node.op === 'Sin' || node.op === 'Cos')) return
  const { carries, statistics } = rulesOf(node)
  node.inputs.forEach((name, at) => {
    if (name === '') return
    if (statistics?.includes(at) === true) walk.statistics.add(name)
    else if (reached && (carries === undefined || carries.includes(at)) && !isFill(walk, node, name)) live.add(name)
  })
}

/** The names in a function's body are its own: what a gradient reaches there reaches what the node gives it. */
function throughCall(walk: Walk, node: RawNode, called: RawFunction, live: Set<string>): void {
  const within = new Set(called.outputs.filter((_, i) => live.has(node.outputs[i] ?? '')))
  const inner: Walk = { ...walk, statistics: new Set<string>(), data: undefined }
  goBack(inner, bodyOf(called, node), within)
  for (const [own, outside] of paired(called.inputs, node.inputs, 'inputs')) {
    if (outside !== '' && within.has(own)) live.add(outside)
    if (outside !== '' && inner.statistics.has(own)) walk.statistics.add(outside)
  }
}

function throughBranch(walk: Walk, node: RawNode, graph: RawGraph, live: Set<string>): void {
  const names = graph.outputs.map(({ name }) => name)
  for (const name of names.filter((_, i) => live.has(node.outputs[i] ?? ''))) live.add(name)
  goBack(walk, graph.nodes, live)
}

function rulesOf(node: RawNode): { readonly carries?: readonly number[]; readonly statistics?: readonly number[] } {
  const name = operatorName(node)
  if (Object.hasOwn(lowerings, name)) return lowerings[name]!
  if (Object.hasOwn(listLowerings, name)) return {}
  return Object.hasOwn(gradients, name) && gradients[name as OpName] === 'flat' ? { carries: [] } : {}
}

/** Whether an initializer is one number that stands where nothing is to be: -3.4e38 for what is masked, say. */
function isFill({ model }: Walk, node: RawNode, name: string): boolean {
  return node.op === 'Where' && model.graph.initializers.get(name)?.size === 1
}
