import { differentiate } from '../../src/autodiff/backward'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Dimension, Graph, Value } from '../../src/onnx/types'
import { MersenneTwister } from '../../src/random'
import { type DataType, type Nested, sizeOf, Tensor } from '../../src/tensor'
import { evaluate } from './referenceEngine'

/** An input: its shape alone (floating-point, drawn evenly from -1 to 1), or more. */
export type Input = readonly Dimension[] | InputOptions

export interface InputOptions {
  readonly shape: readonly Dimension[]
  /** Where the numbers are drawn from: -1 to 1 unless given. */
  readonly from?: number
  readonly to?: number
  /** The numbers themselves. */
  readonly values?: Nested
  /** A type that is not floating-point: no gradient is asked for. */
  readonly dtype?: DataType
  /** A gradient is asked for, and none may come. */
  readonly none?: boolean
}

export type Build = (graph: GraphBuilder, ...inputs: Value[]) => Value | readonly (Value | undefined)[]

export interface CheckOptions {
  /** The lengths that names stand for. */
  readonly lengths?: Readonly<Record<string, number>>
  readonly seed?: number
  /** Of the values, relative to 1 + the larger one. Default 1e-7. */
  readonly tolerance?: number
}

/** What was checked: the graph with its gradients, and what it was fed with. */
export interface Checked {
  readonly graph: Graph
  readonly feeds: Readonly<Record<string, Tensor>>
}

/** How the outputs become a loss: times random numbers of their own shape, or of a smaller one, so that rules meet gradients that are not stretched yet. */
const weightings = ['whole', 'column', 'scalar'] as const
export type Weighting = (typeof weightings)[number]

/**
 * Proves the gradients of what `build` writes: along a random direction in each input, the gradient must agree with the central difference
 * (f(x + hv) - f(x - hv)) / 2h in float64. The loss is the sum of all outputs, each times random numbers; an output that is undefined stays without
 * a gradient.
 *
 * @returns one graph per way of weighting
 * @throws Error that shows both values, where they differ, and one where a gradient is missing or has not the shape of its input
 */
export function checkGradients(build: Build, inputs: readonly Input[], options: CheckOptions = {}): readonly Checked[] {
  return weightings.map((weighting) => {
    const checked = writeGradients(build, inputs, weighting, options)
    const { graph, feeds } = checked
    const found = evaluate(graph, feeds)
    const random = new MersenneTwister((options.seed ?? 1) + 99)
    inputs.map(normalized).forEach((input, i) => {
      if (input.dtype !== undefined) return
      const [name, gradient] = [`x${i}`, found[`x${i}_grad`]]
      if (input.none === true ? gradient !== undefined : gradient === undefined) {
        throw new Error(`${weighting}: the gradient of ${name} is ${gradient === undefined ? 'missing' : 'there, but none should be'}`)
      }
      const x = feeds[name]! as Tensor<'float64'>
      if (gradient !== undefined && gradient.dims.join() !== x.dims.join()) throw new Error(`${weighting}: ${name} is [${x.dims.join()}], but its gradient [${gradient.dims.join()}]`)
      const direction = x.data.map(() => uniform(random, -1, 1))
      const analytic = gradient === undefined ? 0 : direction.reduce((sum, v, k) => sum + v * Number(gradient.data[k]), 0)
      const numeric = difference(graph, feeds, name, direction)
      if (!(Math.abs(analytic - numeric) <= (options.tolerance ?? 1e-7) * (1 + Math.max(Math.abs(analytic), Math.abs(numeric))))) {
        throw new Error(`${weighting}: along a direction in ${name}, the gradient says ${analytic} and the difference quotient ${numeric}\n${listing(graph)}`)
      }
    })
    return checked
  })
}

/** The graph of a loss and its gradients `x0_grad`, `x1_grad`, …, and feeds for it. */
export function writeGradients(build: Build, given: readonly Input[], weighting: Weighting, options: CheckOptions = {}, dtype: DataType = 'float64'): Checked {
  const inputs = given.map(normalized)
  const random = new MersenneTwister(options.seed ?? 1)
  const sized = (shape: readonly Dimension[], known: Readonly<Record<string, number>>): number[] => shape.map((d) => (typeof d === 'number' ? d : known[d]!))
  const graph = new GraphBuilder('case')
  const values = inputs.map((input, i) => graph.input(`x${i}`, input.dtype ?? dtype, input.shape))
  const feeds: Record<string, Tensor> = Object.fromEntries(inputs.map((input, i) => [`x${i}`, draw(input, sized(input.shape, options.lengths ?? {}), random)]))
  const built = build(graph, ...values)
  const outputs = ('name' in built ? [built] : built).filter((output) => output !== undefined)
  const forward = evaluate(graph.build(Object.fromEntries(outputs.map((output, k) => [`y${k}`, output]))), feeds)
  const terms = outputs.map((output, k) => {
    const { dims } = forward[`y${k}`]!
    const small = weighting === 'whole' ? 0 : weighting === 'column' ? 1 : dims.length
    const shape = output.shape.map((d, i) => (i >= dims.length - small ? 1 : d))
    const weight = graph.input(`w${k}`, output.dtype, weighting === 'scalar' ? [] : shape)
    feeds[`w${k}`] = draw({ shape }, weighting === 'scalar' ? [] : shape.map((d, i) => (d === 1 ? 1 : dims[i]!)), random)
    return graph.cast(graph.sum(graph.mul(output, weight)), dtype)
  })
  const loss = terms.reduce((sum, term) => graph.add(sum, term))
  const { dense } = differentiate(graph, loss, values.filter((_, i) => inputs[i]!.dtype === undefined))
  return { graph: graph.build({ loss, ...Object.fromEntries([...dense].map(([name, value]) => [`${name}_grad`, value])) }), feeds }
}

/** A node a line, for messages. */
export function listing({ nodes }: Graph): string {
  return nodes.map((node) => `  ${node.outputs.map((output) => output?.name ?? '-').join(', ')} = ${node.op}(${node.inputs.map((input) => (input === undefined ? '-' : `${input.name}[${input.shape.join()}]`)).join(', ')})`).join('\n')
}

function difference(graph: Graph, feeds: Readonly<Record<string, Tensor>>, name: string, direction: Float64Array): number {
  const step = 1e-5
  const x = feeds[name]! as Tensor<'float64'>
  const loss = (h: number): number => Number(evaluate(graph, { ...feeds, [name]: new Tensor('float64', x.data.map((v, k) => v + h * direction[k]!), x.dims) }).loss!.data[0])
  // two steps, so that the error is of the fourth order (Richardson)
  const quotient = (h: number): number => (loss(h) - loss(-h)) / (2 * h)
  return (4 * quotient(step) - quotient(2 * step)) / 3
}

function normalized(input: Input): InputOptions {
  return 'shape' in input ? input : { shape: input }
}

function draw({ from = -1, to = 1, values, dtype = 'float64' }: InputOptions, dims: readonly number[], random: MersenneTwister): Tensor {
  if (values !== undefined) return Tensor.from(dtype, values)
  return new Tensor('float64', Float64Array.from({ length: sizeOf(dims) }, () => uniform(random, from, to)), dims)
}

function uniform(random: MersenneTwister, from: number, to: number): number {
  return from + (to - from) * random.uniform()
}
