// a model's weights for another number of words
import { TrainerError } from '../errors'
import { checkFlag, checkOptions, shown } from '../options'
import { hash32, MersenneTwister } from '../random'
import { sizeOf, Tensor } from '../tensor'
import { initialValues } from './initialize'
import type { Parameter } from './Model'

/** Options of `resizeTokenEmbeddings`. */
export interface ResizeOptions {
  /** Rounds the number of rows up to a multiple of this. */
  readonly padToMultipleOf?: number
  /**
   * Whether new rows start at the mean of the old ones, which says nothing about a word yet (Hewitt 2021,
   * https://nlp.stanford.edu/~johnhew/vocab-expansion.html), or as in a model that has not been trained. Default true.
   */
  readonly meanResizing?: boolean
  /** What new rows are drawn from. Default 42. */
  readonly seed?: number
}

/**
 * How many rows a table of words is to have.
 * @throws TrainerError ('argument') for a number that is none, and for options that are not there.
 */
export function rowsAskedFor(count: number | undefined, current: number, options: ResizeOptions): number {
  checkOptions(options, ['padToMultipleOf', 'meanResizing', 'seed'], 'resizeTokenEmbeddings()')
  checkFlag(options.meanResizing, 'meanResizing')
  const { padToMultipleOf: multiple = 1, seed = 0 } = options
  if (!Number.isSafeInteger(seed))
    throw new TrainerError('argument', `The seed of new rows has to be a whole number, not ${shown(seed)}.`)
  for (const [name, value] of Object.entries({ 'The number of tokens': count ?? 1, padToMultipleOf: multiple })) {
    if (Number.isSafeInteger(value) && value > 0 && value < 2 ** 31) continue
    throw new TrainerError('argument', `${name} has to be a whole number above 0, not ${shown(value)}.`, {
      fix: 'Give resizeTokenEmbeddings() the size of the vocabulary: tokenizer.length.',
    })
  }
  return Math.ceil((count ?? current) / multiple) * multiple
}

/** What the rows that are new start with. */
interface NewRows {
  readonly meanResizing: boolean
  readonly seed: number
  /** Whether the table of words is also that of the head, whose bias then starts at zero, as in Python. */
  readonly isTied: boolean
}

/**
 * The weights that have another shape now, with the old rows as they were. As transformers 5.24 does it, new rows are
 * drawn around the mean of the old ones with 1e-9 of their covariance: all but the mean, and yet no two alike.
 */
export function resizedWeights(
  weights: ReadonlyMap<string, Tensor<'float32'>>,
  parameters: readonly Parameter[],
  rows: NewRows,
): Map<string, Tensor<'float32'>> {
  const changed = parameters.filter(({ name, shape }) => weights.get(name)!.dims[0] !== shape[0])
  return new Map(changed.map(parameter => [parameter.name, resized(weights.get(parameter.name)!, parameter, rows)]))
}

function resized(
  old: Tensor<'float32'>,
  parameter: Parameter,
  { meanResizing, seed, isTied }: NewRows,
): Tensor<'float32'> {
  const { shape, name } = parameter
  const kept = old.data.subarray(0, Math.min(old.size, sizeOf(shape)))
  const isMean = meanResizing && !(isTied && shape.length === 1)
  const values = isMean ? new Float32Array(sizeOf(shape)) : initialValues(parameter, seed)
  values.set(kept)
  if (isMean) fillAroundMean(values.subarray(kept.length), old, [seed, ...Array.from(name, one => one.codePointAt(0)!)])
  return new Tensor('float32', values, shape)
}

/** So many old rows make a new one; their weights being drawn, it has the covariance of the rows. */
const drawnRows = 32
/** What Python multiplies the covariance with. */
const shareOfCovariance = 1e-9

function fillAroundMean(target: Float32Array, { data, dims }: Tensor<'float32'>, seeds: readonly number[]): void {
  const rows = dims[0]!
  const width = data.length / rows
  const mean = new Float64Array(width)
  for (let i = 0; i < data.length; i++) mean[i % width]! += data[i]! / rows
  const generator = new MersenneTwister(hash32(...seeds))
  const deviation = Math.sqrt(shareOfCovariance / drawnRows)
  for (let start = 0; start < target.length; start += width) {
    const row = mean.slice()
    for (let draw = 0; draw < drawnRows; draw++) {
      const source = (generator.next32() % rows) * width
      const weight = deviation * normal(generator)
      for (let i = 0; i < width; i++) row[i]! += weight * (data[source + i]! - mean[i]!)
    }
    target.set(row, start)
  }
}

/** A draw of the standard normal distribution (Box & Muller 1958). */
function normal(generator: MersenneTwister): number {
  const radius = Math.sqrt(-2 * Math.log(1 - generator.next32() / 2 ** 32))
  return radius * Math.cos(2 * Math.PI * (generator.next32() / 2 ** 32))
}
