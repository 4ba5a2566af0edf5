// text → token ids, as Python's tokenizer(text, pair, …) gives them
import { padExamples, type PadOptions } from '../collators/padExamples'
import type { Cell, LooseColumn } from '../data/rows'
import type { PushedCommit, PushToHubOptions } from '../hub/pushOptions'
import { TrainerError } from '../errors'
import { checkOptions, refuseArguments } from '../options'
import { growingTokenizer, type AddTokensOptions, type GrowingTokenizer, type TokenToAdd } from './addTokens'
import { encoder, type BatchEncoding, type Encoding } from './encoding'
import { readTokenizerFiles, type LoadTokenizerOptions, type TokenizerFiles } from './files'
import { withNative, type NativeLibrary } from './native'
import type { TokenizerOptions } from './options'
import { tokenizerFileTexts } from './saveTokenizer'
import { settingsOf, type TokenizerProperties, type TokenizerSettings } from './settings'
import type { TextFiles } from './textFiles'
import { checkPrefixSpace } from './words'

/** Options with which a list of texts is one text, in words. */
type OfWords = TokenizerOptions & { readonly isSplitIntoWords: true }

/** Options with which one text may become several rows. */
type Overflowing = TokenizerOptions & { readonly returnOverflowingTokens: true }

/** Texts of a batch; undefined stands for a column that may be missing, and throws. */
export type TextBatch = readonly Cell[] | undefined

/** Options of {@link Tokenizer.decode}. */
export interface DecodeOptions {
  /** Leave `[CLS]` and its kin out; false by default. */
  readonly skipSpecialTokens?: boolean
  /** Remove the blanks before punctuation; by default what the tokenizer's configuration says. */
  readonly cleanUpTokenizationSpaces?: boolean
}

const decodeOptions = ['skipSpecialTokens', 'cleanUpTokenizationSpaces'] satisfies (keyof DecodeOptions)[]

/** The members of a tokenizer, which is also a function. */
export interface TokenizerMembers extends TokenizerProperties {
  /**
   * Adds tokens that texts are cut at before anything else: new ones get the ids behind the vocabulary, and a token that
   * is there already gets these attributes. What is saved has them, here and in Python. A model needs rows for new ids:
   * `model.resizeTokenEmbeddings(tokenizer.length)`.
   * @param tokens a text or several, or objects with attributes.
   * @returns how many were not there in this form, which is what Python's `add_tokens` returns.
   * @throws TrainerError (`argument`) for what is no token.
   *
   * @example
   * tokenizer.addTokens(['<city>', 'Fabrikam'])
   * tokenizer.addTokens(['<user>'], { specialTokens: true }) // Python: add_special_tokens({'extra_special_tokens': …})
   * model.resizeTokenEmbeddings(tokenizer.length)
   */
  addTokens(tokens: string | TokenToAdd | readonly (string | TokenToAdd)[], options?: AddTokensOptions): number
  /** The number of all tokens, those that were added too: Python's `len(tokenizer)`. */
  readonly length: number
  /** Every token with its id. */
  getVocab(): Map<string, number>
  /** The tokens of a text (or pair) as strings; special ones only with `addSpecialTokens: true`. */
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
  /** The text that tokens make together: how a tokenizer writes words back. */
  convertTokensToString(tokens: readonly string[]): string
  /** Pads encoded examples to one length, as Python's `tokenizer.pad` does. */
  pad(
    examples: readonly Readonly<Record<string, unknown>>[] | Readonly<Record<string, unknown>>,
    options?: PadOptions,
  ): Record<string, unknown[]>
  /** The files of the tokenizer by name, as {@link TokenizerMembers.save} writes them. */
  files(): Record<string, string>
  /**
   * Writes `tokenizer.json`, `tokenizer_config.json` and `special_tokens_map.json` into a folder, which is made if need
   * be; each file whole or not at all.
   */
  save(folder: string): Promise<void>
  /** The same as `save`, under Hugging Face's name. */
  savePretrained(folder: string): Promise<void>
  /**
   * Pushes these files to the Hub, into a repository that is made unless it is there.
   * @param id ORGANIZATION/NAME, or NAME in the namespace of the token.
   * @param options by default the message is 'Upload tokenizer'.
   * @returns the commit.
   * @throws TrainerError (`hub`) without a token that may write there, and for what the Hub refuses.
   *
   * @example
   * await tokenizer.pushToHub('my-model') // after npx ts-trainer login
   */
  pushToHub(id: string, options?: PushToHubOptions): Promise<PushedCommit>
}

/**
 * A tokenizer: call it with a text or with a batch of texts, and a second text or batch for pairs.
 *
 * @example
 * tokenizer('A text.') // { input_ids: [101, …], token_type_ids: […], attention_mask: […] }
 * @example
 * tokenizer(rows.sentence1, rows.sentence2, { truncation: true }) // { input_ids: [[101, …], …], … }
 * @example
 * tokenizer(['Ines', 'left'], { isSplitIntoWords: true, returnWordIds: true }) // { …, word_ids: [null, 0, 0, 1, null] }
 */
export interface Tokenizer extends TokenizerMembers {
  (texts: LooseColumn, options: TokenizerOptions): BatchEncoding
  (words: readonly string[], options: OfWords): Encoding
  (words: readonly string[], pair: readonly string[], options: OfWords): Encoding
  (text: Cell, options: Overflowing): BatchEncoding
  (text: Cell, pair: Cell, options: Overflowing): BatchEncoding
  (texts: TextBatch, options: TokenizerOptions): BatchEncoding
  (texts: TextBatch, pairs?: TextBatch | null, options?: TokenizerOptions): BatchEncoding
  (text: Cell, options: TokenizerOptions): Encoding
  (text: Cell, pair?: Cell, options?: TokenizerOptions): Encoding
}

