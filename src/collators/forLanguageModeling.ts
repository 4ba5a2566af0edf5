// examples → batch with some tokens hidden, which are its labels
import { TrainerError } from '../errors'
import { ignoredIndex } from '../labelColumn'
import { hash32 } from '../random'
import { Tensor } from '../tensor'
import { batchOf } from './batch'
import { checkExamples, checkIndices } from './examples'
import { checkPadOptions, type PadOptions } from './padExamples'
import { type MakeCollator, type Padder, tokenizerCollator } from './tokenizerCollator'

/** The part of a tokenizer that hides tokens. */
export interface Masker extends Padder {
  readonly maskTokenId: number | undefined
  readonly vocabSize: number
  readonly allSpecialIds: readonly number[]
}

/** Options of {@link DataCollatorForLanguageModeling}. */
export interface DataCollatorForLanguageModelingOptions {
  /** Only true, the default: the models here guess hidden words. */
  readonly mlm?: true
  /** The probability that a token is to be guessed; 0.15 by default. */
  readonly mlmProbability?: number
  /** Of those, the share that the mask token stands for; 0.8 by default. */
  readonly maskReplaceProb?: number
  /** Of those, the share that a random token stands for; 0.1 by default. The others stay as they are. */
  readonly randomReplaceProb?: number
  /** Rounds the length up to a multiple of this. */
  readonly padToMultipleOf?: number | null
  /** What is drawn from: 42 by default. */
  readonly seed?: number
}

const known = ['mlm', 'mlmProbability', 'maskReplaceProb', 'randomReplaceProb', 'padToMultipleOf', 'seed'] as const

/**
 * A collator that hides tokens for masked language modelling (Devlin et al. 2018): each that is not special is chosen
 * with `mlmProbability`; `labels` are what stood there, -100 elsewhere. What is drawn is a function of the seed, the
 * epoch and the row, so that a resumed run hides the same, and an evaluation always the same.
 * With or without `new`; the tokenizer first, or among the options as `{ tokenizer }`.
 * @throws TrainerError without a tokenizer that has a mask token, for options that it does not have, and for
 * probabilities that are none.
 */
export const DataCollatorForLanguageModeling: MakeCollator<Masker, DataCollatorForLanguageModelingOptions> =
  tokenizerCollator('DataCollatorForLanguageModeling', (tokenizer, options) => {
    const shares = checkedShares(options)
    const mask = maskOf(tokenizer)
    const special = new Set(tokenizer.allSpecialIds)
    const padding = { padToMultipleOf: options.padToMultipleOf }
    const seed = options.seed ?? 42
    return (examples, indices, epoch = 0) => {
      checkIndices(indices, 'DataCollatorForLanguageModeling')
      checkExamples(examples, indices)
      const { special_tokens_mask: given, ...batch } = batchOf(tokenizer.pad(examples, padding), indices)
      const { data, dims } = batch.input_ids!
      const width = dims[1]!
      const ids = Int32Array.from(data as Int32Array, Number)
      const labels = new Int32Array(ids.length).fill(ignoredIndex)
      ids.forEach((id, at) => {
        if (given === undefined ? special.has(id) : Number(given.data[at]) !== 0) return
        const row = Math.floor(at / width)
        const draw = (what: number): number => hash32(seed, epoch, indices?.[row] ?? row, at % width, what) / 2 ** 32
        if (draw(0) >= shares.chosen) return
        labels[at] = id
        const share = draw(1)
        if (share < shares.masked) ids[at] = mask
        else if (share < shares.masked + shares.random) ids[at] = Math.floor(draw(2) * tokenizer.vocabSize)
      })
      return { ...batch, input_ids: new Tensor('int32', ids, dims), labels: new Tensor('int32', labels, dims) }
    }
  })

function checkedShares(
  options: DataCollatorForLanguageModelingOptions,
): Record<'chosen' | 'masked' | 'random', number> {
  checkPadOptions(options as PadOptions, 'DataCollatorForLanguageModeling', known)
  const { mlm = true, mlmProbability = 0.15, maskReplaceProb = 0.8, randomReplaceProb = 0.1, seed = 42 } = options
  if ((mlm as unknown) !== true)
    throw new TrainerError('argument', `mlm is ${String(mlm)}, but the models here guess hidden words.`, {
      fix: 'Leave mlm out: models that write on are not there.',
    })
  for (const [name, value] of Object.entries({ mlmProbability, maskReplaceProb, randomReplaceProb })) {
    if (typeof value === 'number' && value >= 0 && value <= 1) continue
    throw new TrainerError('argument', `${name} is ${String(value)}; a probability from 0 to 1 was expected.`)
  }
  if (maskReplaceProb + randomReplaceProb > 1 + 1e-12)
    throw new TrainerError('argument', 'maskReplaceProb and randomReplaceProb are more than 1 together.')
  if (!Number.isSafeInteger(seed)) throw new TrainerError('argument', `seed is ${seed}; a whole number was expected.`)
  return { chosen: mlmProbability, masked: maskReplaceProb, random: randomReplaceProb }
}

function maskOf({ maskTokenId }: Masker): number {
  if (maskTokenId !== undefined) return maskTokenId
  throw new TrainerError('argument', 'The tokenizer has no mask token, which hidden words need.', {
    fix: 'Name one of its tokens as mask_token in tokenizer_config.json.',
  })
}
