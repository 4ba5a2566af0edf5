// a SentencePiece model file → its pieces and settings. Source of the numbers:
// https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto
import { TrainerError } from '../errors'
import { asBytes, asNumber, asText, type Field, fields } from '../protobuf'

/** One piece of a SentencePiece model. */
export interface Piece {
  readonly text: string
  readonly score: number
  /** What it is: `normal`, `control` (`<s>`), `user` (taken whole wherever a text has it) or another kind. */
  readonly kind: 'normal' | 'control' | 'user' | 'other'
}

/** What of a SentencePiece model is read. */
export interface PieceModel {
  readonly pieces: readonly Piece[]
  readonly algorithm: 'unigram' | 'bpe' | 'word' | 'char'
  readonly unknownId: number
  /** The rules of normalization; undefined where there are none. */
  readonly charsmap: Uint8Array | undefined
}

const numbers = {
  model: { piece: 1, trainer: 2, normalizer: 3 },
  piece: { text: 1, score: 2, type: 3 },
  trainer: { modelType: 3, unknownId: 40 },
  normalizer: { charsmap: 2 },
} as const

const kinds: Readonly<Record<number, Piece['kind']>> = { 1: 'normal', 3: 'control', 4: 'user' }
const algorithms: Readonly<Record<number, PieceModel['algorithm']>> = { 1: 'unigram', 2: 'bpe', 3: 'word', 4: 'char' }

/** Reads a SentencePiece model. @throws TrainerError (`file`) that names the file for bytes that are none. */
export function readPieceModel(bytes: Uint8Array, path: string): PieceModel {
  const of = `SentencePiece model ${path}`
  if (bytes.length === 0 || bytes[0] !== firstByte) throw noModel(bytes, path)
  const pieces: Piece[] = []
  let rest: Pick<PieceModel, 'algorithm' | 'unknownId'> = { algorithm: 'unigram', unknownId: 0 }
  let charsmap: Uint8Array | undefined
  for (const field of fields(bytes, of)) {
    if (field.number === numbers.model.piece) pieces.push(readPiece(asBytes(field), of))
    else if (field.number === numbers.model.trainer) rest = readTrainer(asBytes(field), of)
    else if (field.number === numbers.model.normalizer) charsmap = readCharsmap(asBytes(field), of)
  }
  return { pieces, ...rest, charsmap }
}

/** A model begins with its first piece: field 1, of bytes. */
const firstByte = 0x0a

function noModel(bytes: Uint8Array, path: string): TrainerError {
  return new TrainerError(
    'file',
    `${path} (${bytes.length} bytes) is no SentencePiece model: it does not begin with a piece.`,
    {
      fix: 'Fetch the file again; where Git LFS keeps it, `git lfs pull` fetches the file itself.',
    },
  )
}

function readPiece(bytes: Uint8Array, of: string): Piece {
  let text = ''
  let score = 0
  let type = 1
  for (const field of fields(bytes, of)) {
    if (field.number === numbers.piece.text) text = asText(field)
    else if (field.number === numbers.piece.score) score = asNumber(field)
    else if (field.number === numbers.piece.type) type = asNumber(field)
  }
  return { text, score, kind: kinds[type] ?? 'other' }
}

function readTrainer(bytes: Uint8Array, of: string): Pick<PieceModel, 'algorithm' | 'unknownId'> {
  let algorithm: PieceModel['algorithm'] = 'unigram'
  let unknownId = 0
  for (const field of fields(bytes, of)) {
    if (field.number === numbers.trainer.modelType) algorithm = algorithmOf(field)
    else if (field.number === numbers.trainer.unknownId) unknownId = asNumber(field)
  }
  return { algorithm, unknownId }
}

function algorithmOf(field: Field): PieceModel['algorithm'] {
  const algorithm = algorithms[asNumber(field)]
  if (algorithm !== undefined) return algorithm
  throw new TrainerError('file', `The ${field.of} names the kind of model ${asNumber(field)}, which there is not.`)
}

function readCharsmap(bytes: Uint8Array, of: string): Uint8Array | undefined {
  for (const field of fields(bytes, of)) {
    if (field.number !== numbers.normalizer.charsmap) continue
    const map = asBytes(field)
    return map.length === 0 ? undefined : map
  }
  return undefined
}
