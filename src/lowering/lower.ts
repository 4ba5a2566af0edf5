import { nearest, TrainerError } from '../errors'
import { operators, type OpName } from '../onnx/operators'
import { nodeName, operatorName, type RawGraph, type RawModel, type RawNode } from '../onnx/readModel'
import type { Dimension, Value } from '../onnx/types'
import type { Tensor } from '../tensor'
import { KnownContents } from './contents'
import type { Site, Target } from './Lowering'
import { native } from './native'
import { NodeAttributes } from './NodeAttributes'
import { lowerings } from './table'

/** What of a file is written, and under which values it finds what it reads. */
export interface LowerOptions {
  readonly model: RawModel
  /** What messages call the file. */
  readonly file: string
  /** The values of the file's inputs and parameters, by name; other initializers become constants. */
  readonly given: ReadonlyMap<string, Value>
  /** The names of the values that are wanted; nodes that lead to none of them are left out. */
  readonly wanted: readonly string[]
}

/**
 * Writes a graph of another program in our operators, by the tables of rules.
 * @returns the values that were wanted, by their names in the file.
 * @throws TrainerError ('graph') naming file, node and operator for one without a rule; ('file') for a file that
 * contradicts itself.
 */
export function lower(target: Target, options: LowerOptions): ReadonlyMap<string, Value> {
  const { model, file, given, wanted } = options
  const walk = new Walk(target, model, file, new KnownContents(value => target.graph.constantOf(value)))
  return walk.graph(model.graph, wanted, name => given.get(name))
}

/** The names that values are found by: those of a graph, and of the graphs that it stands in. */
type Lookup = (name: string) => Value | undefined

class Walk {
  readonly #target: Target
  readonly #model: RawModel
  readonly #file: string
  readonly #contents: KnownContents

  constructor(target: Target, model: RawModel, file: string, contents: KnownContents) {
    this.#target = target
    this.#model = model
    this.#file = file
    this.#contents = contents
  }

