import { checkFlag, withDefaults } from '../options'
import { Tensor } from '../tensor'
import type { Encoding } from '../tokenizers/encoding'
import type { PipelineMembers } from './PipelineMembers'
import type { Encoded, PipelineTask, TaskContext } from './PipelineTask'
import { checkChoice, cutting, readTexts, rowOf } from './reading'

const poolings = ['none', 'mean', 'cls'] as const

/** Options of a {@link FeatureExtractionPipeline}. */
export interface FeatureExtractionOptions {
  /**
   * A vector for each token ('none', the default), or one for each text: the mean of its tokens', or its first
   * token's.
   */
  readonly pooling?: (typeof poolings)[number]
  /** Whether vectors are divided by their lengths. Default false. */
  readonly normalize?: boolean
}

/**
 * Vectors for texts: [texts, width]; without pooling [texts, tokens, width], with zeros behind the tokens of a text that
 * is shorter than the longest.
 */
export interface FeatureExtractionPipeline extends PipelineMembers {
  (texts: string | readonly string[], options?: FeatureExtractionOptions): Promise<Tensor<'float32'>>
}

type Options = Required<FeatureExtractionOptions>

/** Feature extraction as transformers.js's pipeline of that name does it. */
export function featureExtraction(context: TaskContext): PipelineTask<string, Options, Encoded, Tensor<'float32'>> {
  const { where, tokenizer, width } = context
  return {
    head: 'feature-extraction',
    judges: 'all',
    arity: 1,
    read: ([given]) => readTexts(context, given),
    options(given) {
      const options = withDefaults<Options>(given, { pooling: 'none', normalize: false }, where)
      checkChoice(options.pooling, 'pooling', poolings)
      checkFlag(options.normalize, 'normalize')
      return options
    },
    encode: (text, _, name) => ({ rows: [rowOf(tokenizer(text, cutting(context)) as Encoding, name)] }),
    decode(_, [prediction], { pooling, normalize }) {
      const tokens = (prediction as { last_hidden_state: Tensor<'float32'> }).last_hidden_state
      const vectors = pooled(tokens, pooling)
      if (normalize) normalizeRows(vectors, width)
      const dims = pooling === 'none' ? tokens.dims : [width]
      return new Tensor('float32', vectors, dims)
    },
    collect: (answers, _, { pooling }) => stacked(answers, pooling === 'none' ? [0, width] : [width]),
  }
}

/** A copy of tokens' vectors [tokens, width], or one vector that is made of them. */
function pooled({ data, dims }: Tensor<'float32'>, pooling: Options['pooling']): Float32Array {
  if (pooling === 'none') return data.slice()
  const [count, width] = dims as [number, number]
  if (pooling === 'cls') return data.slice(0, width)
  const sums = new Float64Array(width)
  for (let i = 0; i < data.length; i++) sums[i % width]! += data[i]!
  return Float32Array.from(sums, sum => sum / count)
}

function normalizeRows(vectors: Float32Array, width: number): void {
  for (let first = 0; first < vectors.length; first += width) {
    const vector = vectors.subarray(first, first + width)
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
    if (length > 0) for (let i = 0; i < width; i++) vector[i]! /= length
  }
}

/** Tensors as one, padded with zeros on their first axis; `empty` are the dims of each where there is none. */
function stacked(tensors: readonly Tensor<'float32'>[], empty: readonly number[]): Tensor<'float32'> {
  const longest = tensors.reduce((most, tensor) => Math.max(most, tensor.dims[0]!), 0)
  const inner = tensors.length === 0 ? empty : [longest, ...tensors[0]!.dims.slice(1)]
  const size = inner.reduce((product, dim) => product * dim, 1)
  const data = new Float32Array(tensors.length * size)
  for (const [at, tensor] of tensors.entries()) data.set(tensor.data, at * size)
  return new Tensor('float32', data, [tensors.length, ...inner])
}
