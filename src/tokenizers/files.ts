// folder → the files of a tokenizer, whichever of them it has
import { completeJson } from './completeJson'
import { JsonPart, parseJson } from './jsonPart'
import { familyOf, type Family } from './families'
import { buildJson, noTokenizer, readVocabulary, type VocabularyFiles } from './build'
import { withAttributes } from './fromVocabulary'
import { positionsOf } from './positions'
import { specialNames, textOf, type SpecialName, type SpecialTokens } from './specials'
import type { TextFiles } from './textFiles'
import type { AddedToken, TokenizerConfig, TokenizerJson, WrittenJson } from './tokenizerJson'
import { vocabularyOf, type Vocabulary } from './vocabularies'

/** Options of `AutoTokenizer.fromPretrained`. */
export interface LoadTokenizerOptions {
  /**
   * Whether a byte-level tokenizer puts a blank before a text that begins with none, which texts in words need:
   * Python's `add_prefix_space`. By default what the files say. A saved tokenizer keeps it.
   */
  readonly addPrefixSpace?: boolean | undefined
}

/** What a tokenizer is made of. */
export interface TokenizerFiles {
  /** Where the tokenizer.json lies, or would lie if there is none. */
  readonly path: string
  readonly json: TokenizerJson
  /** The model's own, without added tokens. */
  readonly vocabulary: Vocabulary
  readonly config: TokenizerConfig
  readonly family: Family
  readonly specials: SpecialTokens
  /** The special tokens that the files name, those without a role among them. */
  readonly named: readonly string[]
  /** How many tokens the model takes whose config.json lies beside; undefined if that does not say. */
  readonly positions: number | undefined
}

/**
 * Reads the files of a tokenizer: `tokenizer.json`, or else `vocab.txt` (BERT's kin), `vocab.json` with `merges.txt`
 * (RoBERTa's kin) or a SentencePiece model (ALBERT, XLM-RoBERTa, CamemBERT, DeBERTa-v2), of which one is made; with
 * `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json` and `config.json` if there are any.
 * @param options count before what the files say.
 * @throws TrainerError naming what is missing or malformed, and what the folder has.
 */
export async function readTokenizerFiles(
  folder: string,
  files: TextFiles,
  { addPrefixSpace }: LoadTokenizerOptions = {},
): Promise<TokenizerFiles> {
  const readJson = async (name: string): Promise<Record<string, unknown> | undefined> => {
    const text = await files.read(folder, name)
    return text === undefined ? undefined : parseJson(text, `${folder}/${name}`)
  }
  const prefix = addPrefixSpace === undefined ? {} : { add_prefix_space: addPrefixSpace }
  const ownConfig = { ...(await readJson('tokenizer_config.json')), ...prefix } as Record<string, unknown>
  checkConfig(new JsonPart(ownConfig, `${folder}/tokenizer_config.json`))
  const map = (await readJson('special_tokens_map.json')) ?? {}
  checkSpecialTokens(new JsonPart(map, `${folder}/special_tokens_map.json`))
  // As in Python: the map overrules the configuration, and neither it nor added_tokens.json is read beside added tokens
  // with their attributes.
  const isDescribed = 'added_tokens_decoder' in ownConfig
  const said = isDescribed ? ownConfig : { ...ownConfig, ...map }
  const added = ((!isDescribed && (await readJson('added_tokens.json'))) || {}) as Record<string, number>
  const model = (await readJson('config.json')) ?? {}
  const written = (await readJson('tokenizer.json')) as WrittenJson | undefined
  const sources = written === undefined ? await readVocabulary(folder, files) : {}
  const family = familyOf(ownConfig['tokenizer_class'], model['model_type'], unnamedClass(written, sources))
  const specials = specialTokens(said, family)
  const { additional_special_tokens } = ownConfig // those of the map do not count for what is built
  const naming = { family, specials, config: { ...said, additional_special_tokens }, added: addedOrder(said, added) }
  const built = written === undefined ? await buildJson(folder, files, sources, naming) : undefined
  const config = built?.config ?? said
  const json: WrittenJson | undefined = written ?? (built && withAttributes(built.json, config))
  if (json === undefined) throw await noTokenizer(folder, files, family)
  const named = namedSpecials(config)
  const path = `${folder}/tokenizer.json`
  const vocabulary = checkedVocabulary(new JsonPart(json, path))
  const complete = completeJson(json, { family, config, specials, named, vocabulary, added, addPrefixSpace })
  return { path, json: complete, vocabulary, config, family, specials, named, positions: positionsOf(model) }
}

