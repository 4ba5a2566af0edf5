import { TrainerError } from '../errors'
import { isGraph, nodeName, type RawAttribute, type RawGraph, type RawNode } from '../onnx/RawModel'
import { dataTypeOf } from '../onnx/wire'
import { type DataType, Tensor } from '../tensor'

/** The attributes of a node, and which of them a rule has read. */
export class NodeAttributes {
  readonly #node: RawNode
  readonly #read = new Set<string>()

  constructor(node: RawNode) {
    this.#node = node
  }

  has(name: string): boolean {
    return this.#node.attributes.has(name)
  }

  int(name: string): number | undefined
  int(name: string, otherwise: number): number
  int(name: string, otherwise?: number): number | undefined {
    return this.#of(name, 'an integer', (value): value is number => Number.isInteger(value)) ?? otherwise
  }

  float(name: string): number | undefined
  float(name: string, otherwise: number): number
  float(name: string, otherwise?: number): number | undefined {
    return this.#of(name, 'a number', (value): value is number => typeof value === 'number') ?? otherwise
  }

  text(name: string): string | undefined
  text(name: string, otherwise: string): string
  text(name: string, otherwise?: string): string | undefined {
    return this.#of(name, 'a string', (value): value is string => typeof value === 'string') ?? otherwise
  }

  numbers(name: string): readonly number[] | undefined {
    return this.#of(name, 'a list of numbers', (value): value is readonly number[] => isList(value, 'number'))
  }

  texts(name: string): readonly string[] | undefined {
    return this.#of(name, 'a list of strings', (value): value is readonly string[] => isList(value, 'string'))
  }

  tensor(name: string): Tensor | undefined {
    return this.#of(name, 'a tensor', (value): value is Tensor => value instanceof Tensor)
  }

  /** An element type. @throws TrainerError for one that cannot be read. */
  dtype(name: string): DataType | undefined {
    const type = this.int(name)
    const found = type === undefined ? undefined : dataTypeOf(type)
    if (type === undefined || found !== undefined) return found
    throw new TrainerError('graph', `the attribute ${name} is the element type ${type}, which cannot be read.`)
  }

  graph(name: string): RawGraph | undefined {
    return this.#of(name, 'a graph', isGraph)
  }

  /** Takes an attribute as read that has no effect on what is computed here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name)
  }

  /** The names of those that no rule has read. */
  unread(): readonly string[] {
    return [...this.#node.attributes.keys()].filter(name => !this.#read.has(name))
  }

  #of<T extends RawAttribute>(name: string, wanted: string, fits: (value: RawAttribute) => value is T): T | undefined {
    this.#read.add(name)
    const value = this.#node.attributes.get(name)
    if (value === undefined || fits(value)) return value
    const found = typeof value === 'object' && !Array.isArray(value) ? 'is not' : `is ${String(value)}`
    throw new TrainerError('file', `${nodeName(this.#node)}: the attribute ${name} should be ${wanted}, but ${found}.`)
  }
}

function isList(value: RawAttribute, type: 'number' | 'string'): boolean {
  return Array.isArray(value) && value.every(item => typeof item === type)
}
