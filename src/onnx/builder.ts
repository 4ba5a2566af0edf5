import { TrainerError } from '../errors'
import { checkOptions } from '../options'
import { type DataType, Tensor } from '../tensor'
import { finish } from './finish'
import { infer } from './infer'
import type { Attributes, OpName } from './operators'
import type { Dimension, GatherHint, Graph, Initializer, Node, Value } from './types'

/** A value, or a number that becomes a constant of the other operand's type. */
export type Operand = Value | number

type TwoOperands = 'Add' | 'Sub' | 'Mul' | 'Div' | 'Pow' | 'Min' | 'Max' | 'Equal' | 'Greater' | 'Less' | 'And' | 'Or'

/**
 * Writes a graph, node by node. Every node's element types and shapes are inferred, and checked, as it is added; what
 * is built is immutable.
 */
export class GraphBuilder {
  readonly name: string
  /** See `Graph.openLengths`. */
  readonly openLengths: boolean
  readonly #inputs: Value[] = []
  readonly #initializers = new Map<string, Initializer>()
  readonly #nodes: Node[] = []
  /** The node that makes each value, by the value's name. */
  readonly #makers = new Map<string, Node>()
  readonly #names = new Set<string>()
  readonly #constants = new Map<string, Value>()
  #scope = ''
  #unknown = 0

  constructor(name: string, openLengths = false) {
    this.name = name
    this.openLengths = openLengths
  }

  /** A builder that continues where a graph ends. */
  static from(graph: Graph): GraphBuilder {
    const builder = GraphBuilder.over(graph)
    for (const node of graph.nodes) builder.append(node)
    return builder
  }

  /** A builder with a graph's inputs and initializers, and none of its nodes yet. */
  static over(graph: Graph): GraphBuilder {
    const builder = new GraphBuilder(graph.name, graph.openLengths)
    const given = [...graph.inputs, ...[...graph.initializers.values()].map(({ value }) => value)]
    builder.#inputs.push(...graph.inputs)
    for (const [name, initializer] of graph.initializers) builder.#initializers.set(name, initializer)
    for (const { name } of given) builder.#names.add(name)
    // a new unknown length must not take the name of an old one
    for (const value of [...given, ...graph.nodes.flatMap(node => node.outputs)]) {
      for (const length of value?.shape ?? [])
        builder.#unknown = Math.max(builder.#unknown, Number(/^unknown_(\d+)$/.exec(String(length))?.[1] ?? -1) + 1)
    }
    return builder
  }

  /** The nodes so far, in an order in which they can run. */
  get nodes(): readonly Node[] {
    return this.#nodes
  }

  get inputs(): readonly Value[] {
    return this.#inputs
  }

  /** The node that makes a value, if one does; with `op`, only if it is of that operator. */
  makerOf(value: Value): Node | undefined
  makerOf<Op extends OpName>(value: Value, op: Op): Node<Op> | undefined
  makerOf(value: Value, op?: OpName): Node | undefined {
    const node = this.#makers.get(value.name)
    return op === undefined || node?.op === op ? node : undefined
  }

  /** What `write` adds is named under `name/`. */
  scope<T>(name: string, write: () => T): T {
    const outer = this.#scope
    this.#scope = `${outer}${name}/`
    try {
      return write()
    } finally {
      this.#scope = outer
    }
  }

  /** An input of the graph, under exactly this name. */
  input(name: string, dtype: DataType, shape: readonly Dimension[]): Value {
    const value = this.#value(name, dtype, shape)
    this.#inputs.push(value)
    return value
  }

  /** A named constant. */
  initializer(name: string, tensor: Tensor): Value {
    const value = this.#value(name, tensor.dtype, tensor.dims)
    this.#initializers.set(name, { value, tensor })
    return value
  }

