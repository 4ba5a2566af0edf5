// examples → batch with some tokens hidden, which are its labels
import { TrainerError } from '../errors'
import { ignoredIndex } from '../labelColumn'
import { hash32 } from '../random'
import { checkFlag } from '../options'
import { type Batch, Tensor } from '../tensor'
import { batchOf } from './batch'
import type { Examples } from './Collator'
import { checkExamples, checkIndices, rowName } from './examples'
import { checkPadOptions, type PadOptions } from './padExamples'
import { type MakeCollator, type Padder, tokenizerCollator } from './tokenizerCollator'
import { firstsOfWords, type PieceReader, wordColumn } from './wholeWords'

/** The part of a tokenizer that hides tokens. */
export interface Masker extends Padder, PieceReader {
  readonly maskTokenId: number | undefined
  /** Every token, those that were added too. */
  readonly length: number
  readonly allSpecialIds: readonly number[]
}

/** Options of {@link DataCollatorForLanguageModeling}. */
export interface DataCollatorForLanguageModelingOptions {
  /** Only true, the default: the models here guess hidden words. */
  readonly mlm?: true
  /**
   * Choose words instead of tokens, and all tokens of a word with it; false by default. The words are those of the
   * column `word_ids`, or else what WordPiece's `##` says.
   */
  readonly wholeWordMask?: boolean
  /** The probability that a token (or word) is to be guessed; 0.15 by default. */
  readonly mlmProbability?: number
  /** Of those, the share that the mask token stands for; 0.8 by default, 1 for whole words. */
  readonly maskReplaceProb?: number
  /** Of those, the share that a random token stands for; 0.1 by default, 0 for whole words. The others stay. */
  readonly randomReplaceProb?: number
  /** Rounds the length up to a multiple of this. */
  readonly padToMultipleOf?: number | null
  /** What is drawn from: 42 by default. */
  readonly seed?: number
}

const name = 'DataCollatorForLanguageModeling'

const known = [
  'mlm',
  'wholeWordMask',
  'mlmProbability',
  'maskReplaceProb',
  'randomReplaceProb',
  'padToMultipleOf',
  'seed',
] as const

/**
 * A collator that hides tokens for masked language modelling (Devlin et al. 2018): each that is not special is chosen
 * with `mlmProbability`; `labels` are what stood there, -100 elsewhere. What is drawn is a function of the seed, the
 * epoch and the row, so that a resumed run hides the same, and an evaluation always the same. The Trainer gives epoch and
 * rows; who calls it without them gets those of the first batch again.
 *
 * With `wholeWordMask` a word's tokens are chosen together, and are hidden by the mask token alone, as in transformers
 * 5, unless `maskReplaceProb` and `randomReplaceProb` say otherwise (BERT's own recipe is 0.8 and 0.1, for each token).
 * Special tokens, those that a text spells and the unknown one too, belong to no word. Tokens are to be added to the
 * tokenizer before the collator is made.
 *
 * With or without `new`; the tokenizer first, or among the options as `{ tokenizer }`.
 * @throws TrainerError without a tokenizer that has a mask token, for options that it does not have, and for
 * probabilities that are none; later, for rows whose words cannot be known.
 * @example
 * const rows = texts.map(batch => tokenizer(batch.text, { truncation: true, returnWordIds: true }), { batched: true })
 * const dataCollator = DataCollatorForLanguageModeling(tokenizer, { wholeWordMask: true, mlmProbability: 0.2 })
 */
