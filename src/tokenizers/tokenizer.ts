// text → token ids, as Python's tokenizer(text, pair, …) gives them
import { TrainerError } from '../errors'
import { encoder, type BatchEncoding, type Encoding, type TokenizerOptions } from './encoding'
import { padExamples, type PadOptions } from '../collators/padExamples'
import { checkSide, type Side } from '../collators/padding'
import type { Cell } from '../data/rows'
import { tokenizerFileTexts } from './saveTokenizer'
import { textModel, type TextModel } from './textModel'
import { readTokenizerFiles, specialNames, type SpecialName, type TokenizerFiles } from './files'

/** Texts of a batch; undefined stands for a column that may not be there, and is an error. */
export type TextBatch = readonly Cell[] | undefined

/** Options of {@link Tokenizer.decode}. */
export interface DecodeOptions {
  /** Leave `[CLS]` and its kin out; false by default. */
  readonly skipSpecialTokens?: boolean
  /** Remove the blanks before punctuation; what the tokenizer's configuration says by default. */
  readonly cleanUpTokenizationSpaces?: boolean
}

/** What can be asked of a tokenizer besides calling it. */
export interface TokenizerMembers {
  /** Python's class name: `BertTokenizer`, `RobertaTokenizer`, … */
  readonly tokenizerClass: string
  /** The inputs that the model takes, the one that decides lengths first. */
  readonly modelInputNames: readonly string[]
  /** The most tokens that the model takes; Infinity if the files do not say. Truncation and padding go by it. */
  modelMaxLength: number
  /** Where padding is put. */
  paddingSide: Side
  /** Where tokens are cut off. */
  truncationSide: Side
  /** Tokens of the vocabulary, those that were added to it not counted. */
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
  /** The ids of all special tokens. */
  readonly allSpecialIds: readonly number[]
  /** Every token with its id. */
  getVocab(): Map<string, number>
  /** The tokens of a text as strings. */
  tokenize(text: string, pair?: string, options?: Pick<TokenizerOptions, 'addSpecialTokens'>): string[]
  /** The token ids of a text (or pair): `tokenizer(…).input_ids`. */
  encode(text: string, pair?: string, options?: TokenizerOptions): number[]
  /** Text from token ids. */
  decode(ids: ArrayLike<number | bigint>, options?: DecodeOptions): string
  /** Texts from rows of token ids. */
  batchDecode(rows: readonly ArrayLike<number | bigint>[], options?: DecodeOptions): string[]
  /** The id of a token (or of each of several); the unknown token's for one that is not in the vocabulary. */
  convertTokensToIds(token: string): number | undefined
  convertTokensToIds(tokens: readonly string[]): (number | undefined)[]
  /** The token of an id (or of each of several). */
  convertIdsToTokens(id: number): string | undefined
  convertIdsToTokens(ids: readonly number[]): (string | undefined)[]
  /** Pads encoded examples to one length, as Python's `tokenizer.pad` does. */
  pad(
    examples: readonly Readonly<Record<string, unknown>>[] | Readonly<Record<string, unknown>>,
    options?: PadOptions,
  ): Record<string, unknown[]>
  /** The files of the tokenizer by name, as {@link TokenizerMembers.save} writes them. */
  files(): Record<string, string>
  /**
   * Writes `tokenizer.json`, `tokenizer_config.json` and `special_tokens_map.json` into a folder, which is made; each
   * file whole or not at all.
   */
  save(folder: string): Promise<void>
  /** The same as `save`, under Hugging Face's name. */
  savePretrained(folder: string): Promise<void>
}

/**
 * A tokenizer: call it with a text or with a batch of texts, and a second text or batch for pairs.
 *
 * @example tokenizer('A text.')                                             // { input_ids: [101, …], token_type_ids:
 * […], attention_mask: […] }
 * @example tokenizer(rows.sentence1, rows.sentence2, { truncation: true })  // { input_ids: [[101, …], …], … }
 */
export interface Tokenizer extends TokenizerMembers {
  (texts: TextBatch, options: TokenizerOptions): BatchEncoding
  (texts: TextBatch, pairs?: TextBatch | null, options?: TokenizerOptions): BatchEncoding
  (text: Cell, options: TokenizerOptions): Encoding
  (text: Cell, pair?: Cell, options?: TokenizerOptions): Encoding
}

/** Writes texts as files of a folder, by name. */
export type WriteTexts = (folder: string, texts: Readonly<Record<string, string>>) => Promise<void>

/**
 * Loads the tokenizer in a folder: `tokenizer.json`, or `vocab.txt` (BERT's kin) or `vocab.json` with `merges.txt`
 * (RoBERTa's kin), with `tokenizer_config.json`, `special_tokens_map.json` and `config.json` where there are any.
 * @param write writes its files for `save`.
 * @throws TrainerError saying what is missing and what is there.
 */