  /**
   * An unnamed constant: a number (a scalar, float32 unless said otherwise) or a tensor. Equal small ones are made
   * once.
   */
  constant(content: number | Tensor, dtype: DataType = 'float32'): Value {
    const tensor = typeof content === 'number' ? Tensor.from(dtype, content) : content
    const items = (): string =>
      Array.from(tensor.data as Iterable<number>, v => (Object.is(v, -0) ? '-0' : String(v))).join()
    const key = tensor.size <= 64 ? `${tensor.dtype}[${tensor.dims.join()}]${items()}` : undefined
    const known = key === undefined ? undefined : this.#constants.get(key)
    if (known !== undefined) return known
    const value = this.initializer(this.#fresh('constant'), tensor)
    if (key !== undefined) this.#constants.set(key, value)
    return value
  }

  /** A constant int64 vector, as axes and shapes are given. */
  integers(numbers: readonly number[]): Value {
    return this.constant(Tensor.from('int64', numbers))
  }

  /** The constant that a value is, if it is one. */
  readonly constantOf = (value: Value | undefined): Tensor | undefined =>
    value === undefined ? undefined : this.#initializers.get(value.name)?.tensor

  /**
   * Adds a node and returns as many outputs as asked for.
   * @throws TrainerError when the inputs do not fit the operator.
   */
  node<Op extends OpName>(
    op: Op,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes[Op],
    outputs = 1,
    hint?: GatherHint,
  ): readonly Value[] {
    const unknown = (): string => `unknown_${this.#unknown++}`
    const types = infer(op, {
      inputs: inputs as readonly Value[],
      attributes,
      outputs,
      constant: this.constantOf,
      unknown,
      openLengths: this.openLengths,
    })
    const name = this.#fresh(op)
    const values = types.map((type, i) => this.#value(`${name}:${i}`, type.dtype, type.shape))
    this.#add({ op, name, inputs, outputs: values, attributes, hint } as Node)
    return values
  }

  /** Adds a node as it is: its outputs keep their names. */
  append(node: Node): void {
    for (const output of node.outputs) if (output !== undefined) this.#value(output.name, output.dtype, output.shape)
    this.#add(node)
  }

  /** Adds a node like another one, on other inputs of the same types. */
  repeat(node: Node, inputs: readonly (Value | undefined)[]): Node {
    const name = this.#fresh(node.op)
    const outputs = node.outputs.map((output, i) => output && this.#value(`${name}:${i}`, output.dtype, output.shape))
    return this.#add({ ...node, name, inputs, outputs } as Node)
  }

  /** Declares the shape of the value that the last node made, if the caller knows what inference cannot. */
  assume(value: Value, shape: readonly Dimension[]): Value {
    const node = this.#nodes.pop()
    if (node === undefined || node.outputs[0]?.name !== value.name)
      throw new TrainerError('internal', `internal: ${value.name} is not what the last node made.`)
    const typed: Value = { ...value, shape }
    this.#add({ ...node, outputs: [typed] } as Node)
    return typed
  }

  /** The finished graph: outputs under the given names, without the nodes that lead to none of them. */
  build(outputs: Readonly<Record<string, Value>>): Graph {
    const graph = finish(this.name, this.#inputs, this.#initializers, this.#nodes, outputs)
    return this.openLengths ? { ...graph, openLengths: true } : graph
  }

  // ── operators, in ONNX's words ──

  neg(x: Value): Value {
    return this.#one('Neg', [x])
  }
  abs(x: Value): Value {
    return this.#one('Abs', [x])
  }
  sqrt(x: Value): Value {
    return this.#one('Sqrt', [x])
  }
  exp(x: Value): Value {
    return this.#one('Exp', [x])
  }
  log(x: Value): Value {
    return this.#one('Log', [x])
  }
  erf(x: Value): Value {
    return this.#one('Erf', [x])
  }
  tanh(x: Value): Value {
    return this.#one('Tanh', [x])
  }
  sigmoid(x: Value): Value {
    return this.#one('Sigmoid', [x])
  }
  relu(x: Value): Value {
    return this.#one('Relu', [x])
  }
  gelu(x: Value): Value {
    return this.#one('Gelu', [x])
  }
  reciprocal(x: Value): Value {
    return this.#one('Reciprocal', [x])
  }
  sin(x: Value): Value {
    return this.#one('Sin', [x])
  }
  cos(x: Value): Value {
    return this.#one('Cos', [x])
  }
  floor(x: Value): Value {
    return this.#one('Floor', [x])
  }
  not(x: Value): Value {
    return this.#one('Not', [x])
  }
  identity(x: Value): Value {
    return this.#one('Identity', [x])
  }
  cast(x: Value, to: DataType): Value {
    return x.dtype === to ? x : this.#one('Cast', [x], { to })
  }

  add(a: Operand, b: Operand): Value {
    return this.#two('Add', a, b)
  }
  sub(a: Operand, b: Operand): Value {
    return this.#two('Sub', a, b)
  }
  mul(a: Operand, b: Operand): Value {
    return this.#two('Mul', a, b)
  }
  div(a: Operand, b: Operand): Value {
    return this.#two('Div', a, b)
  }
  pow(a: Operand, b: Operand): Value {
    return this.#two('Pow', a, b)
  }
  min(a: Operand, b: Operand): Value {
    return this.#two('Min', a, b)
  }
  max(a: Operand, b: Operand): Value {
    return this.#two('Max', a, b)
  }
  equal(a: Operand, b: Operand): Value {
    return this.#two('Equal', a, b)
  }
  greater(a: Operand, b: Operand): Value {
    return this.#two('Greater', a, b)
  }
  less(a: Operand, b: Operand): Value {
    return this.#two('Less', a, b)
  }
  and(a: Value, b: Value): Value {
    return this.#two('And', a, b)
  }
  or(a: Value, b: Value): Value {
    return this.#two('Or', a, b)
  }

  where(condition: Value, a: Operand, b: Operand): Value {
    return this.#one('Where', [condition, ...this.#operands(a, b)])
  }

  matMul(a: Value, b: Value): Value {
    return this.#one('MatMul', [a, b])
  }

  /** alpha · A′ B′ + beta · C, where ′ transposes if asked to. */
  gemm(a: Value, b: Value, c?: Value, attributes: Attributes['Gemm'] = {}): Value {
    checkOptions(attributes, ['alpha', 'beta', 'transA', 'transB'], 'gemm()')
    return this.#one('Gemm', c === undefined ? [a, b] : [a, b, c], attributes)
  }

  softmax(x: Value, axis = -1): Value {
    return this.#one('Softmax', [x], { axis })
  }

  /** Over the last axis; returns the result, and each row's mean and reciprocal standard deviation (float32). */
  layerNormalization(x: Value, scale: Value, bias: Value, epsilon: number): readonly [Value, Value, Value] {
    return this.node('LayerNormalization', [x, scale, bias], { axis: -1, epsilon }, 3) as unknown as readonly [
      Value,
      Value,
      Value,
    ]
  }

  reduceSum(x: Value, axes: readonly number[], keepdims = false): Value {
    return this.#reduce('ReduceSum', x, axes, keepdims)
  }
  reduceMean(x: Value, axes: readonly number[], keepdims = false): Value {
    return this.#reduce('ReduceMean', x, axes, keepdims)
  }
  reduceMax(x: Value, axes: readonly number[], keepdims = false): Value {
    return this.#reduce('ReduceMax', x, axes, keepdims)
  }
  reduceSumSquare(x: Value, axes: readonly number[], keepdims = false): Value {
    return this.#reduce('ReduceSumSquare', x, axes, keepdims)
  }

  /** The sum of all elements, a scalar. */
  sum(x: Value): Value {
    return x.shape.length === 0
      ? x
      : this.reduceSum(
          x,
          x.shape.map((_, i) => i),
        )
  }

  gather(x: Value, index: Value, axis = 0, hint?: GatherHint): Value {
    return this.node('Gather', [x, index], { axis }, 1, hint)[0]!
  }

  gatherElements(x: Value, index: Value, axis: number): Value {
    return this.#one('GatherElements', [x, index], { axis })
  }

  /** In `shape`, 0 keeps a length and -1 takes what is left. */
  reshape(x: Value, shape: readonly number[] | Value): Value {
    return this.#one('Reshape', [x, isValue(shape) ? shape : this.integers(shape)])
  }

  transpose(x: Value, perm: readonly number[]): Value {
    return this.#one('Transpose', [x], { perm })
  }

  /** The last two axes swapped. */
  transposeLast(x: Value): Value {
    const rank = x.shape.length
    return this.transpose(
      x,
      x.shape.map((_, i) => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i)),
    )
  }

  /** `x` stretched to the shape of `like`. */
  expand(x: Value, like: Value): Value {
    if (like.shape.every(d => typeof d === 'number')) return this.#one('Expand', [x, this.integers(like.shape)])
    const [expanded] = this.node('Expand', [x, this.shape(like)], {})
    return this.assume(expanded!, like.shape)
  }

  concat(values: readonly Value[], axis: number): Value {
    return values.length === 1 ? values[0]! : this.#one('Concat', values, { axis })
  }

  /** Parts of the given lengths along an axis. */
  split(x: Value, axis: number, lengths: readonly number[]): readonly Value[] {
    return this.node('Split', [x, this.integers(lengths)], { axis }, lengths.length)
  }

  slice(x: Value, starts: readonly number[], ends: readonly number[], axes: readonly number[]): Value {
    return this.#one('Slice', [x, this.integers(starts), this.integers(ends), this.integers(axes)])
  }

  squeeze(x: Value, axes: readonly number[]): Value {
    return this.#one('Squeeze', [x, this.integers(axes)])
  }
  unsqueeze(x: Value, axes: readonly number[]): Value {
    return this.#one('Unsqueeze', [x, this.integers(axes)])
  }
  shape(x: Value): Value {
    return this.#one('Shape', [x])
  }

  /** A reshape to the very shape of another value, read when the graph runs if it is not known before. */
  reshapeLike(x: Value, like: Value): Value {
    const names = like.shape.filter(d => typeof d === 'string').length
    const target = names <= 1 ? like.shape.map(d => (typeof d === 'string' ? -1 : d)) : this.shape(like)
    return this.assume(this.reshape(x, target), like.shape)
  }

  #one<Op extends OpName>(op: Op, inputs: readonly Value[], attributes: Attributes[Op] = {} as Attributes[Op]): Value {
    return this.node(op, inputs, attributes)[0]!
  }

  #two(op: TwoOperands, a: Operand, b: Operand): Value {
    return this.#one(op, this.#operands(a, b))
  }

  /** Both as values; a number takes the type of the other. */
  #operands(a: Operand, b: Operand): readonly [Value, Value] {
    const dtype = typeof a === 'number' ? (typeof b === 'number' ? 'float32' : b.dtype) : a.dtype
    const valueOf = (operand: Operand): Value => (typeof operand === 'number' ? this.constant(operand, dtype) : operand)
    return [valueOf(a), valueOf(b)]
  }

