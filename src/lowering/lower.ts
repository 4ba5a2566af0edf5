import { nearest, TrainerError } from '../errors'
import { operators, type OpName } from '../onnx/operators'
import { functionName, nodeName, operatorName, type RawFunction, type RawModel, type RawNode } from '../onnx/RawModel'
import type { Dimension, Node, Value, ValueType } from '../onnx/types'
import type { Tensor } from '../tensor'
import { KnownContents } from './contents'
import { bodyOf, paired } from './functions'
import type { Site, Target } from './Lowering'
import { native } from './native'
import { NodeAttributes } from './NodeAttributes'
import { needed } from './reading'
import { type Bound, isList, listLowerings, type ListSite } from './sequences'
import { lowerings } from './table'

/** What of a file is written, and under which values it finds what it reads. */
export interface LowerOptions {
  readonly model: RawModel
  /** What messages call the file. */
  readonly file: string
  /** The values of the file's inputs and parameters, by name; other initializers become constants. */
  readonly given: ReadonlyMap<string, Value>
  /** What inputs of the file are that no batch has, by name: whether it is training, say. */
  readonly fixed?: ReadonlyMap<string, Tensor>
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
  const { given, fixed = new Map(), wanted } = options
  const walk = new Walk(target, options)
  const { graph, opsets } = options.model
  const initializers = new Map([...graph.initializers, ...fixed])
  const scope: Scope = { ...graph, initializers, opsets, path: '', absent: new Set(), valueOf: name => given.get(name) }
  const found = walk.graph(scope, wanted)
  return new Map(
    [...found].map(([name, bound]) => {
      if (!isList(bound)) return [name, bound]
      throw new TrainerError(
        'graph',
        `${options.file}: the output "${name}" is a list of tensors, which no model has here.`,
      )
    }),
  )
}

/** A graph of the file, or the body of a function, and where the names that it does not make itself are found. */
interface Scope {
  readonly nodes: readonly RawNode[]
  readonly initializers: ReadonlyMap<string, Tensor>
  readonly stated: ReadonlyMap<string, ValueType>
  readonly opsets: ReadonlyMap<string, number>
  /** The nodes in which it stands, each with a slash behind it. */
  readonly path: string
  /** The names of a function's inputs that the node which calls it does not give. */
  readonly absent: ReadonlySet<string>
  valueOf(name: string): Bound | undefined
}

class Walk {
  readonly #target: Target
  readonly #model: RawModel
  readonly #file: string
  readonly #contents: KnownContents
  /** The constant that a value is. A parameter is none, also where it is written as one. */
  readonly #constantOf: (value: Value | undefined) => Tensor | undefined
  /** How often a place of dropout was asked for: calls of one function have their masks apart. */
  readonly #places = new Map<string, number>()

  constructor(target: Target, { model, file, given }: LowerOptions) {
    this.#target = target
    this.#model = model
    this.#file = file
    const open = new Set([...given.values()].map(({ name }) => name))
    this.#constantOf = value =>
      value === undefined || open.has(value.name) ? undefined : target.graph.constantOf(value)
    this.#contents = new KnownContents(this.#constantOf)
  }

