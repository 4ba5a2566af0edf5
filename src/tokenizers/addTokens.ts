// tokens that are added to a tokenizer after it has been loaded
import { TrainerError } from '../errors'
import { checkFlag, checkOptions, shown } from '../options'
import { renumbered } from './completeJson'
import type { TokenizerFiles } from './files'
import { textModel, type TextModel } from './textModel'
import { specialToken, type AddedToken } from './tokenizerJson'

/** A token to add, where it is more than its text: Python's `AddedToken` in camelCase. */
export interface TokenToAdd {
  readonly content: string
  /** Only where no word touches it; false by default. */
  readonly singleWord?: boolean
  /** With the blanks before it; false by default. */
  readonly lstrip?: boolean
  /** With the blanks behind it; false by default. */
  readonly rstrip?: boolean
  /** Looked for in the normalized text (in lower case, for example); true by default for tokens that are not special. */
  readonly normalized?: boolean
}

/** Options of `addTokens`. */
export interface AddTokensOptions {
  /** Whether decoding can leave them out and language modelling never hides them; false by default. */
  readonly specialTokens?: boolean
}

const attributes = ['singleWord', 'lstrip', 'rstrip', 'normalized'] as const

/** A tokenizer whose files and text model change when tokens are added. */
export interface GrowingTokenizer {
  /** What is read of it is always the state of now. */
  readonly files: TokenizerFiles
  readonly model: TextModel
  addTokens(tokens: unknown, options?: AddTokensOptions): number
}

/**
 * The files, and a model of them, that tokens can be added to. Both are made anew when they are asked for: many tokens
 * may come one by one.
 */
export function growingTokenizer(loaded: TokenizerFiles): GrowingTokenizer {
  const known = new Map(loaded.json.added_tokens.map(token => [token.content, token]))
  let waiting: AddedToken[] = []
  let files = loaded
  const first = textModel(loaded)
  let model: TextModel | undefined = first
  const filesOfNow = (): TokenizerFiles => {
    if (waiting.length > 0) files = withTokens(files, [...known.values()], waiting)
    waiting = []
    return files
  }
  return {
    files: livingView(loaded, filesOfNow),
    model: livingView(first, () => (model ??= textModel(filesOfNow()))),
    addTokens(given, options = {}) {
      checkOptions(options, ['specialTokens'], 'addTokens()')
      checkFlag(options.specialTokens, 'specialTokens')
      const tokens = (Array.isArray(given) ? given : [given]).map(token =>
        readToken(token, options.specialTokens ?? false),
      )
      const changed = tokens.filter(token => changes(known, token))
      for (const token of changed) waiting.push(token)
      if (changed.length > 0) model = undefined
      return changed.length
    },
  }
}

/** An object with the properties of another, each read anew. */
function livingView<Value extends object>(first: Value, now: () => Value): Value {
  const names = Object.keys(first) as (keyof Value)[]
  return Object.defineProperties(
    {},
    Object.fromEntries(names.map(name => [name, { get: () => now()[name], enumerable: true }])),
  ) as Value
}

function readToken(token: unknown, isSpecial: boolean): AddedToken {
  const given = (typeof token === 'string' ? { content: token } : token) as TokenToAdd
  if (typeof given !== 'object' || given === null || typeof given.content !== 'string')
    throw new TrainerError('argument', `addTokens() takes texts, or objects with content, not ${shown(token)}.`, {
      fix: "Write addTokens(['<new>']).",
    })
  checkOptions(given, ['content', ...attributes], 'A token to add')
  for (const name of attributes) checkFlag(given[name], name)
  return specialToken(0, given.content, {
    single_word: given.singleWord ?? false,
    lstrip: given.lstrip ?? false,
    rstrip: given.rstrip ?? false,
    normalized: given.normalized ?? !isSpecial,
    special: isSpecial,
  })
}

/** Puts a token that is not there in this very form; as in the Rust library an empty one is none. */
function changes(known: Map<string, AddedToken>, token: AddedToken): boolean {
  const before = known.get(token.content)
  if (token.content === '' || (before !== undefined && isSame(before, token))) return false
  known.set(token.content, token)
  return true
}

function isSame(one: AddedToken, other: AddedToken): boolean {
  return (['single_word', 'lstrip', 'rstrip', 'normalized', 'special'] as const).every(
    name => one[name] === other[name],
  )
}

/**
 * The files with all added tokens as they are now: new ones stand behind those that were there, and of the new ones
 * those that came as special are named too.
 */
function withTokens(files: TokenizerFiles, all: readonly AddedToken[], fresh: readonly AddedToken[]): TokenizerFiles {
  const added = renumbered(all, files.vocabulary)
  const specials = fresh.filter(token => token.special).map(({ content }) => content)
  const { added_tokens_decoder: described, ...rest } = files.config
  return {
    ...files,
    json: { ...files.json, added_tokens: added },
    config: {
      ...rest,
      // Python reads added tokens here alone where it finds this field.
      ...(described !== undefined && { added_tokens_decoder: byId(added) }),
      ...(specials.length > 0 && { extra_special_tokens: withExtra(files, specials) }),
    },
    named: [...new Set([...files.named, ...specials])],
  }
}

function byId(tokens: readonly AddedToken[]): Record<string, Omit<AddedToken, 'id'>> {
  return Object.fromEntries(tokens.map(({ id, ...token }) => [id, token]))
}

/** The special tokens without a role, which Python 5 keeps as a list; an object of names stays one. */
function withExtra({ config }: TokenizerFiles, contents: readonly string[]): unknown {
  const there: unknown = config['extra_special_tokens'] ?? config['additional_special_tokens'] ?? []
  return Array.isArray(there)
    ? [...new Set([...(there as unknown[]), ...contents])]
    : { ...(there as object), ...Object.fromEntries(contents.map(content => [content, content])) }
}