export async function loadTokenizer(folder: string, write: WriteTexts): Promise<Tokenizer> {
  return createTokenizer(await readTokenizerFiles(folder), write)
}

/** A tokenizer of files that have been read. */
function createTokenizer(files: TokenizerFiles, write: WriteTexts): Tokenizer {
  const model = textModel(files.json, files.config)
  const settings = settingsOf(files, model)
  const encode = encoder(model, files.json.post_processor, settings)
  const call = (texts: TextBatch | Cell, ...rest: [unknown?, unknown?]): BatchEncoding | Encoding => {
    const withoutPair = rest.length > 0 && isOptions(rest[0])
    return encode(
      texts,
      withoutPair ? undefined : rest[0],
      (withoutPair ? rest[0] : rest[1]) as TokenizerOptions | undefined,
    )
  }
  const tokenizer = Object.assign(call, methods(files, model, settings, encode, write)) as unknown as Tokenizer
  Object.defineProperties(tokenizer, {
    ...Object.getOwnPropertyDescriptors(settings),
    name: { value: files.family.name },
  })
  return tokenizer
}

/** The properties that a tokenizer has and that its parts share. */
export type TokenizerSettings = ReturnType<typeof settingsOf>

function settingsOf({ config, family, specials, json }: TokenizerFiles, model: TextModel) {
  const idOf = (name: SpecialName): number | undefined =>
    specials[name] === undefined ? undefined : model.idOf(specials[name])
  const longest = Number(config['model_max_length'] ?? Infinity)
  const inputs = Array.isArray(config['model_input_names']) ? (config['model_input_names'] as string[]) : family.inputs
  let [paddingSide, truncationSide] = [sideOf(config['padding_side']), sideOf(config['truncation_side'])]
  let modelMaxLength = longest > 1e20 ? Infinity : longest
  const extra = json.added_tokens.filter(token => token.special).map(token => token.id)
  const special = specialNames.map(idOf).filter(id => id !== undefined)
  return {
    tokenizerClass: family.name,
    modelInputNames: inputs,
    get modelMaxLength() {
      return modelMaxLength
    },
    set modelMaxLength(length: number) {
      modelMaxLength = length
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
    allSpecialIds: [...new Set([...special, ...extra])],
    cleanUp: Boolean(config['clean_up_tokenization_spaces'] ?? false),
  }
}

function methods(
  files: TokenizerFiles,
  model: TextModel,
  settings: TokenizerSettings,
  encode: ReturnType<typeof encoder>,
  write: WriteTexts,
) {
  const idOf = (token: string): number | undefined => model.idOf(token) ?? settings.unkTokenId
  const encodeOne = (text: string, pair?: string, options?: TokenizerOptions): number[] =>
    (encode(text, pair, options) as Encoding).input_ids
  const decode = (
    ids: ArrayLike<number | bigint>,
    { skipSpecialTokens = false, cleanUpTokenizationSpaces = settings.cleanUp }: DecodeOptions = {},
  ): string => model.decode(Array.from(ids, Number), { skipSpecialTokens, cleanUp: cleanUpTokenizationSpaces })
  const save = (folder: string): Promise<void> => write(folder, tokenizerFileTexts(files, settings))
  return {
    getVocab: () => model.vocabulary(),
    tokenize: (
      text: string,
      pair?: string,
      { addSpecialTokens = false }: Pick<TokenizerOptions, 'addSpecialTokens'> = {},
    ) => encodeOne(text, pair, { addSpecialTokens }).map(id => model.tokenOf(id) ?? ''),
    encode: encodeOne,
    decode,
    batchDecode: (rows: readonly ArrayLike<number | bigint>[], options?: DecodeOptions) =>
      rows.map(ids => decode(ids, options)),
    convertTokensToIds: (tokens: string | readonly string[]) =>
      typeof tokens === 'string' ? idOf(tokens) : tokens.map(idOf),
    convertIdsToTokens: (ids: number | readonly number[]) =>
      typeof ids === 'number' ? model.tokenOf(ids) : ids.map(id => model.tokenOf(id)),
    pad: (
      examples: readonly Readonly<Record<string, unknown>>[] | Readonly<Record<string, unknown>>,
      options?: PadOptions,
    ) => padExamples(examples, settings, options),
    files: () => tokenizerFileTexts(files, settings),
    save,
    savePretrained: save,
  }
}

function isOptions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

function sideOf(written: unknown): Side {
  if (written === undefined || written === null || written === 'right') return 'right'
  if (written === 'left') return 'left'
  throw new TrainerError('file', `tokenizer_config.json has a side '${String(written)}': left or right was expected.`)
}