  graph(raw: RawGraph, wanted: readonly string[], outer: Lookup): ReadonlyMap<string, Value> {
    const values = new Map<string, Value>()
    const valueOf: Lookup = name => {
      const known = values.get(name) ?? outer(name)
      if (known !== undefined) return known
      const tensor = raw.initializers.get(name)
      if (tensor === undefined) return undefined
      const value = this.#target.graph.constant(tensor)
      values.set(name, value)
      return value
    }
    for (const node of needed(raw, wanted)) {
      const outputs = this.#blaming(node, () => this.#node(node, raw, valueOf))
      node.outputs.forEach((name, i) => {
        if (name !== '' && outputs[i] !== undefined) values.set(name, outputs[i])
      })
    }
    return new Map(wanted.map(name => [name, this.#found(valueOf(name), name, `the output "${name}"`)]))
  }

  #node(node: RawNode, raw: RawGraph, valueOf: Lookup): readonly (Value | undefined)[] {
    if (node.op === 'If' && node.domain === '') return this.#branch(node, valueOf)
    const inputs = node.inputs.map(name => (name === '' ? undefined : this.#found(valueOf(name), name, nodeName(node))))
    const { graph } = this.#target
    const before = graph.nodes.length
    const site = this.#site(node, inputs)
    const name = operatorName(node)
    const rule = Object.hasOwn(lowerings, name) ? lowerings[name] : undefined
    if (rule === undefined && !isNative(node)) throw this.#unknown(node)
    const written = graph.scope(node.name, () => (rule === undefined ? native(site) : rule.lower(site)))
    const unread = site.attributes.unread()
    if (unread.length > 0) {
      const problem = `the attribute ${unread[0]} = ${String(node.attributes.get(unread[0]!))} cannot be honoured.`
      throw new TrainerError('graph', problem)
    }
    for (const made of graph.nodes.slice(before)) this.#contents.follow(made)
    const outputs = Array.isArray(written) ? (written as readonly (Value | undefined)[]) : [written as Value]
    return outputs.map((value, i) => this.#settled(value, node.outputs[i], raw))
  }

  /** A value as a constant if it is known, and else with the lengths that the file states where ours are not known. */
  #settled(value: Value | undefined, name: string | undefined, { stated }: RawGraph): Value | undefined {
    if (value === undefined) return undefined
    const { graph } = this.#target
    const known = graph.constantOf(value) === undefined ? this.#contents.tensor(value) : undefined
    if (known !== undefined) return graph.constant(known)
    const said = stated.get(name ?? '')?.shape
    if (said?.length !== value.shape.length || !value.shape.some(isUnknown)) return value
    if (graph.nodes.at(-1)?.outputs[0]?.name !== value.name) return value
    return graph.assume(
      value,
      value.shape.map((length, i) => (isUnknown(length) ? said[i]! : length)),
    )
  }

  /** The branch that is taken, where that is known: a graph of ours has no branches. */
  #branch(node: RawNode, valueOf: Lookup): readonly Value[] {
    const attributes = new NodeAttributes(node)
    const condition = this.#contents.of(valueOf(node.inputs[0] ?? ''))?.items[0]
    const taken = attributes.graph(condition === 0 ? 'else_branch' : 'then_branch')
    if (typeof condition !== 'number' || taken === undefined) {
      throw new TrainerError('graph', 'which branch is taken is known only when the graph runs.', {
        fix: 'Export the model with the shapes and options fixed that it branches on.',
      })
    }
    const names = taken.outputs.map(({ name }) => name)
    const found = this.graph(taken, names, valueOf)
    return names.map(name => found.get(name)!)
  }

  #site(node: RawNode, inputs: readonly (Value | undefined)[]): Site {
    const { graph } = this.#target
    const constant = (value: Value | undefined): Tensor | undefined =>
      graph.constantOf(value) ?? (value && this.#contents.tensor(value))
    const input = (at: number): Value => {
      const value = inputs[at]
      if (value === undefined) throw new TrainerError('file', `its input ${at} is missing.`)
      return value
    }
    return {
      ...this.#target,
      dropoutMask: (place, x, probability) => this.#target.dropoutMask(place, x, probability),
      moves: (statistic, next) => this.#target.moves(statistic, next),
      node,
      opset: this.#model.opsets.get(node.domain) ?? 1,
      inputs,
      attributes: new NodeAttributes(node),
      outputs: node.outputs.length,
      isRead: output => (node.outputs[output] ?? '') !== '',
      input,
      constant,
      numbers: (at, what) => {
        const tensor = constant(input(at))
        if (tensor !== undefined) return Array.from(tensor.data as ArrayLike<number>, Number)
        throw new TrainerError('graph', `its ${what} ("${node.inputs[at]}") are known only when the graph runs.`)
      },
      lengths: value => this.#contents.of(value)?.items,
    }
  }

  #found(value: Value | undefined, name: string, reader: string): Value {
    if (value !== undefined) return value
    throw new TrainerError('file', `${this.#file}: ${reader} reads "${name}", which nothing before it makes.`)
  }

  #unknown(node: RawNode): TrainerError {
    const like = nearest(node.op, [...Object.keys(lowerings), ...Object.keys(operators)])
    const hint = like === undefined ? '' : ` (the closest known one is ${like})`
    return new TrainerError('graph', `the operator ${operatorName(node)} has no rule${hint}.`, {
      fix: 'docs/operators.md lists those that can be read.',
    })
  }

  /** Runs a step; its errors begin with the file and the node. */
  #blaming<T>(node: RawNode, step: () => T): T {
    try {
      return step()
    } catch (error) {
      if (!(error instanceof TrainerError) || error.message.startsWith(`${this.#file}: `)) throw error
      const { code, problem, fix } = error
      const message = `${this.#file}: ${nodeName(node)}: ${problem}`
      throw new TrainerError(code, message, { cause: error, ...(fix !== undefined && { fix }) })
    }
  }
}

function isNative({ op, domain }: RawNode): boolean {
  return Object.hasOwn(operators, op) && operators[op as OpName].domain === domain
}

function isUnknown(length: Dimension): boolean {
  return typeof length === 'string' && length.startsWith('unknown_')
}

/** The nodes that what is wanted depends on, graphs inside of nodes included, in the order of the file. */
function needed(raw: RawGraph, wanted: readonly string[]): readonly RawNode[] {
  const names = new Set(wanted)
  const kept: RawNode[] = []
  for (const node of raw.nodes.toReversed()) {
    if (!node.outputs.some(output => names.has(output))) continue
    for (const name of readBy(node)) names.add(name)
    kept.push(node)
  }
  return kept.reverse()
}

/** The names that a node reads, also those that graphs in its attributes read from around it. */
export function readBy(node: RawNode): readonly string[] {
  const inner = [...node.attributes.values()].flatMap(value =>
    typeof value === 'object' && 'nodes' in value
      ? [...value.nodes.flatMap(readBy), ...value.outputs.map(({ name }) => name)]
      : [],
  )
  return [...node.inputs.filter(name => name !== ''), ...inner]
}
