// what a tokenizer is set to: what its files say, and what can be changed later
import { checkSide, type Side } from '../collators/padding'
import type { TokenizerFiles } from './files'
import { specialNames, type SpecialName } from './specials'
import type { TextModel } from './textModel'
import type { TokenizerConfig } from './tokenizerJson'

/** The properties of a tokenizer. */
export interface TokenizerProperties {
  /** Python's class name: `BertTokenizer`, `RobertaTokenizer`, … */
  readonly tokenizerClass: string
  /** The inputs that the model takes, the one that decides lengths first. */
  readonly modelInputNames: readonly string[]
  /**
   * The most tokens that the model takes: `model_max_length`, or else the positions of the model in the same folder;
   * Infinity if neither is there. The default of `maxLength`.
   */
  modelMaxLength: number
  /** Where padding is put. */
  paddingSide: Side
  /** Where tokens are cut off. */
  truncationSide: Side
  /** The number of tokens in the vocabulary, without those added to it. */
  readonly vocabSize: number
  readonly padToken: string | undefined
  readonly clsToken: string | undefined
  readonly sepToken: string | undefined
  readonly unkToken: string | undefined
  readonly maskToken: string | undefined
  readonly bosToken: string | undefined
  readonly eosToken: string | undefined
  readonly padTokenId: number | undefined
  readonly clsTokenId: number | undefined
  readonly sepTokenId: number | undefined
  readonly unkTokenId: number | undefined
  readonly maskTokenId: number | undefined
  readonly bosTokenId: number | undefined
  readonly eosTokenId: number | undefined
  /** The segment id that padding has. */
  readonly padTokenTypeId: number
  /** The ids of the special tokens that the files name. */
  readonly allSpecialIds: readonly number[]
  /** What WordPiece writes before a piece that goes on with a word: '##'; undefined for other models. */
  readonly continuingSubwordPrefix: string | undefined
}

/** The properties that the parts of a tokenizer share. */
export interface TokenizerSettings extends TokenizerProperties {
  /** Whether decoding removes the blanks before punctuation, unless its options say otherwise. */
  readonly cleanUp: boolean
  /** What is to be said, once, where `modelMaxLength` applies and is not the tokenizer's own. */
  readonly limitNote: string | undefined
}

/** The settings that the files of a tokenizer say. */
export function settingsOf(files: TokenizerFiles, model: TextModel): TokenizerSettings {
  const { config, family, specials } = files
  const idOf = (name: SpecialName): number | undefined =>
    specials[name] === undefined ? undefined : model.idOf(specials[name])
  const inputs = Array.isArray(config['model_input_names']) ? (config['model_input_names'] as string[]) : family.inputs
  const ownLimit = lengthLimit(config)
  const isBytePairs = files.json.model.type === 'BPE'
  let modelMaxLength = ownLimit ?? files.positions ?? Infinity
  let limitNote = ownLimit === undefined ? noteOfLimit(files) : undefined
  let paddingSide = sideOf(config['padding_side'])
  let truncationSide = sideOf(config['truncation_side'])
  return {
    tokenizerClass: family.name,
    modelInputNames: inputs,
    // What can be set has accessors: the tokenizer takes their descriptors over, and both share the values.
    get modelMaxLength() {
      return modelMaxLength
    },
    set modelMaxLength(length: number) {
      modelMaxLength = length
      limitNote = undefined
    },
    get paddingSide() {
      return paddingSide
    },
    set paddingSide(side: Side) {
      paddingSide = checkSide(side, 'paddingSide')
    },
    get truncationSide() {
      return truncationSide
    },
    set truncationSide(side: Side) {
      truncationSide = checkSide(side, 'truncationSide')
    },
    vocabSize: model.size,
    padToken: specials.pad_token,
    clsToken: specials.cls_token,
    sepToken: specials.sep_token,
    unkToken: specials.unk_token,
    maskToken: specials.mask_token,
    bosToken: specials.bos_token,
    eosToken: specials.eos_token,
    padTokenId: idOf('pad_token'),
    clsTokenId: idOf('cls_token'),
    sepTokenId: idOf('sep_token'),
    unkTokenId: idOf('unk_token'),
    maskTokenId: idOf('mask_token'),
    bosTokenId: idOf('bos_token'),
    eosTokenId: idOf('eos_token'),
    padTokenTypeId: Number(config['pad_token_type_id'] ?? 0),
    get allSpecialIds() {
      const ids = [...specialNames.map(idOf), ...files.named.map(token => model.idOf(token))]
      return [...new Set(ids.filter(id => id !== undefined))]
    },
    continuingSubwordPrefix: prefixOf(files.json.model),
    get limitNote() {
      return limitNote
    },
    cleanUp: Boolean(config['clean_up_tokenization_spaces'] ?? false) && (!isBytePairs || Boolean(config[corrupting])),
  }
}

/** Of old files, which do not say their model's type, only a WordPiece without merges has such a prefix. */
function prefixOf({
  type,
  merges,
  continuing_subword_prefix: prefix,
}: TokenizerFiles['json']['model']): string | undefined {
  const isWordPiece = type === undefined ? merges === undefined && prefix !== undefined : type === 'WordPiece'
  return isWordPiece ? String(prefix ?? '##') : undefined
}

/** Python does not clean up after byte-pair encoding, whose blanks are the text's own, unless this says so. */
const corrupting = 'clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output'

/** The tokenizer's own limit. Python writes 1e30 for none. */
function lengthLimit(config: TokenizerConfig): number | undefined {
  const written = Number(config['model_max_length'] ?? Infinity)
  return written > 1e20 ? undefined : written
}

function noteOfLimit({ path, positions }: TokenizerFiles): string | undefined {
  if (positions === undefined) return undefined
  return (
    `The tokenizer of ${path} has no limit of its own (model_max_length): the ${positions} positions of the model in ` +
    'its folder are the limit. Set tokenizer.modelMaxLength, or maxLength at the call, for another one.'
  )
}

/** Of a value that was checked when the file was read. */
function sideOf(written: unknown): Side {
  return written === 'left' ? 'left' : 'right'
}
