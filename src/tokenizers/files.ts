// folder → the files of a tokenizer, whichever of them it has
import { access, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrainerError } from '../errors'
import { familyOf, type Family } from './families'
import { byteLevelJson, clsSepTemplate, wordPieceJson } from './json'

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

/** A `tokenizer.json`, as far as it is read here. */
export interface TokenizerJson {
  added_tokens: AddedToken[]
  normalizer: { readonly type: string; readonly [option: string]: unknown } | null
  pre_tokenizer: unknown
  post_processor: unknown
  decoder: unknown
  model: {
    readonly type?: string
    readonly vocab: Readonly<Record<string, number>> | readonly unknown[]
    readonly [option: string]: unknown
  }
  [part: string]: unknown
}

/** A `tokenizer_config.json`: names as Python spells them. */
export type TokenizerConfig = Record<string, unknown>

export const specialNames = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const
export type SpecialName = (typeof specialNames)[number]

/** What a tokenizer is made of. */
export interface TokenizerFiles {
  readonly json: TokenizerJson
  readonly config: TokenizerConfig
  readonly family: Family
  /** The text of each special token that the tokenizer has. */
  readonly specials: Readonly<Partial<Record<SpecialName, string>>>
}

/**
 * Reads the files of a tokenizer: `tokenizer.json`, or else `vocab.txt` (BERT's kin) or `vocab.json` with `merges.txt`
 * (RoBERTa's kin), of which the `tokenizer.json` is made; with `tokenizer_config.json`, `special_tokens_map.json`,
 * `added_tokens.json` and `config.json` where there are any.
 * @throws TrainerError naming what is missing or malformed, and what is there.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const [config, map, model] = (await Promise.all(
    ['tokenizer_config.json', 'special_tokens_map.json', 'config.json'].map(
      async name => (await readJson(join(folder, name))) ?? {},
    ),
  )) as [TokenizerConfig, TokenizerConfig, TokenizerConfig]
  const written = (await readJson(join(folder, 'tokenizer.json'))) as unknown as TokenizerJson | undefined
  const hasWords = await exists(join(folder, 'vocab.txt'))
  const hasMerges = (await exists(join(folder, 'vocab.json'))) && (await exists(join(folder, 'merges.txt')))
  const family = familyOf(
    config['tokenizer_class'],
    model['model_type'],
    written === undefined && hasMerges && !hasWords ? 'RobertaTokenizer' : 'BertTokenizer',
  )
  const specials: Partial<Record<SpecialName, string>> = {}
  for (const name of specialNames) {
    const token = textOf(config[name]) ?? textOf(map[name]) ?? (name in config ? undefined : family.specials[name])
    if (token !== undefined) specials[name] = token
  }
  const json =
    written ??
    withAttributes(await buildJson(folder, family, config, specials, { hasWords, hasMerges }), { ...map, ...config })
  checkJson(json, folder)
  completeJson(
    json,
    family,
    config,
    specials,
    ((await readJson(join(folder, 'added_tokens.json'))) ?? {}) as Record<string, number>,
  )
  return { json, config, family, specials }
}

async function buildJson(
  folder: string,
  family: Family,
  config: TokenizerConfig,
  specials: TokenizerFiles['specials'],
  has: { hasWords: boolean; hasMerges: boolean },
): Promise<TokenizerJson> {
  if (family.kind === 'wordpiece' && has.hasWords)
    return wordPieceJson(await readText(join(folder, 'vocab.txt')), specials, config)
  if (family.kind === 'byte-level' && has.hasMerges) {
    return byteLevelJson(
      (await readJson(join(folder, 'vocab.json'))) as Record<string, number>,
      await readText(join(folder, 'merges.txt')),
      specials,
      config,
    )
  }
  throw new TrainerError(
    'file',
    `There is no tokenizer in ${folder}: ${family.name} wants ${wantedFiles[family.kind]}; there ${await listing(folder)}.`,
    {
      fix: 'In Python, AutoTokenizer.from_pretrained(…).save_pretrained(folder) writes a tokenizer.json.',
    },
  )
}

/** The special tokens of a built tokenizer with the attributes (`lstrip`, …) that the files write out. */
function withAttributes(json: TokenizerJson, written: TokenizerConfig): TokenizerJson {
  const objects = specialNames
    .map(name => written[name])
    .filter((token): token is Partial<AddedToken> => typeof token === 'object' && token !== null)
  json.added_tokens = json.added_tokens.map(token => {
    const found = objects.find(object => object.content === token.content)
    return found === undefined ? token : { ...token, ...found, id: token.id, special: true }
  })
  return json
}