  #reduce(
    op: 'ReduceSum' | 'ReduceMean' | 'ReduceMax' | 'ReduceSumSquare',
    x: Value,
    axes: readonly number[],
    keepdims: boolean,
  ): Value {
    // to ONNX no axes means all of them; here it means none
    if (axes.length === 0) return op === 'ReduceSumSquare' ? this.mul(x, x) : x
    return this.#one(op, [x, this.integers(axes)], { keepdims: keepdims ? 1 : 0 })
  }

  #add(node: Node): Node {
    this.#nodes.push(node)
    for (const output of node.outputs) if (output !== undefined) this.#makers.set(output.name, node)
    return node
  }

  #value(name: string, dtype: DataType, shape: readonly Dimension[]): Value {
    if (this.#names.has(name))
      throw new TrainerError('graph', `The name "${name}" is used twice in the graph "${this.name}".`)
    this.#names.add(name)
    return { name, dtype, shape }
  }

  #fresh(stem: string): string {
    let count = this.#names.size
    let name = `${this.#scope}${stem}_${count}`
    while (this.#names.has(name) || this.#names.has(`${name}:0`)) name = `${this.#scope}${stem}_${++count}`
    return name
  }
}

function isValue(x: readonly number[] | Value): x is Value {
  return !Array.isArray(x)
}
