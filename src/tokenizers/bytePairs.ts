// byte-pair encoding: a word → the ids of its pieces, by the rules of the Rust library
import { byteTokens } from './characters'
import type { JsonPart } from './jsonPart'
import { smallestFirst } from './smallestFirst'
import type { Vocabulary, WordModel } from './vocabularies'

interface Merges {
  /** By pair of ids: the rank of the merge, and the id that it makes. */
  readonly ranks: ReadonlyMap<number, number>
  readonly results: readonly number[]
}

const pairOf = (first: number, second: number): number => first * 2 ** 26 + second

/**
 * The model BPE. It is written here because the library's merges texts where Rust's merges ids: there, characters that
 * the vocabulary lacks are dropped or become unknown before anything is merged, and `continuing_subword_prefix` counts.
 */
export function bytePairModel(part: JsonPart, { ids }: Vocabulary): WordModel {
  if ((part.at('dropout').value ?? 0) !== 0)
    throw part.at('dropout').unsupported('dropout of merges', String(part.at('dropout').value), 'cannot be repeated')
  const prefix = part.at('continuing_subword_prefix').text('')
  const merges = mergesOf(part.at('merges'), ids, prefix)
  const symbolsOf = symbolReader(part, ids, prefix)
  const ignoresMerges = part.at('ignore_merges').flag(false)
  return (word, spans) => {
    const whole = ignoresMerges ? ids.get(word) : undefined
    if (whole === undefined) return merged(symbolsOf(word, spans), merges, spans)
    spans?.push(0, word.length)
    return [whole]
  }
}

function mergesOf(part: JsonPart, ids: ReadonlyMap<string, number>, prefix: string): Merges {
  if (!Array.isArray(part.value)) throw part.wrong('a list of merges')
  const ranks = new Map<number, number>()
  const results = part.value.map((entry: unknown, rank) => {
    const halves = typeof entry === 'string' ? entry.split(' ') : entry
    if (!Array.isArray(halves) || halves.length !== 2) throw part.at(rank).wrong('two tokens')
    const [first, second] = halves as [string, string]
    const known = [first, second, first + String(second).slice(prefix.length)].map(token => ids.get(token))
    if (known.includes(undefined)) throw part.at(rank).wrong('two tokens that are in the vocabulary, as what they make')
    ranks.set(pairOf(known[0]!, known[1]!), rank)
    return known[2]!
  })
  return { ranks, results }
}

/** A function from a word to the ids of its characters; `spans` as in {@link WordModel}. */
function symbolReader(
  part: JsonPart,
  ids: ReadonlyMap<string, number>,
  prefix: string,
): (word: string, spans: number[] | undefined) => number[] {
  const suffix = part.at('end_of_word_suffix').text('')
  const fallsBack = part.at('byte_fallback').flag(false)
  const fuses = part.at('fuse_unk').flag(false)
  const unknownToken = part.at('unk_token')
  const unknown = unknownToken.isMissing ? undefined : ids.get(unknownToken.text())
  if (!unknownToken.isMissing && unknown === undefined) throw unknownToken.wrong('a token of the vocabulary')
  return (word, spans) => {
    const symbols: number[] = []
    const put = (id: number, from: number, to: number): void => {
      symbols.push(id)
      spans?.push(from, to)
    }
    // The span of an unknown symbol, which is put when the next known one, or the next unknown one, is met.
    let waiting: [number, number] | undefined
    let end = 0
    const characters = Array.from(word)
    for (const [index, character] of characters.entries()) {
      const start = end
      end += character.length
      const text = (index > 0 ? prefix : '') + character + (index === characters.length - 1 ? suffix : '')
      const id = ids.get(text)
      if (id !== undefined) {
        if (waiting) put(unknown!, ...waiting)
        waiting = undefined
        put(id, start, end)
        continue
      }
      const bytes = fallsBack ? byteTokens(text).map(token => ids.get(token)) : [undefined]
      if (!bytes.includes(undefined)) for (const byte of bytes as number[]) put(byte, start, end)
      else if (unknown !== undefined) {
        if (waiting && !fuses) put(unknown, ...waiting)
        waiting = [waiting && fuses ? waiting[0] : start, end]
      }
    }
    if (waiting) put(unknown!, ...waiting)
    return symbols
  }
}

/** The symbols after all merges: always the one of the lowest rank, the leftmost if there are several. */
function merged(symbols: number[], { ranks, results }: Merges, spans: number[] | undefined): number[] {
  if (symbols.length < 2) return symbols
  const next = Int32Array.from(symbols, (_, place) => place + 1)
  const previous = Int32Array.from(symbols, (_, place) => place - 1)
  const queue = smallestFirst()
  const rankAt = (place: number): number | undefined =>
    next[place]! < symbols.length ? ranks.get(pairOf(symbols[place]!, symbols[next[place]!]!)) : undefined
  const offer = (place: number): void => {
    const rank = place < 0 ? undefined : rankAt(place)
    if (rank !== undefined) queue.push(rank * 2 ** 28 + place)
  }
  for (let place = 0; place < symbols.length - 1; place++) offer(place)
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    const place = key % 2 ** 28
    const rank = Math.floor(key / 2 ** 28)
    if (symbols[place] === -1 || rankAt(place) !== rank) continue // one of the two has been merged since
    const right = next[place]!
    symbols[place] = results[rank]!
    symbols[right] = -1
    if (spans !== undefined) spans[2 * place + 1] = spans[2 * right + 1]!
    next[place] = next[right]!
    if (next[right]! < symbols.length) previous[next[right]!] = place
    offer(previous[place]!)
    offer(place)
  }
  if (spans !== undefined) keepWhere(spans, unit => symbols[unit >> 1] !== -1)
  return symbols.filter(id => id !== -1)
}

/** Leaves only those values in an array whose places pass. */
function keepWhere(values: number[], keeps: (place: number) => boolean): void {
  const kept = values.filter((_, place) => keeps(place))
  values.splice(0, values.length, ...kept)
}
