// what the files of a tokenizer hold, in Python's spelling

/** One entry of `added_tokens`. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  readonly single_word: boolean
  readonly lstrip: boolean
  readonly rstrip: boolean
  readonly normalized: boolean
  readonly special: boolean
}

/** The parts of a `tokenizer.json` that are read here; others are kept. */
export interface TokenizerJson {
  readonly added_tokens: readonly AddedToken[]
  readonly normalizer: { readonly type: string; readonly [option: string]: unknown } | null
  readonly pre_tokenizer: unknown
  readonly post_processor: unknown
  readonly decoder: unknown
  readonly model: {
    readonly type?: string
    readonly vocab: Readonly<Record<string, number>> | readonly unknown[]
    readonly [option: string]: unknown
  }
  readonly [part: string]: unknown
}

/** A `tokenizer.json` as a file has it: with a model, perhaps without some other part. */
export type WrittenJson = Pick<TokenizerJson, 'model'> & Partial<TokenizerJson>

/** A `tokenizer_config.json`. */
export type TokenizerConfig = Readonly<Record<string, unknown>>

/** A special token without attributes, unless `attributes` has some. */
export function specialToken(id: number, content: string, attributes: Partial<AddedToken> = {}): AddedToken {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
    ...attributes,
  }
}
