// the Unigram model: a word → the ids of its most likely pieces, by the rules of the Rust library
import { TrainerError } from '../errors'
import { byteTokens } from './characters'
import type { JsonPart } from './jsonPart'
import type { Vocabulary, WordModel } from './vocabularies'

/** How much less likely an unknown character is than the least likely piece. */
const unknownPenalty = 10

interface Pieces {
  /** The id of every piece; -1 for what only begins pieces. */
  readonly idsOfPrefixes: ReadonlyMap<string, number>
  readonly scores: readonly number[]
  readonly unknownScore: number
  readonly unknown: number | undefined
}

/**
 * The model Unigram. It is written here because the library breaks ties between paths in another order, and gives the
 * unknown token's own text the score of what is unknown.
 */
export function unigramModel(part: JsonPart, { ids, scores }: Vocabulary): WordModel {
  if (scores === undefined) throw part.at('vocab').wrong('a list of pairs of token and score')
  const unknown = part.at('unk_id').isMissing ? undefined : part.at('unk_id').count()
  if (unknown !== undefined && unknown >= scores.length) throw part.at('unk_id').wrong('an id of the vocabulary')
  const fallsBack = part.at('byte_fallback').flag(false)
  const unknownScore = scores.reduce((least, score) => Math.min(least, score), Infinity) - unknownPenalty
  const pieces: Pieces = { idsOfPrefixes: withPrefixes(ids), scores, unknownScore, unknown }
  const idsOf = (piece: string): readonly number[] => {
    const id = ids.get(piece)
    if (id !== undefined) return [id]
    const bytes = fallsBack ? byteTokens(piece).map(token => ids.get(token)) : [undefined]
    return bytes.includes(undefined) ? [knownUnknown(unknown, piece, part)] : (bytes as number[])
  }
  return (word, spans) => {
    const found = bestPieces(word, pieces, part)
    if (spans === undefined) return found.flatMap(idsOf)
    let end = 0
    return found.flatMap(piece => {
      const start = end
      end += piece.length
      const ids = idsOf(piece)
      for (let count = 0; count < ids.length; count++) spans.push(start, end)
      return ids
    })
  }
}

function withPrefixes(ids: ReadonlyMap<string, number>): Map<string, number> {
  const found = new Map(ids)
  for (const token of ids.keys())
    for (let end = token.length - 1; end > 0; end--) {
      const prefix = token.slice(0, end)
      if (found.has(prefix)) break // and so has it all shorter ones, or will have them
      found.set(prefix, -1)
    }
  return found
}

/** The pieces of the best path, neighbouring unknown characters as one; of equal paths, the one that is found first. */
function bestPieces(word: string, pieces: Pieces, part: JsonPart): string[] {
  const { scores, unknown } = pieces
  const best = new Float64Array(word.length + 1)
  const starts = new Int32Array(word.length + 1).fill(-1)
  const chosen = new Int32Array(word.length + 1)
  for (let start = 0; start < word.length;) {
    const single = word.codePointAt(start)! > 0xffff ? 2 : 1
    let isKnown = false
    const offer = (end: number, id: number, score: number): void => {
      if (starts[end] !== -1 && score <= best[end]!) return
      best[end] = score
      starts[end] = start
      chosen[end] = id
    }
    for (let end = start + 1; end <= word.length; end++) {
      const id = pieces.idsOfPrefixes.get(word.slice(start, end))
      if (id === undefined) break
      if (id === -1) continue
      offer(end, id, scores[id]! + best[start]!)
      isKnown ||= end === start + single
    }
    if (!isKnown) {
      const end = start + single
      offer(end, knownUnknown(unknown, word.slice(start, end), part), pieces.unknownScore + best[start]!)
    }
    start += single
  }
  return path(word, starts, chosen, unknown)
}

function path(word: string, starts: Int32Array, chosen: Int32Array, unknown: number | undefined): string[] {
  const found: string[] = []
  let wasUnknown = false
  for (let end = word.length; end > 0; end = starts[end]!) {
    const piece = word.slice(starts[end], end)
    const isUnknown = chosen[end] === unknown
    if (isUnknown && wasUnknown) found.push(piece + found.pop()!)
    else found.push(piece)
    wasUnknown = isUnknown
  }
  return found.reverse()
}

function knownUnknown(unknown: number | undefined, text: string, part: JsonPart): number {
  if (unknown !== undefined) return unknown
  throw new TrainerError(
    'file',
    `${part.file}: ${part.at('unk_id').field} is missing, and a text has ${JSON.stringify(text)}, which is not known.`,
    { fix: 'Name the id of the unknown token there, or leave such texts out.' },
  )
}
