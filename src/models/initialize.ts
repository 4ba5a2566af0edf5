import { TrainerError } from '../errors'
import { hash32, MersenneTwister } from '../random'
import { sizeOf, Tensor } from '../tensor'
import type { Initialization, Parameter } from './Model'

/** More weights than these could not be trained in float32 in any memory that these families are trained in: 16 GB. */
const mostRandomWeights = 2 ** 32

/**
 * The weights with which parameters start that no file has.
 * @throws TrainerError ('model') for more than any memory holds.
 */
export function startingWeights(parameters: readonly Parameter[], seed = 42): Map<string, Tensor<'float32'>> {
  const count = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  if (count > mostRandomWeights) {
    const largest = parameters.toSorted((a, b) => sizeOf(b.shape) - sizeOf(a.shape))[0]!
    const where = `the largest is '${largest.name}' of shape [${largest.shape.join(', ')}]`
    throw new TrainerError('model', `By its config the model would start with ${count} random weights; ${where}.`, {
      fix: 'Correct the sizes in the config.',
    })
  }
  return new Map(parameters.map(p => [p.name, new Tensor('float32', initialValues(p, seed), p.shape)]))
}

/**
 * The values with which a parameter starts, as Hugging Face initialises it; a function of the seed and the parameter's
 * name.
 */
export function initialValues(parameter: Parameter, seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(sizeOf(parameter.shape))
  const { initialization } = parameter
  if (initialization.kind === 'ones') values.fill(1)
  if (initialization.kind === 'sinusoids') fillWithSinusoids(values, parameter.shape.at(-1)!)
  if (initialization.kind !== 'normal' && initialization.kind !== 'uniform') return values
  const generator = new MersenneTwister(hash32(seed, ...Array.from(parameter.name, letter => letter.codePointAt(0)!)))
  const uniform = (): number => generator.next32() / 2 ** 32
  if (initialization.kind === 'normal') fillWithNormal(values, initialization, uniform)
  else for (let i = 0; i < values.length; i++) values[i] = (2 * uniform() - 1) * initialization.bound
  const width = parameter.shape.at(-1)!
  if (parameter.paddingRow !== undefined)
    values.fill(0, parameter.paddingRow * width, (parameter.paddingRow + 1) * width)
  return values
}

/** Two draws at a time (Box & Muller 1958): large tables have millions. */
function fillWithNormal(
  values: Float32Array,
  { deviation, cutoff }: Initialization & { kind: 'normal' },
  uniform: () => number,
): void {
  const most = cutoff === undefined ? Infinity : cutoff * deviation
  for (let i = 0; i < values.length;) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    for (const value of [radius * Math.cos(angle), radius * Math.sin(angle)])
      if (Math.abs(value) <= most && i < values.length) values[i++] = value
  }
}

function fillWithSinusoids(values: Float32Array, width: number): void {
  for (let i = 0; i < values.length; i++) {
    const column = i % width
    const angle = Math.floor(i / width) / 10_000 ** ((2 * Math.floor(column / 2)) / width)
    values[i] = column % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  }
}
