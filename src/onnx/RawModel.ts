import type { Tensor } from '../tensor'
import type { ValueType } from './types'

/** An ONNX model as its file has it, in whatever operators: nothing is bound or checked yet. */
export interface RawModel {
  /** The version of each domain's operators; '' is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>
  readonly graph: RawGraph
  /** Operators that the file defines itself, by {@link functionName}. */
  readonly functions: ReadonlyMap<string, RawFunction>
  /** What the file says of itself: its `metadata_props`. */
  readonly metadata: ReadonlyMap<string, string>
}

/** A graph as the file has it. */
export interface RawGraph {
  readonly name: string
  readonly nodes: readonly RawNode[]
  readonly initializers: ReadonlyMap<string, Tensor>
  /** Without those that an initializer gives a value: before IR version 4 these were listed too. */
  readonly inputs: readonly RawValue[]
  readonly outputs: readonly RawValue[]
  /** The types that the file states, by the names of values. */
  readonly stated: ReadonlyMap<string, ValueType>
}

/** A value that a file names; its type is undefined where the file states none, or it is no tensor. */
export interface RawValue {
  readonly name: string
  readonly type: ValueType | undefined
}

/** A node as the file has it. */
export interface RawNode {
  readonly op: string
  readonly name: string
  /** '' for ONNX's own operators. */
  readonly domain: string
  /** '' for one that is not given. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, RawAttribute>
  /** Which of several functions of one name it means; '' mostly. */
  readonly overload?: string
}

/** The value of an attribute. */
export type RawAttribute = number | string | readonly number[] | readonly string[] | Tensor | RawGraph | RawReference

/** Within a function: the value that the function's own attribute of that name has. */
export interface RawReference {
  readonly reference: string
}

/** An operator that a file defines by others. */
export interface RawFunction {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** What attributes are where a node that calls it does not give them. */
  readonly defaults: ReadonlyMap<string, RawAttribute>
  readonly nodes: readonly RawNode[]
  readonly opsets: ReadonlyMap<string, number>
}

/** What an operator is called: its name, with the domain before it where that is not ONNX's. */
export function operatorName({ op, domain }: Pick<RawNode, 'op' | 'domain'>): string {
  return domain === '' ? op : `${domain}.${op}`
}

/** The key of the function that a node calls, or that a function has. */
export function functionName(called: Pick<RawNode, 'op' | 'domain' | 'overload'>): string {
  return (called.overload ?? '') === '' ? operatorName(called) : `${operatorName(called)}:${called.overload}`
}

/** Whether an attribute is a graph. */
export function isGraph(value: RawAttribute): value is RawGraph {
  return typeof value === 'object' && 'nodes' in value
}

/** The graphs in a node's attributes: branches and bodies of loops. */
export function graphsOf({ attributes }: RawNode): readonly RawGraph[] {
  return [...attributes.values()].filter(isGraph)
}

/** What errors call a node. */
export function nodeName(node: RawNode): string {
  return `The node "${node.name}" (${operatorName(node)})`
}
