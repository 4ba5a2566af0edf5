import { GraphBuilder } from '../../src/onnx/builder'
import type { Dimension, Graph, Value } from '../../src/onnx/types'
import { MersenneTwister } from '../../src/random'
import { type DataType, type Nested, sizeOf, Tensor } from '../../src/tensor'
import { gradientGraph } from './gradientGraph'
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

/** Writes what is tested: its outputs, of which an undefined one stays without a gradient. */
export type Build = (graph: GraphBuilder, ...inputs: Value[]) => Value | readonly (Value | undefined)[]

/** Options of {@link writeGradients}. */
export interface WriteOptions {
  /** The lengths that names stand for. */
  readonly lengths?: Readonly<Record<string, number>>
  /** Whether names promise nothing, as in graphs of other programs: see `Graph.openLengths`. */
  readonly openLengths?: boolean
  readonly seed?: number
}

/** A graph with its gradients, and what it is fed with. */
export interface Written {
  readonly graph: Graph
  readonly feeds: Readonly<Record<string, Tensor>>
}

/**
 * How the outputs become a loss: times random numbers of their own shape, or of a smaller one, so that rules meet
 * gradients that are still small.
 */
export const weightings = ['whole', 'column', 'scalar'] as const
export type Weighting = (typeof weightings)[number]

/** The graph of a loss and its gradients `x0_grad`, `x1_grad`, …, and feeds for it. */
export function writeGradients(
  build: Build,
  given: readonly Input[],
  weighting: Weighting,
  options: WriteOptions = {},
  dtype: DataType = 'float64',
): Written {
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
  const wrt = values.filter((_, i) => inputs[i]!.dtype === undefined)
  return { graph: gradientGraph(graph, loss, wrt), feeds }
}

export function normalized(input: Input): InputOptions {
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
    Float64Array.from({ length: sizeOf(dims) }, () => from + (to - from) * random.uniform()),
    dims,
  )
}
