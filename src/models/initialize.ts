import { hash32, MersenneTwister } from '../random'
import { sizeOf } from '../tensor'
import type { Parameter } from './Model'

/**
 * The values with which a parameter starts, as Hugging Face initialises it; a function of the seed and the parameter's
 * name.
 */
export function initialValues(parameter: Parameter, seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(sizeOf(parameter.shape))
  const { initialization } = parameter
  if (initialization.kind === 'ones') values.fill(1)
  if (initialization.kind === 'sinusoids') fillWithSinusoids(values, parameter.shape.at(-1)!)
  if (initialization.kind !== 'normal') return values
  const generator = new MersenneTwister(hash32(seed, ...Array.from(parameter.name, letter => letter.codePointAt(0)!)))
  // two draws at a time (Box & Muller 1958): large tables have millions
  for (let i = 0; i < values.length; i += 2) {
    const radius = initialization.deviation * Math.sqrt(-2 * Math.log(1 - generator.next32() / 2 ** 32))
    const angle = 2 * Math.PI * (generator.next32() / 2 ** 32)
    values[i] = radius * Math.cos(angle)
    if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle)
  }
  const width = parameter.shape.at(-1)!
  if (parameter.paddingRow !== undefined)
    values.fill(0, parameter.paddingRow * width, (parameter.paddingRow + 1) * width)
  return values
}

function fillWithSinusoids(values: Float32Array, width: number): void {
  for (let i = 0; i < values.length; i++) {
    const column = i % width
    const angle = Math.floor(i / width) / 10_000 ** ((2 * Math.floor(column / 2)) / width)
    values[i] = column % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  }
}
