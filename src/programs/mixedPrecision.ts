// a float32 graph → the same with its matrix products, and what carries between them, in 16 bits
import { GraphBuilder } from '../onnx/builder'
import type { OpName } from '../onnx/operators'
import { readersOf } from '../onnx/readers'
import type { Graph, Node, Value } from '../onnx/types'
import type { ReducedType } from '../tensor'
import { roundedPrecision } from './roundedPrecision'

/**
 * The precision of an operator, as PyTorch's autocast decides it:
 * - 'product': in 16 bits, its operands are cast;
 * - 'carried': in 16 bits where all its operands have them already, else in float32;
 * - 'moved': the same, and of float32 that only products read the move is made after the cast;
 * - 'float32': its operands are cast back;
 * - 'any': its operands are taken as they are, its results keep their type.
 */
type Precision = 'product' | 'carried' | 'moved' | 'float32' | 'any'

/** THE table. An operator that has no row here does not compile. */
const precisions: { readonly [Op in OpName]: Precision } = {
  // sums of products, which the hardware adds up in float32
  MatMul: 'product',
  Gemm: 'product',
  Conv: 'product',
  ConvTranspose: 'product',

  // element by element, and errors stay those of one rounding
  Neg: 'carried',
  Abs: 'carried',
  Relu: 'carried',
  Gelu: 'carried',
  Tanh: 'carried',
  Sigmoid: 'carried',
  Erf: 'carried',
  Sqrt: 'carried',
  Add: 'carried',
  Sub: 'carried',
  Mul: 'carried',
  Div: 'carried',
  Min: 'carried',
  Max: 'carried',
  Where: 'carried',
  Gather: 'carried',
  GatherElements: 'carried',
  Expand: 'carried',
  Concat: 'carried',
  Split: 'carried',
  Slice: 'carried',

  // every element once, elsewhere
  Identity: 'moved',
  Reshape: 'moved',
  Transpose: 'moved',
  Squeeze: 'moved',
  Unsqueeze: 'moved',

  // sums over many elements, and what follows from them
  Softmax: 'float32',
  LogSoftmax: 'float32',
  LayerNormalization: 'float32',
  SkipLayerNormalization: 'float32',
  ReduceSum: 'float32',
  ReduceMean: 'float32',
  ReduceMax: 'float32',
  ReduceSumSquare: 'float32',
  CumSum: 'float32',
  ScatterND: 'float32',
  ScatterElements: 'float32',
  AveragePool: 'float32',

  // what overflows, or cancels
  Exp: 'float32',
  Log: 'float32',
  Pow: 'float32',
  Reciprocal: 'float32',
  Sin: 'float32',
  Cos: 'float32',
  Tan: 'float32',
  Atan: 'float32',
  Asin: 'float32',
  Acos: 'float32',
  Sinh: 'float32',
  Cosh: 'float32',
  Asinh: 'float32',
  Acosh: 'float32',
  Atanh: 'float32',

  // what CUDA has no kernels of bfloat16 for, and no time goes to
  Floor: 'float32',
  Round: 'float32',
  Sign: 'float32',
  Mod: 'float32',
  Equal: 'float32',
  Greater: 'float32',
  Less: 'float32',
  GreaterOrEqual: 'float32',
  LessOrEqual: 'float32',
  ArgMax: 'float32',
  TopK: 'float32',
  Pad: 'float32',
  MaxPool: 'float32',
  Range: 'float32',

  Cast: 'any',
  Shape: 'any',
  Not: 'any',
  And: 'any',
  Or: 'any',
}

/** Rows of the table that are 'float32' for one of the types: CUDA has no such kernels in our operator set. */
const exceptions: Readonly<Record<ReducedType, ReadonlySet<OpName>>> = {
  float16: new Set(),
  bfloat16: new Set(['Conv', 'ConvTranspose']),
}

/** What numbers a type has: significant bits, the exponent of its least normal number, and the most. */
const formats: Readonly<Record<ReducedType, { readonly bits: number; readonly least: number; readonly most: number }>> =
  {
    float16: { bits: 11, least: -14, most: 65504 },
    bfloat16: { bits: 8, least: -126, most: (2 - 2 ** -7) * 2 ** 127 },
  }

/** The graph as the programs of a device have it: in mixed precision, and for the processor with the same numbers. */
export function inPrecision(graph: Graph, type: ReducedType | undefined, onProcessor: boolean): Graph {
  if (type === undefined) return graph
  const mixed = mixedPrecision(graph, type)
  return onProcessor ? roundedPrecision(mixed, type) : mixed
}

