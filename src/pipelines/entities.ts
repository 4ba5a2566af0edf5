// classes of tokens → entities, as Python's TokenClassificationPipeline groups them
import { highestOf } from '../probabilities'

/** How tokens become entities. */
export const aggregationStrategies = ['none', 'simple', 'first', 'average', 'max'] as const
export type AggregationStrategy = (typeof aggregationStrategies)[number]

/** A token with a class, or a word. */
export interface EntityToken {
  readonly entity: string
  readonly score: number
  /** The token's place among those that the model was given, special ones included. */
  readonly index: number
  /** The token as the vocabulary has it. */
  readonly word: string
  /** Where it stands in the text, which `text.slice(start, end)` gives. */
  readonly start: number
  readonly end: number
}

/** Neighbouring tokens or words of one kind. */
export interface EntityGroup {
  /** The class without `B-` or `I-`. */
  readonly entity_group: string
  readonly score: number
  /** The tokens put together, as the tokenizer writes them. */
  readonly word: string
  readonly start: number
  readonly end: number
}

/** A token before it is known what it belongs to. */
export interface ScoredToken {
  readonly index: number
  readonly word: string
  /** The probability of each class. */
  readonly scores: Float64Array
  readonly start: number
  readonly end: number
  /** Whether it goes on with the word of the token before. */
  readonly isSubword: boolean
}

/** What grouping needs beside the tokens. */
export interface Grouping {
  readonly labels: readonly string[]
  /** Puts tokens together. */
  join(words: readonly string[]): string
}

/** A part of a group. */
type Part = Omit<EntityToken, 'index'>

/** Each token with its likeliest class. */
export function tokenEntities(tokens: readonly ScoredToken[], { labels }: Grouping): EntityToken[] {
  return tokens.map(({ scores, index, word, start, end }) => {
    const best = highestOf(scores)
    return { entity: labels[best]!, score: scores[best]!, index, word, start, end }
  })
}

/** Tokens, or with a strategy of words their words, in groups of one kind. */
export function entityGroups(
  tokens: readonly ScoredToken[],
  strategy: Exclude<AggregationStrategy, 'none'>,
  grouping: Grouping,
): EntityGroup[] {
  const parts: readonly Part[] =
    strategy === 'simple'
      ? tokenEntities(tokens, grouping)
      : runsOf(tokens, token => token.isSubword).map(word => wordEntity(word, strategy, grouping))
  return runsOf(parts, continues).map(group => ({
    entity_group: group[0]!.entity.replace(/^[^-]*-/, ''),
    score: mean(group.map(({ score }) => score)),
    word: grouping.join(group.map(({ word }) => word)),
    start: group[0]!.start,
    end: group.at(-1)!.end,
  }))
}

/**
 * Of entities in overlapping windows of a text those that stay: of two that overlap the longer one, in code points as in
 * Python, or else the likelier.
 */
export function withoutOverlaps(entities: readonly EntityGroup[], text: string): EntityGroup[] {
  const lengthOf = ({ start, end }: EntityGroup): number => codePoints(text.slice(start, end))
  const kept: EntityGroup[] = []
  for (const entity of entities.toSorted((a, b) => a.start - b.start)) {
    const before = kept.at(-1)
    if (before === undefined || entity.start >= before.end || entity.start < before.start) {
      kept.push(entity)
      continue
    }
    const longer = lengthOf(entity) - lengthOf(before)
    if (longer > 0 || (longer === 0 && entity.score > before.score)) kept[kept.length - 1] = entity
  }
  return kept
}

/** Items, each with those behind it that go on with it. */
function runsOf<T>(items: readonly T[], goesOn: (item: T, before: T) => boolean): T[][] {
  const runs: T[][] = []
  for (const [at, item] of items.entries())
    if (at > 0 && goesOn(item, items[at - 1]!)) runs.at(-1)!.push(item)
    else runs.push([item])
  return runs
}

/** Whether a part is of the kind of the one before, and does not say that another begins. */
function continues(part: Part, before: Part): boolean {
  return !part.entity.startsWith('B-') && kindOf(part.entity) === kindOf(before.entity)
}

function kindOf(entity: string): string {
  return /^[BI]-/.test(entity) ? entity.slice(2) : entity
}

function wordEntity(
  tokens: readonly ScoredToken[],
  strategy: 'first' | 'average' | 'max',
  { labels, join }: Grouping,
): Part {
  const scores = wordScores(tokens, strategy)
  const best = highestOf(scores)
  return {
    entity: labels[best]!,
    score: scores[best]!,
    word: join(tokens.map(({ word }) => word)),
    start: tokens[0]!.start,
    end: tokens.at(-1)!.end,
  }
}

function wordScores(tokens: readonly ScoredToken[], strategy: 'first' | 'average' | 'max'): Float64Array {
  if (strategy === 'first') return tokens[0]!.scores
  if (strategy === 'max') return tokens[highestOf(tokens.map(({ scores }) => Math.max(...scores)))]!.scores
  return tokens[0]!.scores.map((_, label) => mean(tokens.map(({ scores }) => scores[label]!)))
}

/** How many code points a text has. */
export function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
