// the vocabulary of a model in a tokenizer.json, and what the model does with it
import type { JsonPart } from './jsonPart'

/** Ids by token, and the score of each id if the model has scores. */
export interface Vocabulary {
  readonly ids: ReadonlyMap<string, number>
  readonly scores?: readonly number[]
  /** The number of entries. */
  readonly size: number
}

/**
 * The ids of a word's pieces. `spans`, where it is given, receives where each piece begins and ends in the word, one after
 * the other: start, end, start, end, …
 */
export type WordModel = (word: string, spans?: number[]) => readonly number[]

/**
 * A vocabulary that is an object of ids, or (Unigram) a list of pairs of token and score.
 * @throws TrainerError (`file`) that names the first entry that is neither.
 */
export function vocabularyOf(part: JsonPart): Vocabulary {
  if (!Array.isArray(part.value)) return ofIds(part)
  const ids = new Map<string, number>()
  const scores = part.value.map((entry: unknown, id) => {
    const [token, score] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (typeof token !== 'string' || typeof score !== 'number') throw part.at(id).wrong('a token and its score')
    ids.set(token, id)
    return score
  })
  return { ids, scores, size: scores.length }
}

function ofIds(part: JsonPart): Vocabulary {
  const entries = Object.entries(part.object())
  for (const [token, id] of entries) if (!Number.isSafeInteger(id) || (id as number) < 0) part.at(token).count()
  return { ids: new Map(entries as [string, number][]), size: entries.length }
}
