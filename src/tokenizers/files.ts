// folder → the files of a tokenizer, whichever of them it has
import { TrainerError } from '../errors'
import { completeJson } from './completeJson'
import { JsonPart } from './jsonPart'
import { familyOf, type Family } from './families'
import { byteLevelJson, withAttributes, wordPieceJson } from './fromVocabulary'
import { positionsOf } from './positions'
import { specialNames, type SpecialName, type SpecialTokens } from './specials'
import type { TokenizerConfig, TokenizerJson, WrittenJson } from './tokenizerJson'
import { vocabularyOf, type Vocabulary } from './vocabularies'

/** What reads and writes the text files of folders: the disk, or anything in its place. */
export interface TextFiles {
  /** The names in a folder; undefined when there is no such folder. */
  list(folder: string): Promise<readonly string[] | undefined>
  /** The text of a file; undefined when there is no such file. */
  read(folder: string, name: string): Promise<string | undefined>
  /** Writes texts as files of a folder, by name; the folder is made if need be. */
  write(folder: string, texts: Readonly<Record<string, string>>): Promise<void>
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
 * Reads the files of a tokenizer: `tokenizer.json`, or else `vocab.txt` (BERT's kin) or `vocab.json` with `merges.txt`
 * (RoBERTa's kin), of which a `tokenizer.json` is made; with `tokenizer_config.json`, `special_tokens_map.json`,
 * `added_tokens.json` and `config.json` if there are any.
 * @throws TrainerError naming what is missing or malformed, and what the folder has.
 */
export async function readTokenizerFiles(folder: string, files: TextFiles): Promise<TokenizerFiles> {
  const readJson = async (name: string): Promise<Record<string, unknown> | undefined> => {
    const text = await files.read(folder, name)
    return text === undefined ? undefined : parseJson(text, `${folder}/${name}`)
  }
  const config = (await readJson('tokenizer_config.json')) ?? {}
  checkConfig(new JsonPart(config, `${folder}/tokenizer_config.json`))
  const map = (await readJson('special_tokens_map.json')) ?? {}
  checkSpecialTokens(new JsonPart(map, `${folder}/special_tokens_map.json`))
  const model = (await readJson('config.json')) ?? {}
  const added = ((await readJson('added_tokens.json')) ?? {}) as Record<string, number>
  const written = (await readJson('tokenizer.json')) as WrittenJson | undefined
  const sources = written === undefined ? await readVocabulary(folder, files) : {}
  const family = familyOf(config['tokenizer_class'], model['model_type'], unnamedClass(written, sources))
  const specials = specialTokens(config, map, family)
  const built = buildJson(folder, sources, family, specials, config)
  const json: WrittenJson | undefined = written ?? (built && withAttributes(built, { ...map, ...config }))
  if (json === undefined) throw await noTokenizer(folder, files, family)
  const named = namedSpecials(config, map)
  const path = `${folder}/tokenizer.json`
  const vocabulary = checkedVocabulary(new JsonPart(json, path))
  const complete = completeJson(json, { family, config, specials, named, vocabulary, added })
  return { path, json: complete, vocabulary, config, family, specials, named, positions: positionsOf(model) }
}

/** The class of a folder whose files name none: the base class, as in Python, unless it is built from a vocabulary. */
function unnamedClass(written: WrittenJson | undefined, { ids, words }: VocabularyFiles): string {
  if (written !== undefined) return 'PreTrainedTokenizer'
  return ids !== undefined && words === undefined ? 'RobertaTokenizer' : 'BertTokenizer'
}

/** The texts of the vocabulary files that a folder has. */
interface VocabularyFiles {
  /** `vocab.txt` */
  readonly words?: string | undefined
  /** `vocab.json`, which counts with `merges.txt` only. */
  readonly ids?: string | undefined
  readonly merges?: string | undefined
}

async function readVocabulary(folder: string, files: TextFiles): Promise<VocabularyFiles> {
  const words = await files.read(folder, 'vocab.txt')
  const ids = await files.read(folder, 'vocab.json')
  const merges = await files.read(folder, 'merges.txt')
  return { words, ...(ids !== undefined && merges !== undefined && { ids, merges }) }
}

function specialTokens(config: TokenizerConfig, map: TokenizerConfig, family: Family): SpecialTokens {
  const specials: Partial<Record<SpecialName, string>> = {}
  for (const name of specialNames) {
    const token = textOf(config[name]) ?? textOf(map[name]) ?? (name in config ? undefined : family.specials[name])
    if (token !== undefined) specials[name] = token
  }
  return specials
}

/** The special tokens that the files name, first those with a role, then the others. */
function namedSpecials(config: TokenizerConfig, map: TokenizerConfig): string[] {
  const others = ['additional_special_tokens', 'extra_special_tokens'].flatMap(name =>
    Object.values((config[name] ?? map[name] ?? {}) as Record<string, unknown>),
  )
  return [...specialNames.map(name => config[name] ?? map[name]), ...others]
    .map(textOf)
    .filter((content): content is string => content !== undefined && content !== '')
}

/** A special token is written as text, or as an object with its text in `content`. */
function textOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token
  return typeof token === 'object' && token !== null && 'content' in token && typeof token.content === 'string'
    ? token.content
    : undefined
}

/** The tokenizer.json that the family makes of its vocabulary files; undefined without them. */
function buildJson(
  folder: string,
  { words, ids, merges }: VocabularyFiles,
  family: Family,
  specials: SpecialTokens,
  config: TokenizerConfig,
): TokenizerJson | undefined {
  if (family.kind === 'wordpiece' && words !== undefined)
    return wordPieceJson(words, `${folder}/vocab.txt`, specials, config)
  if (family.kind !== 'byte-level' || ids === undefined || merges === undefined) return undefined
  const vocab = parseJson(ids, `${folder}/vocab.json`) as Record<string, number>
  return byteLevelJson(vocab, merges, specials, config)
}

const neededFiles: Record<Family['kind'], string> = {
  wordpiece: 'tokenizer.json or vocab.txt',
  'byte-level': 'tokenizer.json, or vocab.json with merges.txt',
  other: 'tokenizer.json',
}

async function noTokenizer(folder: string, files: TextFiles, family: Family): Promise<TrainerError> {
  const names = await files.list(folder)
  const there =
    names === undefined
      ? 'the folder does not exist'
      : `the folder has ${names.toSorted().slice(0, 20).join(', ') || 'no files'}`
  const needed = `${family.name} needs ${neededFiles[family.kind]}`
  return new TrainerError('file', `${folder} has no tokenizer: ${needed}; ${there}.`, {
    fix: 'In Python, AutoTokenizer.from_pretrained(…).save_pretrained(folder) writes a tokenizer.json.',
  })
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

function parseJson(text: string, path: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new TrainerError('file', `${path} is not valid JSON: ${(error as Error).message}.`, { cause: error })
  }
  const part = new JsonPart(value, path)
  if (Array.isArray(value)) throw part.wrong('an object')
  return part.object()
}
