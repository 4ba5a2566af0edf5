import { differentiate } from '../../src/autodiff/backward'
import { GraphBuilder } from '../../src/onnx/builder'
import { print } from '../../src/onnx/print'
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
  /** Whether names promise nothing, as in graphs of other programs: see `Graph.openLengths`. */
  readonly openLengths?: boolean
  readonly seed?: number
  /** Of the values, relative to 1 + the larger one. Default 1e-7. */
  readonly tolerance?: number
}

/** What was checked: the graph with its gradients, and what it was fed with. */
export interface Checked {
  readonly graph: Graph
  readonly feeds: Readonly<Record<string, Tensor>>
}

/**
 * How the outputs become a loss: times random numbers of their own shape, or of a smaller one, so that rules meet
 * gradients that are still small.
 */
const weightings = ['whole', 'column', 'scalar'] as const
export type Weighting = (typeof weightings)[number]

/**
 * Proves the gradients of what `build` writes: along a random direction in each input, the gradient must agree with the
 * central difference (f(x + hv) - f(x - hv)) / 2h in float64. The loss is the sum of all outputs, each times random
 * numbers; an output that is undefined stays without a gradient.
 *
 * @returns one graph per way of weighting
 * @throws Error that shows both values, where they differ, and one where a gradient is missing or has not the shape of
 * its input
 */
export function checkGradients(build: Build, inputs: readonly Input[], options: CheckOptions = {}): readonly Checked[] {
  return weightings.map(weighting => {
    const checked = writeGradients(build, inputs, weighting, options)
    const { graph, feeds } = checked
    const found = evaluate(graph, feeds)
    const random = new MersenneTwister((options.seed ?? 1) + 99)
    inputs.map(normalized).forEach((input, i) => {
      if (input.dtype !== undefined) return
      const name = `x${i}`
      const loss: Loss = moved => Number(evaluate(graph, { ...feeds, [name]: moved }).loss!.data[0])
      const x = feeds[name] as Tensor<'float64'>
      const gradient = found[`${name}_grad`] as Tensor<'float64'> | undefined
      const problem = compare(input, x, gradient, random, options.tolerance ?? 1e-7, loss)
      if (problem !== undefined) throw new Error(`${weighting}, ${name}: ${problem}\n${print(graph)}`)
    })
    return checked
  })
}

/** The graph of a loss and its gradients `x0_grad`, `x1_grad`, …, and feeds for it. */
export function writeGradients(
  build: Build,
  given: readonly Input[],
  weighting: Weighting,
  options: CheckOptions = {},
  dtype: DataType = 'float64',
): Checked {
  const inputs = given.map(normalized)
  const random = new MersenneTwister(options.seed ?? 1)
  const sized = (shape: readonly Dimension[]): number[] =>
    shape.map(d => (typeof d === 'number' ? d : options.lengths![d]!))
  const graph = new GraphBuilder('case', options.openLengths)
  const values = inputs.map((input, i) => graph.input(`x${i}`, input.dtype ?? dtype, input.shape))
  const feeds: Record<string, Tensor> = Object.fromEntries(
    inputs.map((input, i) => [`x${i}`, draw(input, sized(input.shape), random)]),
  )
  const built = build(graph, ...values)
  const outputs = ('name' in built ? [built] : built).filter(output => output !== undefined)
  const forward = evaluate(graph.build(Object.fromEntries(outputs.map((output, k) => [`y${k}`, output]))), feeds)
  const terms = outputs.map((output, k) => {
    const { dims } = forward[`y${k}`]!
    const small = weighting === 'whole' ? 0 : weighting === 'column' ? 1 : dims.length
    const shape = output.shape.map((d, i) => (i >= dims.length - small ? 1 : d))
    const weight = graph.input(`w${k}`, output.dtype, weighting === 'scalar' ? [] : shape)
    feeds[`w${k}`] = draw(
      { shape },
      weighting === 'scalar' ? [] : shape.map((d, i) => (d === 1 ? 1 : dims[i]!)),
      random,
    )
    return graph.cast(graph.sum(graph.mul(output, weight)), dtype)
  })
  const loss = terms.reduce((sum, term) => graph.add(sum, term))
  const { dense } = differentiate(
    graph,
    loss,
    values.filter((_, i) => inputs[i]!.dtype === undefined),
  )
  return {
    graph: graph.build({ loss, ...Object.fromEntries([...dense].map(([name, value]) => [`${name}_grad`, value])) }),
    feeds,
  }
}

/** What is wrong with a gradient, if anything is. */
function compare(
  input: InputOptions,
  x: Tensor<'float64'>,
  gradient: Tensor<'float64'> | undefined,
  random: MersenneTwister,
  tolerance: number,
  loss: Loss,
): string | undefined {
  if (input.none === true && gradient !== undefined) return 'a gradient is there, but none should be'
  if (input.none !== true && gradient === undefined) return 'the gradient is missing'
  if (gradient !== undefined && gradient.dims.join() !== x.dims.join())
    return `the gradient is [${gradient.dims.join()}], not [${x.dims.join()}]`
  const direction = x.data.map(() => uniform(random, -1, 1))
  const analytic = gradient === undefined ? 0 : direction.reduce((sum, v, k) => sum + v * gradient.data[k]!, 0)
  const numeric = difference(loss, x, direction)
  const near = Math.abs(analytic - numeric) <= tolerance * (1 + Math.max(Math.abs(analytic), Math.abs(numeric)))
  return near
    ? undefined
    : `along a random direction, the gradient says ${analytic} and the difference quotient ${numeric}`
}

type Loss = (x: Tensor<'float64'>) => number

/** The central difference quotient by two steps, so that the error is of the fourth order (Richardson). */
function difference(loss: Loss, x: Tensor<'float64'>, direction: Float64Array): number {
  const step = 1e-5
  const at = (h: number): number =>
    loss(
      new Tensor(
        'float64',
        x.data.map((v, k) => v + h * direction[k]!),
        x.dims,
      ),
    )
  const quotient = (h: number): number => (at(h) - at(-h)) / (2 * h)
  return (4 * quotient(step) - quotient(2 * step)) / 3
}

function normalized(input: Input): InputOptions {
  return 'shape' in input ? input : { shape: input }
}

function draw(
  { from = -1, to = 1, values, dtype = 'float64' }: InputOptions,
  dims: readonly number[],
  random: MersenneTwister,
): Tensor {
  if (values !== undefined) return Tensor.from(dtype, values)
  return new Tensor(
    'float64',
    Float64Array.from({ length: sizeOf(dims) }, () => uniform(random, from, to)),
    dims,
  )
}

function uniform(random: MersenneTwister, from: number, to: number): number {
  return from + (to - from) * random.uniform()
}
