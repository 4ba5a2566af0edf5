// a SentencePiece model → the tokenizer.json that Python's tokenizer classes (transformers 5.24) make of it
import { TrainerError } from '../errors'
import { renumbered } from './completeJson'
import type { Family } from './families'
import type { PieceModel } from './pieceModel'
import { specialNames, textOf, type SpecialTokens } from './specials'
import { clsSepTemplate } from './template'
import { specialToken, type AddedToken, type TokenizerConfig, type TokenizerJson } from './tokenizerJson'

type Entry = readonly [token: string, score: number]
type Part = TokenizerJson['normalizer'] & object

/** What one class makes of a model. */
interface Recipe {
  vocabulary(model: PieceModel, specials: SpecialTokens): readonly Entry[]
  unknownId(model: PieceModel, vocabulary: readonly Entry[], specials: SpecialTokens): number
  normalizer(model: PieceModel, config: TokenizerConfig): Part | null
  /** What cuts the text before Metaspace does. */
  cuts(config: TokenizerConfig): readonly Part[]
  /** Where Metaspace puts its sign if `add_prefix_space` is false. */
  readonly unprefixed: 'never' | 'first'
}

/** What the files beside a SentencePiece model say of its tokens. */
interface PieceNaming {
  readonly family: Family
  readonly specials: SpecialTokens
  readonly config: TokenizerConfig
  /** The tokens that they add by id, in that order. */
  readonly added: readonly string[]
  /** The special tokens without a role. */
  readonly extra: readonly string[]
}

/**
 * The tokenizer.json of a SentencePiece model. All of these classes ignore what the file says of `byte_fallback`,
 * `add_dummy_prefix` and `remove_extra_whitespaces`, and take a model of byte-pair encoding for one of Unigram.
 * @param path names the model in errors.
 */
export function pieceJson(model: PieceModel, path: string, naming: PieceNaming): TokenizerJson {
  const { family, specials, config } = naming
  const recipe = recipes[family.name]!
  checkModel(model, path, family.name, specials)
  const vocabulary = recipe.vocabulary(model, specials)
  const prepends = isOn(config, 'add_prefix_space', true) ? 'always' : recipe.unprefixed
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: prepends, split: true }
  const ids = new Map(vocabulary.map(([token], id) => [token, id]))
  const added = renumbered(addedTokens(naming), { ids, size: vocabulary.length })
  const addedIds = new Map(added.map(token => [token.content, token.id]))
  // Python's classes with a double separator name the ends of a text bos_token and eos_token.
  const { bos_token: cls_token, eos_token: sep_token } = specials
  const ends = family.doubleSeparator ? ({ cls_token, sep_token } as SpecialTokens) : specials
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: recipe.normalizer(model, config),
    pre_tokenizer: { type: 'Sequence', pretokenizers: [...recipe.cuts(config), metaspace] },
    post_processor: clsSepTemplate(ends, token => addedIds.get(token), family.doubleSeparator),
    decoder: metaspace,
    model: {
      type: 'Unigram',
      unk_id: recipe.unknownId(model, vocabulary, specials),
      vocab: vocabulary,
      byte_fallback: false,
    },
  }
}

/** The pieces of a model that Python counts among the special tokens: those of control, and those of the user. */
export function specialPieces({ pieces }: PieceModel): string[] {
  return pieces.filter(({ kind }) => kind === 'control' || kind === 'user').map(({ text }) => text)
}

/**
 * In the order in which Python adds them: those with an id, the special tokens with a role, the others. Those with an
 * id are found in the normalized text unless the files name them as special.
 */
function addedTokens({ added, specials, extra, family, config }: PieceNaming): AddedToken[] {
  const roles = specialNames.flatMap(name => specials[name] ?? [])
  const named = [...specialNames.map(name => textOf(config[name])), ...extra]
  return [...new Set([...added, ...roles, ...extra])].map(token =>
    specialToken(0, token, {
      lstrip: family.maskTakesBlanks === true && token === specials.mask_token,
      normalized: added.includes(token) && !named.includes(token),
      special: roles.includes(token) || extra.includes(token),
    }),
  )
}

