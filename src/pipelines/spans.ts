// logits of windows → answers, as Python's QuestionAnsweringPipeline finds them
import { highest, softmax } from '../probabilities'

/** An answer, and where it stands in the context: `context.slice(start, end)`. */
export interface Answer {
  readonly answer: string
  /** How sure the model is of it: of pieces of the same words the sum, which may exceed 1. */
  readonly score: number
  readonly start: number
  readonly end: number
}

/** A window of a context, as a tokenizer makes it. */
export interface AnswerWindow {
  /** Where each token stands in its text. */
  readonly offsets: readonly (readonly [number, number])[]
  /** The word of each token; null where it is of none. */
  readonly words: readonly (number | null)[]
  /** Whether each token is of the context. */
  readonly isContext: readonly boolean[]
  /** The tokens that stand for no answer, and count beside the context's. */
  readonly isNone: readonly boolean[]
}

/** What counts as an answer. */
export interface SpanOptions {
  readonly topK: number
  /** Tokens of the longest answer. */
  readonly maxAnswerLen: number
  /** Whether there may be none. */
  readonly handleImpossibleAnswer: boolean
  /** Whether answers begin and end where words do. */
  readonly alignToWords: boolean
}

/** What a model gives for a window: how likely each token begins and ends the answer. */
export interface SpanLogits {
  readonly starts: ArrayLike<number>
  readonly ends: ArrayLike<number>
}

/** The best answers in windows of one context, the best first. */
export function bestAnswers(
  context: string,
  windows: readonly AnswerWindow[],
  logits: readonly SpanLogits[],
  options: SpanOptions,
): Answer[] {
  const found = new Map<string, { answer: string; score: number; start: number; end: number }>()
  let none = Infinity
  for (const [at, window] of windows.entries()) {
    const starts = probabilities(window, logits[at]!.starts)
    const ends = probabilities(window, logits[at]!.ends)
    none = Math.min(none, starts[0]! * ends[0]!)
    starts[0] = ends[0] = 0 // what stands for no answer begins none
    for (const { first, last, score } of bestSpans(window, starts, ends, options)) {
      const [start, end] = stretchOf(window, first, last, options)
      const answer = context.slice(start, end)
      const known = found.get(answer.toLowerCase())
      if (known === undefined) found.set(answer.toLowerCase(), { answer, score, start, end })
      else known.score += score
    }
  }
  const answers: Answer[] = [...found.values()]
  if (options.handleImpossibleAnswer || answers.length === 0)
    answers.push({ answer: '', score: options.handleImpossibleAnswer ? none : 0, start: 0, end: 0 })
  return answers.sort((a, b) => b.score - a.score).slice(0, options.topK)
}

/** Probabilities of the tokens that count: the context's, and those that stand for no answer. */
function probabilities({ isContext, isNone }: AnswerWindow, logits: ArrayLike<number>): Float64Array {
  return softmax(Array.from(logits, (logit, token) => (isContext[token]! || isNone[token]! ? logit : -10000)))
}

interface Span {
  readonly first: number
  readonly last: number
  readonly score: number
}

/** The likeliest spans of a window. Some may be of the same words. */
function bestSpans(
  { isContext }: AnswerWindow,
  starts: Float64Array,
  ends: Float64Array,
  { topK, maxAnswerLen, alignToWords }: SpanOptions,
): Span[] {
  const spans: Span[] = []
  for (let first = 0; first < starts.length; first++) {
    if (!isContext[first]!) continue
    for (let last = first; last < Math.min(first + maxAnswerLen, ends.length); last++) {
      const score = starts[first]! * ends[last]!
      if (isContext[last]! && score > 0) spans.push({ first, last, score })
    }
  }
  const scores = spans.map(({ score }) => score)
  return highest(scores, alignToWords ? topK * 2 + 10 : topK).map(at => spans[at]!)
}

/** Where a span of tokens begins and ends in the context. */
function stretchOf(window: AnswerWindow, first: number, last: number, { alignToWords }: SpanOptions): [number, number] {
  const { offsets, words, isContext } = window
  const [start, end] = [words[first], words[last]]
  const areWords = typeof start === 'number' && typeof end === 'number'
  if (!alignToWords || !areWords) return [offsets[first]![0], offsets[last]![1]]
  const isOf = (word: number, token: number): boolean => isContext[token]! && words[token] === word
  const opening = offsets.findIndex((_, token) => isOf(start, token))
  const closing = offsets.findLastIndex((_, token) => isOf(end, token))
  return [offsets[opening]![0], offsets[closing]![1]]
}