export const DataCollatorForLanguageModeling: MakeCollator<Masker, DataCollatorForLanguageModelingOptions> =
  tokenizerCollator(name, (tokenizer, options) => {
    const shares = checkedShares(options)
    const mask = maskOf(tokenizer)
    const special = new Set(tokenizer.allSpecialIds)
    const { length: size } = tokenizer
    const padding = { padToMultipleOf: options.padToMultipleOf }
    const { seed = 42, wholeWordMask = false } = options
    return Object.assign(collate, {
      columns: wholeWordMask ? [wordColumn, 'special_tokens_mask'] : ['special_tokens_mask'],
    })

    function collate(examples: Examples, indices?: readonly number[], epoch = 0): Batch {
      checkIndices(indices, name)
      checkExamples(examples, indices)
      const inputs = examples.map(({ [wordColumn]: _words, offset_mapping: _offsets, ...others }) => others)
      const { special_tokens_mask: given, ...batch } = batchOf(tokenizer.pad(inputs, padding), indices)
      const { data, dims } = batch.input_ids!
      const width = dims[1]!
      const ids = Int32Array.from(data as Int32Array, Number)
      const labels = new Int32Array(ids.length).fill(ignoredIndex)
      const isGiven = (at: number): boolean => given !== undefined && Number(given.data[at]) !== 0
      const isSpecial = (at: number): boolean =>
        given === undefined || wholeWordMask ? special.has(ids[at]!) || isGiven(at) : isGiven(at)
      examples.forEach((example, row) => {
        const { length } = example.input_ids as ArrayLike<number>
        const start = row * width + (tokenizer.paddingSide === 'left' ? width - length : 0)
        const draw = (token: number, what: number): number =>
          hash32(seed, epoch, indices?.[row] ?? row, token, what) / 2 ** 32
        // before anything is hidden: what is special is asked of the tokens as they were
        const specials = Array.from({ length }, (_, token) => isSpecial(start + token))
        const firsts = wholeWordMask ? firstsOfWords(tokenizer, example, specials, rowName(row, indices)) : undefined
        for (let token = 0; token < length; token++) {
          const at = start + token
          if (specials[token]! || draw(firsts?.[token] ?? token, 0) >= shares.chosen) continue
          labels[at] = ids[at]!
          const share = draw(token, 1)
          if (share < shares.masked) ids[at] = mask
          else if (share < shares.masked + shares.random) ids[at] = Math.floor(draw(token, 2) * size)
        }
      })
      return { ...batch, input_ids: new Tensor('int32', ids, dims), labels: new Tensor('int32', labels, dims) }
    }
  })

function checkedShares(
  options: DataCollatorForLanguageModelingOptions,
): Record<'chosen' | 'masked' | 'random', number> {
  checkPadOptions(options as PadOptions, name, known)
  const { mlm = true, mlmProbability = 0.15, wholeWordMask = false, seed = 42 } = options
  checkFlag(wholeWordMask, 'wholeWordMask')
  const { maskReplaceProb = wholeWordMask ? 1 : 0.8, randomReplaceProb = wholeWordMask ? 0 : 0.1 } = options
  if ((mlm as unknown) !== true)
    throw new TrainerError('argument', `mlm is ${String(mlm)}, but the models here guess hidden words.`, {
      fix: 'Leave mlm out: models that write on are not there.',
    })
  for (const [option, value] of Object.entries({ mlmProbability, maskReplaceProb, randomReplaceProb })) {
    if (typeof value === 'number' && value >= 0 && value <= 1) continue
    throw new TrainerError('argument', `${option} is ${String(value)}; a probability from 0 to 1 was expected.`)
  }
  if (maskReplaceProb + randomReplaceProb > 1 + 1e-12)
    throw new TrainerError(
      'argument',
      `maskReplaceProb ${maskReplaceProb} and randomReplaceProb ${randomReplaceProb} are more than 1 together.`,
    )
  if (!Number.isSafeInteger(seed)) throw new TrainerError('argument', `seed is ${seed}; a whole number was expected.`)
  return { chosen: mlmProbability, masked: maskReplaceProb, random: randomReplaceProb }
}

function maskOf({ maskTokenId }: Masker): number {
  if (maskTokenId !== undefined) return maskTokenId
  throw new TrainerError('argument', 'The tokenizer has no mask token, which hidden words need.', {
    fix: 'Name one of its tokens as mask_token in tokenizer_config.json.',
  })
}
