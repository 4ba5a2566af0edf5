import { TrainerError } from '../../errors'
import type { Graph, Initializer, Node, Value } from '../../onnx/types'
import type { OpName } from '../../onnx/operators'
import {
  assemble,
  type Code,
  f32x4,
  type FunctionBody,
  i32,
  i32x4,
  Locals,
  type Type,
  v128,
  whileLoop,
} from './assembler'

/** An elementwise graph as one loop. */
export interface ElementwiseProgram {
  /**
   * A module that imports a shared memory as `env.memory` and exports `run(...input addresses, ...output addresses,
   * count, ...scalars)`: addresses in bytes, `count` in elements, scalars as float32.
   */
  readonly wasm: Uint8Array<ArrayBuffer>
  /** The graph's array inputs, in the order of their addresses. */
  readonly inputs: readonly string[]
  /** The graph's scalar inputs, in their order. */
  readonly scalars: readonly string[]
  /** The graph's outputs, in the order of their addresses. An output may be the very array of an input. */
  readonly outputs: readonly string[]
}

export interface CompileOptions {
  /**
   * Outputs whose subnormal results (below 2⁻¹²⁶) become 0, as in a processor's flush-to-zero mode; none unless given.
   * Arithmetic on subnormal numbers takes some twenty times as long, and a running mean of gradients that have ended
   * decays into them and stays there: optimizer slots are to be named here.
   */
  readonly flush?: readonly string[]
}

/**
 * Whether {@link compileElementwise} takes the graph: every value a scalar or an array of the one shape, every operator
 * elementwise.
 */
export function isElementwise(graph: Graph): boolean {
  return obstacle(graph) === undefined
}

/**
 * Compiles a graph of elementwise operators to one loop over its arrays: each element is read once, computed on in
 * float32 exactly as the operators one after another would (no product is fused with a sum), and written once. What
 * depends on scalars only is computed once a call.
 * @throws TrainerError ('graph') naming the node or value that is not elementwise.
 */
export function compileElementwise(graph: Graph, { flush = [] }: CompileOptions = {}): ElementwiseProgram {
  const problem = obstacle(graph)
  if (problem !== undefined) {
    throw new TrainerError('graph', `The graph "${graph.name}" cannot become one elementwise loop: ${problem}.`, {
      fix: 'Run it through the engine.',
    })
  }
  const arrays = graph.inputs.filter(input => !isScalar(input)).map(input => input.name)
  const scalars = graph.inputs.filter(isScalar).map(input => input.name)
  return {
    wasm: assemble([loop(graph, arrays, scalars, flush)]),
    inputs: arrays,
    scalars,
    outputs: graph.outputs.map(output => output.name),
  }
}

/** The first thing that keeps a graph from being one elementwise loop, in words. */
function obstacle(graph: Graph): string | undefined {
  const array = graph.outputs[0]
  if (array === undefined) return 'it has no outputs'
  const fits = (value: Value): boolean => isScalar(value) || value.shape.join() === array.shape.join()
  const typed = (value: Value): boolean => value.dtype === 'float32' || value.dtype === 'bool'
  if (graph.outputs.some(isScalar)) return 'an output is a scalar'
  for (const { op, name } of graph.nodes)
    if (rules[op] === undefined) return `${op} (node "${name}") is not among its operators`
  for (const value of [...graph.inputs, ...graph.outputs]) {
    if (value.dtype !== 'float32') return `"${value.name}" is ${value.dtype}, and only float32 goes in and out`
    if (!fits(value))
      return `"${value.name}" has the shape [${value.shape.join(', ')}] and not [${array.shape.join(', ')}]`
  }
  for (const { value, tensor } of graph.initializers.values()) {
    if (!typed(value) || tensor.size !== 1) return `the constant "${value.name}" is not one float32 or bool`
  }
  for (const node of graph.nodes) {
    const [result] = node.outputs
    if (node.op === 'Pow' && !isTwo(node.inputs[1], graph.initializers))
      return `the exponent of Pow (node "${node.name}") is not the constant 2`
    if (node.op === 'Equal' && node.inputs[0]!.dtype !== 'float32')
      return `Equal (node "${node.name}") compares ${node.inputs[0]!.dtype}`
    if (result !== undefined && (!typed(result) || !fits(result)))
      return `"${result.name}" is ${result.dtype}[${result.shape.join(', ')}]`
  }
  return undefined
}

/** A scalar has no axes, or only axes of length 1. */
function isScalar(value: Value): boolean {
  return value.shape.every(length => length === 1)
}

function isTwo(exponent: Value | undefined, constants: Graph['initializers']): boolean {
  return constants.get(exponent!.name)?.tensor.data[0] === 2
}

