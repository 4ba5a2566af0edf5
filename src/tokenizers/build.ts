// a folder without tokenizer.json → the one that its tokenizer class makes of its vocabulary files
import { TrainerError } from '../errors'
import type { Family } from './families'
import { NoTokenizer } from './NoTokenizer'
import { pieceJson, specialPieces } from './fromPieces'
import { byteLevelJson, wordPieceJson } from './fromVocabulary'
import { parseJson } from './jsonPart'
import { readPieceModel, type PieceModel } from './pieceModel'
import { textOf, type SpecialTokens } from './specials'
import type { TextFiles } from './textFiles'
import type { TokenizerConfig, TokenizerJson } from './tokenizerJson'

/** The texts of the vocabulary files that a folder has. */
export interface VocabularyFiles {
  /** `vocab.txt` */
  readonly words?: string | undefined
  /** `vocab.json`, which counts with `merges.txt` only. */
  readonly ids?: string | undefined
  readonly merges?: string | undefined
}

export async function readVocabulary(folder: string, files: TextFiles): Promise<VocabularyFiles> {
  const words = await files.read(folder, 'vocab.txt')
  const ids = await files.read(folder, 'vocab.json')
  const merges = await files.read(folder, 'merges.txt')
  return { words, ...(ids !== undefined && merges !== undefined && { ids, merges }) }
}

/** What the files beside a vocabulary say of its tokens. */
export interface Naming {
  readonly family: Family
  readonly specials: SpecialTokens
  readonly config: TokenizerConfig
  /** The tokens that they add by id, in that order. */
  readonly added: readonly string[]
}

/** What a family makes of vocabulary files, and the configuration that Python would save with it. */
export interface Built {
  readonly json: TokenizerJson
  readonly config: TokenizerConfig
}

/** The tokenizer.json that the family makes of its vocabulary files; undefined without them. */
export async function buildJson(
  folder: string,
  files: TextFiles,
  { words, ids, merges }: VocabularyFiles,
  naming: Naming,
): Promise<Built | undefined> {
  const { family, specials, config } = naming
  const { kind, modelFile } = family
  if (kind === 'wordpiece' && words !== undefined)
    return { json: wordPieceJson(words, `${folder}/vocab.txt`, family, specials, config), config }
  if (kind === 'byte-level' && ids !== undefined && merges !== undefined) {
    const vocab = parseJson(ids, `${folder}/vocab.json`) as Record<string, number>
    return { json: byteLevelJson(vocab, merges, specials, config), config }
  }
  if (modelFile === undefined || !(await files.list(folder))?.includes(modelFile)) return undefined
  const path = `${folder}/${modelFile}`
  return fromPieces(readPieceModel(await files.readBytes(folder, modelFile), path), path, naming)
}

/** Python counts the pieces of control and of the user as further special tokens, unless the files name such. */
function fromPieces(model: PieceModel, path: string, naming: Naming): Built {
  const { additional_special_tokens: additional, extra_special_tokens: own, ...rest } = naming.config
  const written = [own, additional].find(tokens => Array.isArray(tokens) && tokens.length > 0) ?? own
  const extra = Array.isArray(written) ? written : specialPieces(model)
  const config = { ...rest, extra_special_tokens: isNamed(own) ? own : extra }
  const texts = extra.map(textOf).filter(text => text !== undefined)
  return { json: pieceJson(model, path, { ...naming, extra: texts }), config }
}

/** Whether further tokens are an object of names: those count beside the pieces. */
function isNamed(tokens: unknown): boolean {
  return typeof tokens === 'object' && tokens !== null && !Array.isArray(tokens)
}

function neededFiles({ kind, modelFile }: Family): string {
  if (kind === 'wordpiece') return 'tokenizer.json or vocab.txt'
  if (kind === 'byte-level') return 'tokenizer.json, or vocab.json with merges.txt'
  return modelFile === undefined ? 'tokenizer.json' : `tokenizer.json or ${modelFile}`
}

/** The error for a folder of which no tokenizer can be made. */
export async function noTokenizer(folder: string, files: TextFiles, family: Family): Promise<TrainerError> {
  const names = await files.list(folder)
  const there =
    names === undefined
      ? 'the folder does not exist'
      : `the folder has ${names.toSorted().slice(0, 20).join(', ') || 'no files'}`
  const needed = `${family.name} needs ${neededFiles(family)}`
  const line = `AutoTokenizer.from_pretrained('${folder}').save_pretrained('${folder}')`
  const model = names?.find(name => name.endsWith('.model'))
  if (model !== undefined) {
    const message = `${folder} has the SentencePiece model ${model}, but no tokenizer.json: ${needed}; ${there}.`
    const other =
      family.modelFile === undefined ? 'name its class as tokenizer_class' : `call the file ${family.modelFile}`
    return new TrainerError('file', message, { fix: `In Python, ${line} writes it; or ${other}.` })
  }
  return new NoTokenizer(
    `${folder} has no tokenizer: ${needed}; ${there}.`,
    'In Python, AutoTokenizer.from_pretrained(…).save_pretrained(folder) writes a tokenizer.json.',
  )
}