const wantedFiles: Record<Family['kind'], string> = {
  wordpiece: 'tokenizer.json or vocab.txt',
  'byte-level': 'tokenizer.json, or vocab.json with merges.txt',
  other: 'tokenizer.json',
}

/**
 * Fills in what Python's tokenizer class adds by itself: the normaliser's options, the template, special tokens that
 * are not marked as such.
 */
function completeJson(
  json: TokenizerJson,
  family: Family,
  config: TokenizerConfig,
  specials: TokenizerFiles['specials'],
  added: Record<string, number>,
): void {
  const ids = new Map(json.added_tokens.map(token => [token.content, token.id]))
  const vocab = Array.isArray(json.model.vocab) ? undefined : (json.model.vocab as Record<string, number>)
  const idOf = (token: string): number | undefined =>
    ids.get(token) ?? (vocab !== undefined && Object.hasOwn(vocab, token) ? vocab[token] : undefined)
  const add = (content: string, id: number | undefined, options: Partial<AddedToken>): void => {
    if (id === undefined || ids.has(content)) return
    ids.set(content, id)
    json.added_tokens.push({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
      ...options,
    })
  }
  for (const [id, token] of Object.entries((config['added_tokens_decoder'] ?? {}) as Record<string, AddedToken>))
    add(token.content, Number(id), token)
  for (const [content, id] of Object.entries(added))
    add(content, id, { special: Object.values(specials).includes(content) })
  for (const token of Object.values(specials)) add(token, idOf(token), {})
  if (family.kind !== 'wordpiece') return
  if (json.normalizer?.type === 'BertNormalizer') json.normalizer = withConfig(json.normalizer, config)
  json.post_processor ??= clsSepTemplate(specials, idOf)
}

/** The normaliser with the options that the tokenizer's configuration sets, which count more, as in Python. */
function withConfig(
  normalizer: NonNullable<TokenizerJson['normalizer']>,
  config: TokenizerConfig,
): NonNullable<TokenizerJson['normalizer']> {
  const options = {
    lowercase: config['do_lower_case'],
    handle_chinese_chars: config['tokenize_chinese_chars'],
    strip_accents: config['strip_accents'],
  }
  return { ...normalizer, ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) }
}

function checkJson(json: TokenizerJson, folder: string): void {
  if (typeof json.model !== 'object' || json.model === null || json.model.vocab === undefined) {
    throw new TrainerError(
      'file',
      `${join(folder, 'tokenizer.json')} has no model with a vocabulary: it is not a tokenizer of the tokenizers library.`,
    )
  }
  json.added_tokens ??= []
  for (const part of ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'] as const) json[part] ??= null
}

/** A special token is written as text, or as an object with its text in `content`. */
function textOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token
  return typeof token === 'object' && token !== null && 'content' in token && typeof token.content === 'string'
    ? token.content
    : undefined
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  if (!(await exists(path))) return undefined
  const text = await readText(path)
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    throw new TrainerError('file', `${path} is not valid JSON: ${(error as Error).message}.`, { cause: error })
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new TrainerError('file', `${path} could not be read: ${(error as Error).message}.`, { cause: error })
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function listing(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => undefined)
  if (names === undefined) return 'is no such folder'
  return names.length === 0 ? 'is nothing' : `are ${names.sort().slice(0, 20).join(', ')}`
}