/** The whole function: scalars and what follows from them, four elements at a time, then what is left one by one. */
function loop(
  graph: Graph,
  arrays: readonly string[],
  scalars: readonly string[],
  flush: readonly string[],
): FunctionBody {
  const outputs = graph.outputs.map(output => output.name)
  const parameters: Record<string, Type> = {}
  for (const input of arrays) parameters[`in ${input}`] = 'i32'
  for (const output of outputs) parameters[`out ${output}`] = 'i32'
  parameters['count'] = 'i32'
  for (const scalar of scalars) parameters[`scalar ${scalar}`] = 'f32'
  const locals = new Locals(parameters)
  const { once, each } = split(graph)
  const read = arrays.filter(input =>
    [...each.flatMap(node => node.inputs), ...graph.outputs].some(value => value?.name === input),
  )

  const pass = (load: Code, store: Code, step: number): Code => [
    ...read.map(input => locals.set(input, 'v128', [address(locals, `in ${input}`), load])),
    ...each.map(node => compute(node, locals)),
    ...outputs.map(output => [
      address(locals, `out ${output}`),
      flush.includes(output) ? flushed(locals.get(output)) : locals.get(output),
      store,
    ]),
    locals.set('at', 'i32', [locals.get('at'), i32.constant(step), i32.add]),
  ]
  const code = [
    ...[...graph.initializers.values()].map(constant =>
      locals.set(constant.value.name, 'v128', constantLanes(constant)),
    ),
    ...scalars.map(scalar => locals.set(scalar, 'v128', [locals.get(`scalar ${scalar}`), f32x4.splat])),
    ...once.map(node => compute(node, locals)),
    locals.set('end', 'i32', [locals.get('count'), i32.constant(2), i32.shiftLeft]),
    locals.set('at', 'i32', i32.constant(0)),
    whileLoop(
      [locals.get('at'), locals.get('end'), i32.constant(-16), i32.and, i32.lessUnsigned],
      pass(v128.load, v128.store, 16),
    ),
    whileLoop([locals.get('at'), locals.get('end'), i32.lessUnsigned], pass(v128.loadLane, v128.storeLane(0), 4)),
  ]
  return { name: 'run', parameters: locals.parameters, results: [], locals: locals.types, code }
}

/** Nodes whose result is a scalar are computed once, the others for each element. */
function split(graph: Graph): { once: readonly Node[]; each: readonly Node[] } {
  const once = graph.nodes.filter(node => isScalar(node.outputs[0]!))
  return { once, each: graph.nodes.filter(node => !once.includes(node)) }
}

/** A value, or 0 in lanes whose exponent bits are all zero: what is not a normal number. */
function flushed(value: Code): Code {
  return [
    value,
    value,
    v128.constant([exponentBits, exponentBits, exponentBits, exponentBits]),
    v128.and,
    zero,
    i32x4.equal,
    v128.andNot,
  ]
}

function address(locals: Locals, base: string): Code {
  return [locals.get(base), locals.get('at'), i32.add]
}

function compute(node: Node, locals: Locals): Code {
  const operands = node.inputs.map(input => locals.get(input!.name))
  return locals.set(node.outputs[0]!.name, 'v128', rules[node.op]!(operands, node))
}

function constantLanes({ tensor }: Initializer): Code {
  const number = Number(tensor.data[0])
  if (tensor.dtype !== 'bool') return f32x4.constant(number)
  return number === 0 ? v128.constant([0, 0, 0, 0]) : v128.constant([-1, -1, -1, -1])
}

type Rule = (operands: readonly Code[], node: Node) => Code

const exponentBits = 0x7f800000
const one = f32x4.constant(1)
const zero = f32x4.constant(0)
const apply =
  (...instructions: readonly Code[]): Rule =>
  operands => [...operands, ...instructions]

/** How each operator is computed on four elements; a bool is a lane of ones or of zeros. */
const rules: { readonly [Op in OpName]?: Rule } = {
  Add: apply(f32x4.add),
  Sub: apply(f32x4.subtract),
  Mul: apply(f32x4.multiply),
  Div: apply(f32x4.divide),
  Min: apply(f32x4.min),
  Max: apply(f32x4.max),
  Neg: apply(f32x4.negate),
  Abs: apply(f32x4.abs),
  Sqrt: apply(f32x4.sqrt),
  Floor: apply(f32x4.floor),
  Relu: apply(zero, f32x4.max),
  Reciprocal: ([x]) => [one, x!, f32x4.divide],
  Sign: ([x]) => [x!, zero, f32x4.greater, one, v128.and, x!, zero, f32x4.less, one, v128.and, f32x4.subtract],
  Pow: ([x]) => [x!, x!, f32x4.multiply],
  Equal: apply(f32x4.equal),
  Less: apply(f32x4.less),
  LessOrEqual: apply(f32x4.lessOrEqual),
  Greater: apply(f32x4.greater),
  GreaterOrEqual: apply(f32x4.greaterOrEqual),
  And: apply(v128.and),
  Or: apply(v128.or),
  Not: apply(v128.not),
  Where: ([condition, a, b]) => [a!, b!, condition!, v128.select],
  Identity: ([x]) => x!,
  Cast: ([x], node) => {
    const target = node.outputs[0]!.dtype
    if (node.inputs[0]!.dtype === target) return x!
    return target === 'bool' ? [x!, zero, f32x4.notEqual] : [x!, one, v128.and]
  },
}
