// which numbers the inputs of a graph may be, because places are looked up by them
import type { Tensor } from '../tensor'
import { positive } from './shapes'
import type { Node, Value } from './types'

/** What a number of an input becomes on its way; undefined where it becomes none. */
type Map1 = (x: number) => number

/** An input's numbers, each on its own, are places along an axis. */
export interface IndexLimit {
  /** The places are those from 0 to before it. */
  readonly length: number
  /** What is looked up: the name of a value. */
  readonly of: string
  /** The place that a number of the input becomes; the number itself where it is undefined. */
  readonly placeOf: Map1 | undefined
}

/** A graph, finished or not. */
interface Written {
  readonly inputs: readonly Value[]
  readonly nodes: readonly Node[]
  constantOf(value: Value | undefined): Tensor | undefined
}

/** An input's numbers, of which each element of a value is one, or what became of one. */
interface Followed {
  readonly input: string
  /** How the elements were moved since: two values can be computed with each other only where that is the same. */
  readonly order: string
  readonly map: Map1 | undefined
}

/**
 * What the inputs of a graph are places of, by their names. Followed are whole numbers, element by element, through
 * arithmetic and comparisons with constants (as a label that does not count is left out), and through what moves
 * elements without leaving any out.
 * @param labels inputs that are labels: one that is compared with 0, 1, 2, … at once, as cross-entropy without a lookup
 * compares classes, is one of these, or a number that it is compared with alone, as the one that does not count.
 */
export function indexLimits(
  graph: Written,
  labels: readonly string[] = [],
): ReadonlyMap<string, readonly IndexLimit[]> {
  const walk = new Walk(graph, new Set(labels))
  for (const node of graph.nodes) walk.follow(node)
  return walk.limits
}

/** A node that looks up a place that there is not. */
export interface Missed {
  readonly node: Node
  readonly place: number
  readonly of: string
  readonly length: number
}

/** The first node that looks up places which are constants, and of which one is not there. */
export function missedPlace(graph: Written): Missed | undefined {
  for (const node of graph.nodes) {
    const length = lengthLookedUp(node)
    const places = length === undefined ? undefined : graph.constantOf(node.inputs[1])
    for (const value of places?.data ?? []) {
      const place = Number(value)
      if (place >= length! || place < -length!) return { node, place, of: node.inputs[0]!.name, length: length! }
    }
  }
  return undefined
}

type Compute = (...numbers: number[]) => number

const elementwise: Readonly<Record<string, Compute>> = {
  Add: (a, b) => a! + b!,
  Sub: (a, b) => a! - b!,
  Mul: (a, b) => a! * b!,
  Neg: a => -a!,
  Abs: a => Math.abs(a!),
  Min: Math.min,
  Max: Math.max,
  Equal: (a, b) => Number(a === b),
  Greater: (a, b) => Number(a! > b!),
  Less: (a, b) => Number(a! < b!),
  GreaterOrEqual: (a, b) => Number(a! >= b!),
  LessOrEqual: (a, b) => Number(a! <= b!),
  Not: a => Number(a === 0),
  And: (a, b) => Number(a !== 0 && b !== 0),
  Or: (a, b) => Number(a !== 0 || b !== 0),
  Where: (condition, a, b) => (condition === 0 ? b! : a!),
  Identity: a => a!,
}

/** What moves elements, and leaves none out. */
const moving: ReadonlySet<string> = new Set(['Reshape', 'Unsqueeze', 'Squeeze', 'Expand', 'Transpose', 'Flatten'])

class Walk {
  readonly limits = new Map<string, IndexLimit[]>()
  readonly #graph: Written
  readonly #followed = new Map<string, Followed>()
  readonly #labels: ReadonlySet<string>
  /** Single numbers that labels are compared with. */
  readonly #alone = new Map<string, Set<number>>()

  constructor(graph: Written, labels: ReadonlySet<string>) {
    this.#graph = graph
    this.#labels = labels
    for (const { name, dtype } of graph.inputs)
      if (dtype === 'int64' || dtype === 'int32') this.#followed.set(name, { input: name, order: '', map: undefined })
  }