  graph(scope: Scope, wanted: readonly string[]): ReadonlyMap<string, Bound> {
    const values = new Map<string, Bound>()
    const valueOf = (name: string): Bound | undefined => {
      const known = values.get(name) ?? scope.valueOf(name)
      if (known !== undefined) return known
      const tensor = scope.initializers.get(name)
      if (tensor === undefined) return undefined
      const value = this.#target.graph.constant(tensor)
      values.set(name, value)
      return value
    }
    const inside: Scope = { ...scope, valueOf }
    for (const node of needed(scope.nodes, wanted)) {
      const outputs = this.#blaming(node, () => this.#node(node, inside))
      node.outputs.forEach((name, i) => {
        if (name !== '' && outputs[i] !== undefined) values.set(name, outputs[i])
      })
    }
    return new Map(wanted.map(name => [name, this.#found(valueOf(name), name, `the output "${name}"`)]))
  }

  #node(node: RawNode, scope: Scope): readonly (Bound | undefined)[] {
    const called = this.#model.functions.get(functionName(node))
    if (called !== undefined) return this.#call(node, called, scope)
    if (node.op === 'If' && node.domain === '') return this.#branch(node, scope)
    const bound = node.inputs.map(name =>
      name === '' || scope.absent.has(name) ? undefined : this.#found(scope.valueOf(name), name, nodeName(node)),
    )
    const { graph } = this.#target
    const before = graph.nodes.length
    const site = this.#site(node, bound, scope)
    const written = graph.scope(node.name, () => this.#written(site))
    const unread = site.attributes.unread()
    if (unread.length > 0) {
      const problem = `the attribute ${unread[0]} = ${String(node.attributes.get(unread[0]!))} cannot be honoured.`
      throw new TrainerError('graph', problem)
    }
    const made = graph.nodes.slice(before)
    for (const one of made) this.#contents.follow(one)
    return written.map((value, i) =>
      value === undefined || isList(value) ? value : this.#settled(value, scope.stated.get(node.outputs[i]!), made),
    )
  }

  /** What the node's rule gives for each of its outputs. */
  #written(site: ListSite): readonly (Bound | undefined)[] {
    const { node } = site
    const name = operatorName(node)
    if (Object.hasOwn(listLowerings, name)) return [listLowerings[name]!(site)]
    if (site.bound.some(isList)) {
      if (name === 'Identity') return site.bound
      throw new TrainerError('graph', `the operator ${name} is given a list of tensors, which it has no rule for.`)
    }
    const rule = Object.hasOwn(lowerings, name) ? lowerings[name] : undefined
    if (rule === undefined && !isNative(node)) throw unknown(node)
    const written = rule === undefined ? native(site) : rule.lower(site)
    return Array.isArray(written) ? (written as readonly (Value | undefined)[]) : [written as Value]
  }

  /** A value as a constant if it is known, and else with the lengths that the file states where ours are not known. */
  #settled(value: Value, stated: ValueType | undefined, made: readonly Node[]): Value {
    const { graph } = this.#target
    const known = this.#constantOf(value) === undefined ? this.#contents.tensor(value) : undefined
    if (known !== undefined) return graph.constant(known)
    const said = stated?.shape
    if (said?.length !== value.shape.length || graph.nodes.at(-1)?.outputs[0]?.name !== value.name) return value
    // of what a file states numbers hold, but names are sometimes those of other lengths
    const shape = value.shape.map((length, i) => (isUnknown(length) && typeof said[i] === 'number' ? said[i] : length))
    return made.length === 0 || shape.every((length, i) => length === value.shape[i])
      ? value
      : graph.assume(value, shape)
  }

  /** The branch that is taken, where that is known: a graph of ours has no branches. */
  #branch(node: RawNode, scope: Scope): readonly Bound[] {
    const attributes = new NodeAttributes(node)
    const decides = scope.valueOf(node.inputs[0] ?? '')
    const condition = isList(decides) ? undefined : this.#contents.of(decides)?.items[0]
    const taken = attributes.graph(condition === 0 ? 'else_branch' : 'then_branch')
    if (typeof condition !== 'number' || taken === undefined) {
      throw new TrainerError('graph', 'which branch is taken is known only when the graph runs.', {
        fix: 'Export the model with the shapes and options fixed that it branches on.',
      })
    }
    const names = taken.outputs.map(({ name }) => name)
    const inside: Scope = { ...scope, ...taken, path: `${scope.path}${node.name}/` }
    const found = this.#target.graph.scope(node.name, () => this.graph(inside, names))
    return names.map(name => found.get(name)!)
  }

