import { expect } from 'vitest'
import { print } from '../../src/onnx/print'
import { MersenneTwister } from '../../src/random'
import { Tensor } from '../../src/tensor'
import { evaluate } from './referenceEngine'
import {
  type Build,
  type Input,
  type InputOptions,
  normalized,
  weightings,
  writeGradients,
  type WriteOptions,
  type Written,
} from './writeGradients'

/** Options of {@link expectGradients}. */
export interface ExpectOptions extends WriteOptions {
  /** Of the values, relative to 1 + the larger one. Default 1e-7. */
  readonly tolerance?: number
}

/**
 * Proves the gradients of what `build` writes: along a random direction in each input, the gradient must agree with the
 * central difference (f(x + hv) - f(x - hv)) / 2h in float64. The loss is the sum of all outputs, each times random
 * numbers; an output that is undefined stays without a gradient.
 *
 * A failure shows both values and prints the graph.
 *
 * @returns one graph per way of weighting
 */
export function expectGradients(
  build: Build,
  inputs: readonly Input[],
  options: ExpectOptions = {},
): readonly Written[] {
  return weightings.map(weighting => {
    const written = writeGradients(build, inputs, weighting, options)
    const { graph, feeds } = written
    const found = evaluate(graph, feeds)
    const random = new MersenneTwister((options.seed ?? 1) + 99)
    inputs.map(normalized).forEach((input, i) => {
      if (input.dtype !== undefined) return
      const name = `x${i}`
      const loss: Loss = moved => Number(evaluate(graph, { ...feeds, [name]: moved }).loss!.data[0])
      const x = feeds[name] as Tensor<'float64'>
      const gradient = found[`${name}_grad`] as Tensor<'float64'> | undefined
      const problem = compare(input, x, gradient, random, options.tolerance ?? 1e-7, loss)
      if (problem !== undefined) expect.fail(`${weighting}, ${name}: ${problem}\n${print(graph)}`)
    })
    return written
  })
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
  const direction = x.data.map(() => 2 * random.uniform() - 1)
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