/**
 * The graph in mixed precision. Its inputs and outputs keep their types, so that parameters stay float32 (masters, cast
 * where products read them, once) and gradients, losses and predictions too. What is of another floating-point type than
 * float32 already is left so.
 */
export function mixedPrecision(graph: Graph, type: ReducedType): Graph {
  const writer = new Writer(graph, type)
  for (const node of graph.nodes) writer.write(node)
  return writer.build()
}

class Writer {
  readonly #graph: Graph
  readonly #type: ReducedType
  readonly #builder: GraphBuilder
  readonly #readers: ReadonlyMap<string, readonly Node[]>
  /** What values have become, where they are others. */
  readonly #reduced = new Map<string, Value>()
  /** Casts by the type and the name of what they are of. */
  readonly #casts = new Map<string, Value>()

  constructor(graph: Graph, type: ReducedType) {
    this.#graph = graph
    this.#type = type
    this.#builder = GraphBuilder.over(graph)
    this.#readers = readersOf(graph)
  }

  write(node: Node): void {
    const precision = this.#precisionOf(node)
    if (precision === 'any') return this.#append(node, value => this.#current(value))
    if (!this.#isReduced(node, precision)) return this.#append(node, value => this.#as(value, 'float32'))
    const reduced = node.outputs.map(output => output && this.#reducedValue(output))
    this.#append({ ...node, outputs: reduced }, value => this.#as(value, this.#type))
  }

  build(): Graph {
    return this.#builder.build(
      Object.fromEntries(this.#graph.outputs.map(output => [output.name, this.#as(output, output.dtype)])),
    )
  }

  #precisionOf(node: Node): Precision {
    return exceptions[this.#type].has(node.op) || isSum(node) ? 'float32' : precisions[node.op]
  }

  /** Whether a node is computed in 16 bits. */
  #isReduced(node: Node, precision: Precision): boolean {
    const operands = node.inputs.filter(input => input?.dtype === 'float32').map(input => input!)
    if (operands.length === 0 || precision === 'float32') return false
    if (precision === 'product') return true
    const carried = operands.some(value => this.#reduced.has(value.name))
    if (carried) return operands.every(value => this.#reduced.has(value.name) || this.#isExact(value))
    return precision === 'moved' && this.#isForProducts(node)
  }

  /** Whether nothing but products reads what a node moves, and it leaves no product of its own. */
  #isForProducts({ outputs: [output] }: Node): boolean {
    const readers = this.#readers.get(output!.name) ?? []
    if (readers.length === 0 || this.#graph.outputs.some(({ name }) => name === output!.name)) return false
    return readers.every(reader => {
      const precision = this.#precisionOf(reader)
      return precision === 'product' || (precision === 'moved' && this.#isForProducts(reader))
    })
  }

  /** Whether all that a value can be is a number of the type: truths, and constants. */
  #isExact(value: Value): boolean {
    const maker = this.#builder.makerOf(value, 'Cast')
    if (maker !== undefined) return maker.inputs[0]!.dtype === 'bool'
    const constant = this.#builder.constantOf(value)
    return constant !== undefined && constant.size <= 64 && Array.from(constant.data, Number).every(this.#isNumber)
  }

  readonly #isNumber = (x: number): boolean => {
    const { bits, least, most } = formats[this.#type]
    if (x === 0) return true
    const spacing = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), least) - bits + 1)
    return Math.abs(x) <= most && Number.isInteger(x / spacing)
  }

  #reducedValue(output: Value): Value {
    if (output.dtype !== 'float32') return output
    const value: Value = { ...output, name: `${output.name}/${this.#type}`, dtype: this.#type }
    this.#reduced.set(output.name, value)
    return value
  }

  #current(value: Value): Value {
    return this.#reduced.get(value.name) ?? value
  }

  /** A value that was float32, in a type; any other as it is. */
  #as(value: Value, dtype: Value['dtype']): Value {
    const current = this.#current(value)
    if (value.dtype !== 'float32' || current.dtype === dtype) return current
    const key = `${dtype} ${value.name}`
    const cast = this.#casts.get(key) ?? this.#builder.scope(this.#type, () => this.#builder.cast(current, dtype))
    this.#casts.set(key, cast)
    return cast
  }

  #append(node: Node, given: (value: Value) => Value): void {
    this.#builder.append({ ...node, inputs: node.inputs.map(input => input && given(input)) })
  }
}

/** Whether a product is a sum over rows or columns with weights, as gradients of normalizations are written. */
function isSum({ op, outputs: [product] }: Node): boolean {
  const shape = product?.shape ?? []
  return op === 'MatMul' && shape.length === 2 && shape.includes(1)
}