/** The tokens that the configuration, or else `added_tokens.json`, adds by id, in the order of ids. */
function addedOrder(config: TokenizerConfig, added: Readonly<Record<string, number>>): string[] {
  const described = config['added_tokens_decoder'] as Readonly<Record<string, AddedToken>> | undefined
  const pairs = described
    ? Object.entries(described).map(([id, token]) => [token.content, Number(id)] as const)
    : Object.entries(added)
  return pairs.toSorted((one, other) => one[1] - other[1]).map(([content]) => content)
}

/** The class of a folder whose files name none: the base class, as in Python, unless it is built from a vocabulary. */
function unnamedClass(written: WrittenJson | undefined, { ids, words }: VocabularyFiles): string {
  if (written !== undefined) return 'PreTrainedTokenizer'
  return ids !== undefined && words === undefined ? 'RobertaTokenizer' : 'BertTokenizer'
}

function specialTokens(config: TokenizerConfig, family: Family): SpecialTokens {
  const specials: Partial<Record<SpecialName, string>> = {}
  for (const name of specialNames) {
    const token = textOf(config[name]) ?? (name in config ? undefined : family.specials[name])
    if (token !== undefined) specials[name] = token
  }
  return specials
}

/** The special tokens that the files name, first those with a role, then the others. */
function namedSpecials(config: TokenizerConfig): string[] {
  const others = ['additional_special_tokens', 'extra_special_tokens'].flatMap(name =>
    Object.values((config[name] ?? {}) as Record<string, unknown>),
  )
  return [...specialNames.map(name => config[name]), ...others]
    .map(textOf)
    .filter((content): content is string => content !== undefined && content !== '')
}

/** The vocabulary; the added tokens are checked with it, since they are read before the parts are made of the file. */
function checkedVocabulary(root: JsonPart): Vocabulary {
  const vocabulary = root.at('model').at('vocab')
  if (vocabulary.isMissing) throw vocabulary.wrong('the vocabulary that the tokenizers library writes')
  const added = root.at('added_tokens')
  if (!added.isMissing) for (const token of added.list()) checkAddedToken(token)
  return vocabularyOf(vocabulary)
}

function checkAddedToken(token: JsonPart): void {
  token.at('content').text()
  token.at('id').count()
  for (const name of ['single_word', 'lstrip', 'rstrip', 'normalized', 'special']) token.at(name).flag(false)
}

/** Checks a configuration's sides, limit, special tokens, and the tokens that it adds by id. */
function checkConfig(config: JsonPart): void {
  for (const name of ['padding_side', 'truncation_side']) config.at(name).oneOf(['left', 'right'], 'right')
  const limit = config.at('model_max_length')
  if (!limit.isMissing && typeof limit.value !== 'number') throw limit.wrong('a number')
  checkSpecialTokens(config)
  const added = config.at('added_tokens_decoder')
  if (!added.isMissing) for (const id of Object.keys(added.object())) added.at(id).at('content').text()
}

function checkSpecialTokens(config: JsonPart): void {
  for (const name of specialNames) {
    const token = config.at(name)
    if (!token.isMissing && textOf(token.value) === undefined) throw token.wrong('a text, or an object with content,')
  }
}