  follow(node: Node): void {
    const [output] = node.outputs
    if (output === undefined) return
    this.#limit(node)
    if (node.op === 'Equal') this.#compare(node)
    const found = this.#made(node, output)
    if (found !== undefined) this.#followed.set(output.name, found)
  }

  #made(node: Node, output: Value): Followed | undefined {
    const first = this.#of(node.inputs[0])
    if (moving.has(node.op))
      return first && { ...first, order: `${first.order} ${node.op}[${output.shape.join()}]${permOf(node)}` }
    if (node.op === 'Cast') return first && this.#cast(first, output)
    const compute = elementwise[node.op]
    return compute && this.#computed(node.inputs, output, compute)
  }

  #cast(from: Followed, { dtype }: Value): Followed {
    if (dtype !== 'bool') return from
    const { map } = from
    return { ...from, map: x => Number((map?.(x) ?? x) !== 0) }
  }

  /** Of one input and constants of one number each. */
  #computed(inputs: readonly (Value | undefined)[], output: Value, compute: Compute): Followed | undefined {
    const parts = inputs.map(input => this.#of(input) ?? this.#number(input))
    const one = parts.find(part => typeof part === 'object')
    if (one === undefined) return undefined
    const fits = (part: Followed | number | undefined): boolean =>
      typeof part === 'number' || (part?.input === one.input && part.order === one.order)
    if (!parts.every(fits)) return undefined
    const known = parts as readonly (Followed | number)[]
    const rank = Math.max(...inputs.map((input, i) => (typeof known[i] === 'number' ? 0 : input!.shape.length)))
    if (output.shape.length !== rank) return undefined
    const map: Map1 = x => compute(...known.map(part => (typeof part === 'number' ? part : (part.map?.(x) ?? x))))
    return { ...one, map }
  }

  #of(value: Value | undefined): Followed | undefined {
    return value && this.#followed.get(value.name)
  }

  #number(value: Value | undefined): number | undefined {
    const tensor = this.#graph.constantOf(value)
    return tensor?.size === 1 ? Number(tensor.data[0]) : undefined
  }

  /** Takes note of what labels are compared with: all classes at once, or one number. */
  #compare({ inputs: [a, b] }: Node): void {
    const label = this.#of(a) ?? this.#of(b)
    const constant = this.#graph.constantOf(b) ?? this.#graph.constantOf(a)
    if (label === undefined || constant === undefined || !this.#labels.has(label.input)) return
    const { input, map } = label
    const alone = this.#alone.get(input) ?? new Set()
    this.#alone.set(input, alone)
    const numbers = Array.from(constant.data as ArrayLike<number | bigint>, Number)
    if (numbers.length === 1 && map === undefined) alone.add(numbers[0]!)
    if (numbers.length < 2 || numbers.some((number, i) => number !== i)) return
    const placeOf: Map1 = x => (alone.has(x) ? 0 : (map?.(x) ?? x))
    this.#note(input, { length: numbers.length, of: 'classes', placeOf })
  }

  #note(input: string, limit: IndexLimit): void {
    this.limits.set(input, [...(this.limits.get(input) ?? []), limit])
  }

  /** Takes note of places that a node looks up. */
  #limit(node: Node): void {
    const index = this.#of(node.inputs[1])
    const length = index === undefined ? undefined : lengthLookedUp(node)
    if (index === undefined || length === undefined) return
    this.#note(index.input, { length, of: node.inputs[0]!.name, placeOf: index.map })
  }
}

/** How many places there are for the second input of a node to name; undefined where it names none, or nobody knows. */
export function lengthLookedUp(node: Node): number | undefined {
  const at = lookedUp(node)
  const shape = node.inputs[0]?.shape ?? []
  if (at === undefined || shape.length === 0) return undefined
  const length = shape[positive(at, shape.length)]
  return typeof length === 'number' ? length : undefined
}

/** The axis along which the second input of a node names places of the first; undefined for other nodes. */
function lookedUp(node: Node): number | undefined {
  if (node.op !== 'Gather' && node.op !== 'GatherElements' && node.op !== 'ScatterElements') return undefined
  return (node as Node<'Gather'>).attributes.axis ?? 0
}

function permOf(node: Node): string {
  return node.op === 'Transpose' ? `(${(node as Node<'Transpose'>).attributes.perm?.join() ?? ''})` : ''
}