/**
 * Loads the tokenizer in a folder: `tokenizer.json`, or `vocab.txt` (BERT's kin) or `vocab.json` with `merges.txt`
 * (RoBERTa's kin), with `tokenizer_config.json`, `special_tokens_map.json` and `config.json` if there are any.
 * @param files reads them, and writes and pushes them for `save` and `pushToHub`.
 * @param native loads npm's `tokenizers` for a part that is not written here; without it such a part is refused.
 * @throws TrainerError saying what is missing and what the folder has.
 */
export async function loadTokenizer(
  folder: string,
  files: TextFiles,
  native?: () => Promise<NativeLibrary | undefined>,
  options: LoadTokenizerOptions = {},
): Promise<Tokenizer> {
  const loaded = await readTokenizerFiles(folder, files, options)
  checkPrefixSpace(loaded, options)
  return withNative(() => createTokenizer(loaded, files), native)
}

/** A tokenizer of files that have been read. */
function createTokenizer(loaded: TokenizerFiles, disk: TextFiles): Tokenizer {
  const growing = growingTokenizer(loaded)
  const { files, model } = growing
  const settings = settingsOf(files, model)
  const encode = encoder(model, files, settings)
  const call = (texts: TextBatch | Cell, ...rest: unknown[]): BatchEncoding | Encoding => {
    const withoutPair = rest.length > 0 && isOptions(rest[0])
    refuseArguments(rest.slice(withoutPair ? 1 : 2), 'A tokenizer, beside its texts and its options,')
    return encode(
      texts,
      withoutPair ? undefined : rest[0],
      (withoutPair ? rest[0] : rest[1]) as TokenizerOptions | undefined,
    )
  }
  const tokenizer = Object.assign(call, methods(growing, settings, encode, disk)) as unknown as Tokenizer
  Object.defineProperties(tokenizer, {
    ...Object.getOwnPropertyDescriptors(settings),
    name: { value: files.family.name },
    length: { get: () => countOf(files) },
  })
  return tokenizer
}

function methods(
  { files, model, addTokens }: GrowingTokenizer,
  settings: TokenizerSettings,
  encode: ReturnType<typeof encoder>,
  disk: TextFiles,
) {
  const idOf = (token: string): number | undefined => model.idOf(token) ?? settings.unkTokenId
  const encodeOne = (text: string, pair?: string, options?: TokenizerOptions): number[] =>
    (encode(text, pair, options) as Encoding).input_ids
  const decode = (ids: ArrayLike<number | bigint>, options: DecodeOptions = {}): string => {
    checkOptions(options, decodeOptions, 'decode()')
    const { skipSpecialTokens = false, cleanUpTokenizationSpaces: cleanUp = settings.cleanUp } = options
    return model.decode(Array.from(ids, Number), { skipSpecialTokens, cleanUp })
  }
  const save = async (folder: string, ...extra: unknown[]): Promise<void> => {
    refuseArguments(extra, "A tokenizer's savePretrained(), beside the folder,")
    await disk.write(folder, tokenizerFileTexts(files, settings))
  }
  return {
    addTokens: (tokens: unknown, options?: AddTokensOptions, ...extra: unknown[]) => {
      refuseArguments(extra, 'addTokens(), beside tokens and options,')
      return addTokens(tokens, options)
    },
    getVocab: () => model.vocabulary(),
    tokenize: (text: string, pair?: string, options: Pick<TokenizerOptions, 'addSpecialTokens'> = {}) => {
      checkOptions(options, ['addSpecialTokens'], 'tokenize()')
      return encodeOne(text, pair, { addSpecialTokens: false, ...options }).map(id => model.tokenOf(id) ?? '')
    },
    encode: encodeOne,
    decode,
    batchDecode: (rows: readonly ArrayLike<number | bigint>[], options?: DecodeOptions) => {
      checkOptions(options, decodeOptions, 'batchDecode()')
      return rows.map(ids => decode(ids, options))
    },
    convertTokensToIds: (tokens: string | readonly string[]) =>
      typeof tokens === 'string' ? idOf(tokens) : tokens.map(idOf),
    convertIdsToTokens: (ids: number | readonly number[]) =>
      typeof ids === 'number' ? model.tokenOf(ids) : ids.map(id => model.tokenOf(id)),
    convertTokensToString: (tokens: readonly string[]) => model.join(tokens),
    pad: (
      examples: readonly Readonly<Record<string, unknown>>[] | Readonly<Record<string, unknown>>,
      options?: PadOptions,
    ) => padExamples(examples, settings, options),
    files: () => tokenizerFileTexts(files, settings),
    save,
    savePretrained: save,
    pushToHub: async (id: string, options?: PushToHubOptions, ...extra: unknown[]) => {
      refuseArguments(extra, "A tokenizer's pushToHub(), beside the name and its options,")
      if (disk.push === undefined)
        throw new TrainerError('hub', 'This tokenizer was made without a way to the Hub.', {
          fix: 'Load it with AutoTokenizer.fromPretrained().',
        })
      return disk.push(id, tokenizerFileTexts(files, settings), options)
    },
  }
}

/** How many tokens there are; an added one may be in the vocabulary too. */
function countOf({ vocabulary, json }: TokenizerFiles): number {
  const added = new Set(json.added_tokens.map(({ content }) => content))
  return vocabulary.ids.size + [...added].filter(token => !vocabulary.ids.has(token)).length
}

function isOptions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}
