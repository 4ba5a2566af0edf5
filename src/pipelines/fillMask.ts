import { TrainerError } from '../errors'
import { log } from '../logging'
import { shown, withDefaults } from '../options'
import type { Tensor } from '../tensor'
import type { Encoding } from '../tokenizers/encoding'
import type { Tokenizer } from '../tokenizers/tokenizer'
import type { PipelineMembers } from './PipelineMembers'
import type { Encoded, PipelineTask, TaskContext } from './PipelineTask'
import { highest, softmax } from '../probabilities'
import { checkCount, cutting, readTexts, rowOf } from './reading'

/** A token for a mask. */
export interface FilledMask {
  readonly score: number
  /** The id of the token. */
  readonly token: number
  /** What it is as a text. */
  readonly token_str: string
  /** The text with it; of a text with several masks, with the others and the special tokens. */
  readonly sequence: string
}

/** Options of a {@link FillMaskPipeline}. */
export interface FillMaskOptions {
  /** How many tokens are named for each mask, the likeliest first. Default 5. */
  readonly topK?: number
  /** The only tokens that are asked about. Of a word that is none, its first piece is scored, as in Python. */
  readonly targets?: string | readonly string[]
}

/** Tokens for the masks in texts: a list for each text, of a text with several masks a list for each mask. */
export interface FillMaskPipeline extends PipelineMembers {
  (text: string, options?: FillMaskOptions): Promise<FilledMask[] | FilledMask[][]>
  (texts: readonly string[], options?: FillMaskOptions): Promise<(FilledMask[] | FilledMask[][])[]>
}

interface Options {
  readonly topK: number
  /** The ids of the targets. */
  readonly targets: readonly number[] | undefined
}

/** A text with masks. */
interface Masked extends Encoded {
  readonly ids: readonly number[]
  /** The columns of the masks. */
  readonly masks: readonly number[]
}

/** Filling of masks as Python's pipeline of that name does it. */
export function fillMask(context: TaskContext): PipelineTask<string, Options, Masked, FilledMask[] | FilledMask[][]> {
  const { where, tokenizer } = context
  const { maskToken, maskTokenId } = tokenizer
  if (maskToken === undefined || maskTokenId === undefined)
    throw new TrainerError('model', `${where}: the tokenizer has no mask token.`, {
      fix: 'Name it as mask_token in tokenizer_config.json.',
    })
  return {
    head: 'masked-lm',
    judges: 'some',
    arity: 1,
    read: ([given]) => readTexts(context, given),
    options(given) {
      const defaults = { topK: 5, targets: undefined as FillMaskOptions['targets'] }
      const options = withDefaults(given, defaults, where)
      checkCount(options.topK, 'topK')
      const { topK, targets } = options
      return { topK, targets: targets === undefined ? undefined : targetIds(tokenizer, targets) }
    },
    encode(text, _, name) {
      const row = rowOf(tokenizer(text, cutting(context)) as Encoding, name)
      const masks = row.ids.flatMap((id, column) => (id === maskTokenId ? [column] : []))
      if (masks.length === 0) throw noMask(context, name, text.includes(maskToken))
      return { ids: row.ids, masks, rows: [{ ...row, judged: masks }] }
    },
    decode(masked, [prediction], { topK, targets }) {
      const { data, dims } = (prediction as { logits: Tensor<'float32'> }).logits
      const filled = masked.masks.map((mask, at) => {
        const scores = softmax(data.subarray(at * dims[1]!, (at + 1) * dims[1]!))
        const best =
          targets === undefined
            ? highest(scores, topK)
            : highest(
                targets.map(id => scores[id] ?? 0),
                topK,
              ).map(place => targets[place]!)
        return best.map(token => ({ score: scores[token]!, token, ...written(tokenizer, masked, mask, token) }))
      })
      return masked.masks.length === 1 ? filled[0]! : filled
    },
    collect: (answers, isList) => (isList ? answers : answers[0]),
  }
}

/** A token, and the text that has it in the place of a mask. */
function written(
  tokenizer: Tokenizer,
  { ids, masks }: Masked,
  mask: number,
  token: number,
): Pick<FilledMask, 'token_str' | 'sequence'> {
  const sequence = ids.map((id, column) => (column === mask ? token : id)).filter(id => id !== tokenizer.padTokenId)
  return {
    token_str: tokenizer.decode([token]),
    sequence: tokenizer.decode(sequence, { skipSpecialTokens: masks.length === 1 }), // other masks are special too
  }
}

/** @throws TrainerError (`argument`) for no targets, and for those that are no texts. */
function targetIds(tokenizer: Tokenizer, targets: string | readonly string[]): readonly number[] {
  const list = (typeof targets === 'string' ? [targets] : targets) as readonly unknown[]
  if (!Array.isArray(list) || list.length === 0)
    throw new TrainerError('argument', `targets is ${Array.isArray(list) ? 'empty' : shown(list)}.`, {
      fix: 'Give at least one word, or leave it out for all tokens.',
    })
  const wrong = list.findIndex(target => typeof target !== 'string' || target === '')
  if (wrong >= 0)
    throw new TrainerError('argument', `Target ${wrong} is ${list[wrong] === '' ? 'empty' : shown(list[wrong])}.`, {
      fix: 'Every target has to be a word.',
    })
  const vocabulary = tokenizer.getVocab()
  const ids = (list as string[]).flatMap(target => targetId(tokenizer, vocabulary, target) ?? [])
  if (ids.length > 0) return [...new Set(ids)]
  throw new TrainerError('argument', `None of the targets has a token: ${list.map(shown).join(', ')}.`)
}

function targetId(tokenizer: Tokenizer, vocabulary: ReadonlyMap<string, number>, target: string): number | undefined {
  const known = vocabulary.get(target)
  if (known !== undefined) return known
  const [first] = tokenizer(target, { addSpecialTokens: false }).input_ids as number[]
  const found = first === undefined ? 'It has no tokens, and is left out' : `"${tokenizer.convertIdsToTokens(first)}", its first piece, is scored in its place` // prettier-ignore
  log('warning', `The target "${target}" is no token of the vocabulary. ${found}.`)
  return first
}

function noMask({ where, tokenizer, maxLength }: TaskContext, name: string, isCut: boolean): TrainerError {
  const { maskToken } = tokenizer
  if (isCut)
    return new TrainerError(
      'data',
      `${where}: the mask token (${maskToken}) of ${name} lies behind the limit of ${maxLength} tokens and was cut away.`,
      { fix: 'Shorten the text.' },
    )
  return new TrainerError('data', `${where}: there is no mask token (${maskToken}) in ${name}.`, {
    fix: `Write ${maskToken} where a word is to be guessed.`,
  })
}