  /** What a function makes that the file defines: its body is written in place of the node. */
  #call(node: RawNode, called: RawFunction, scope: Scope): readonly (Bound | undefined)[] {
    const pairs = paired(called.inputs, node.inputs, 'inputs')
    const isAbsent = (outside: string): boolean => outside === '' || scope.absent.has(outside)
    const given = new Map(pairs.filter(([, outside]) => !isAbsent(outside)))
    const wanted = paired(called.outputs, node.outputs, 'outputs').filter(([, name]) => name !== '')
    const inside: Scope = {
      nodes: bodyOf(called, node),
      initializers: new Map(),
      stated: new Map(),
      opsets: called.opsets,
      path: `${scope.path}${node.name}/`,
      absent: new Set(pairs.flatMap(([own, outside]) => (isAbsent(outside) ? [own] : []))),
      valueOf: name => (given.has(name) ? scope.valueOf(given.get(name)!) : undefined),
    }
    const names = wanted.map(([own]) => own)
    const found = this.#target.graph.scope(node.name, () => this.graph(inside, names))
    return called.outputs.map(name => found.get(name))
  }

  #site(node: RawNode, bound: readonly (Bound | undefined)[], { opsets, path }: Scope): ListSite {
    const inputs = bound.map(one => (isList(one) ? undefined : one))
    const constant = (value: Value | undefined): Tensor | undefined =>
      this.#constantOf(value) ?? (value && this.#contents.tensor(value))
    const input = (at: number): Value => {
      const value = inputs[at]
      if (value === undefined) throw new TrainerError('file', `its input ${at} is missing.`)
      return value
    }
    return {
      ...this.#target,
      dropoutMask: (place, x, probability) => this.#target.dropoutMask(this.#place(path + place), x, probability),
      moves: (statistic, next) => this.#target.moves(statistic, next),
      node,
      opset: opsets.get(node.domain) ?? 1,
      bound,
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
    } satisfies Site & ListSite
  }

  #place(place: string): string {
    const before = this.#places.get(place) ?? 0
    this.#places.set(place, before + 1)
    return before === 0 ? place : `${place}.${before}`
  }

  #found(value: Bound | undefined, name: string, reader: string): Bound {
    if (value !== undefined) return value
    throw new TrainerError('file', `${this.#file}: ${reader} reads "${name}", which nothing before it makes.`)
  }

  /** Runs a step; its errors begin with the file and the node. */
  #blaming<T>(node: RawNode, step: () => T): T {
    try {
      return step()
    } catch (error) {
      const known = isOfNumbers(error) ? outOfRange(error) : error
      if (!(known instanceof TrainerError) || known.message.startsWith(`${this.#file}: `)) throw error
      const { code, problem, fix } = known
      const message = `${this.#file}: ${nodeName(node)}: ${problem}`
      throw new TrainerError(code, message, { cause: error, ...(fix !== undefined && { fix }) })
    }
  }
}

/** What JavaScript says of lengths that nothing can have, and of numbers that no integer is. */
const ofNumbers = /^Invalid (typed )?array length|^Array buffer allocation failed|cannot be converted to a BigInt/i

/** Whether an error is about numbers, which are the file's here; a stack that is full is a RangeError too. */
function isOfNumbers(error: unknown): error is RangeError {
  return error instanceof RangeError && ofNumbers.test(error.message)
}

function outOfRange(cause: RangeError): TrainerError {
  return new TrainerError('graph', `its numbers are out of range: ${cause.message}.`, { cause })
}

function unknown(node: RawNode): TrainerError {
  const like = nearest(node.op, [...Object.keys(lowerings), ...Object.keys(listLowerings), ...Object.keys(operators)])
  const hint = like === undefined ? '' : ` (the closest known one is ${like})`
  return new TrainerError('graph', `the operator ${operatorName(node)} has no rule${hint}.`, {
    fix: 'docs/operators.md in the folder of the package lists those that can be read.',
  })
}

function isNative({ op, domain }: RawNode): boolean {
  return Object.hasOwn(operators, op) && operators[op as OpName].domain === domain
}

function isUnknown(length: Dimension): boolean {
  return typeof length === 'string' && length.startsWith('unknown_')
}