function checkModel({ algorithm, pieces }: PieceModel, path: string, name: string, specials: SpecialTokens): void {
  if (name === 'CamembertTokenizer' && algorithm === 'bpe')
    throw new TrainerError('file', `${path} is a model of byte-pair encoding; ${name} takes one of Unigram alone.`)
  if (name !== 'AlbertTokenizer') return
  const missing = (['cls_token', 'sep_token'] as const).find(
    role => specials[role] !== undefined && !pieces.some(({ text }) => text === specials[role]),
  )
  if (missing === undefined) return
  throw new TrainerError('file', `${path} has no piece ${specials[missing]}, the ${missing} of ${name}.`, {
    fix: `Name the right one as ${missing} in tokenizer_config.json.`,
  })
}

const isOn = (config: TokenizerConfig, name: string, missing: boolean): boolean =>
  name in config ? Boolean(config[name]) : missing

const scoresOf = ({ pieces }: PieceModel, start = 0): Entry[] =>
  pieces.slice(start).map(({ text, score }) => [text, score] as const)

const replace = (pattern: Readonly<Record<string, string>>, content: string): Part => {
  return { type: 'Replace', pattern, content }
}

const sequence = (normalizers: readonly Part[]): Part => ({ type: 'Sequence', normalizers })

const precompiled = ({ charsmap }: PieceModel): Part[] =>
  charsmap === undefined ? [] : [{ type: 'Precompiled', precompiled_charsmap: base64(charsmap) }]

const whiteSpace: Recipe['cuts'] = () => [{ type: 'WhitespaceSplit' }]

const albert: Recipe = {
  vocabulary: model => scoresOf(model),
  unknownId: () => 1,
  normalizer: (model, config) =>
    sequence([
      replace({ String: '``' }, '"'),
      replace({ String: "''" }, '"'),
      ...(isOn(config, 'keep_accents', false) ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }]),
      ...(isOn(config, 'do_lower_case', true) ? [{ type: 'Lowercase' }] : []),
      ...precompiled(model),
    ]),
  cuts: whiteSpace,
  unprefixed: 'never',
}

const debertaV2: Recipe = {
  vocabulary: model => scoresOf(model),
  unknownId: ({ unknownId }, vocabulary, { unk_token: unknown }) => {
    const place = vocabulary.findIndex(([token, score]) => token === unknown && score === 0)
    return place === -1 ? unknownId : place
  },
  // The file's own rules are dropped, as by the class in 5.24: a ligature is unknown then.
  normalizer: (_, config) =>
    sequence([
      ...(isOn(config, 'do_lower_case', false) ? [{ type: 'Lowercase' }] : []),
      replace({ Regex: '\\s{2,}|[\\n\\r\\t]' }, ' '),
      { type: 'NFC' },
      { type: 'Strip', strip_left: false, strip_right: true },
    ]),
  cuts: config => (isOn(config, 'split_by_punct', false) ? [{ type: 'Punctuation', behavior: 'Isolated' }] : []),
  unprefixed: 'first',
}

const xlmRoberta: Recipe = {
  vocabulary: (model, specials) => [
    ...[specials.bos_token, specials.pad_token, specials.eos_token, specials.unk_token].map(asEntry),
    ...scoresOf(model, 3),
    asEntry(specials.mask_token),
  ],
  unknownId: () => 3,
  normalizer: model => precompiled(model)[0] ?? null,
  cuts: whiteSpace,
  unprefixed: 'never',
}

const camembert: Recipe = {
  ...xlmRoberta,
  vocabulary: (model, specials) => [
    asEntry('<s>NOTUSED'),
    asEntry(specials.pad_token),
    asEntry('</s>NOTUSED'),
    asEntry(specials.unk_token),
    ['<unk>NOTUSED', -100],
    ...scoresOf(model, 1),
    asEntry(specials.mask_token),
  ],
  unknownId: (_, vocabulary, { unk_token: unknown }) =>
    Math.max(
      0,
      vocabulary.findIndex(([token]) => token === unknown),
    ),
}

/** A token that Python puts into the vocabulary itself; one that is null in the configuration is its `None` as text. */
function asEntry(token: string | undefined): Entry {
  return [token ?? 'None', 0]
}

const recipes: Readonly<Record<string, Recipe>> = {
  AlbertTokenizer: albert,
  DebertaV2Tokenizer: debertaV2,
  XLMRobertaTokenizer: xlmRoberta,
  CamembertTokenizer: camembert,
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += 0x8000)
    text += String.fromCharCode(...bytes.subarray(start, start + 0x8000))
  return btoa(text)
}
