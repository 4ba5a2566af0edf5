// logits of windows → one answer for each question
import { TrainerError } from '../errors'
import { checkFlag, checkOptions, refuseArguments, shown } from '../options'
import { Tensor } from '../tensor'

/** What answers are made of. */
export interface AnswerSources {
  /**
   * Logits of where answers start and of where they end, [features, length] each: what `trainer.predict(features)` and
   * `computeMetrics` give.
   */
  readonly predictions: readonly (Tensor | readonly (readonly number[])[])[]
  /** The rows that were predicted, as `squadFeatures` makes them: their `example_id` and `offset_mapping` are read. */
  readonly features: Iterable<object>
  /** The questions, with their `id` and `context`. */
  readonly examples: Iterable<object>
}

/** Options of {@link answersOf}: those of Hugging Face's `run_qa.py`, in camelCase. */
export interface AnswerOptions {
  /** How many of the best starts and ends of each window are combined; 20 by default. */
  readonly nBestSize?: number
  /** Tokens of the longest answer; 30 by default. */
  readonly maxAnswerLength?: number
  /** Questions may have no answer, as in SQuAD v2; false by default. */
  readonly version2WithNegative?: boolean
  /** With it: a question has no answer where `null_score - score` is greater; 0 by default. */
  readonly nullScoreDiffThreshold?: number
}

/** An answer, as `loadMetric('squad')` and `loadMetric('squad_v2')` take it, and where it was found. */
export interface FoundAnswer {
  readonly id: string
  /** A piece of the context; empty where there is no answer. */
  readonly prediction_text: string
  /** `1 / (1 + exp(score - null_score))`: of no answer, against the best one; 1 where no answer was found. */
  readonly no_answer_probability: number
  /** Where the text begins and ends in the context, as `context.slice(start, end)` takes them; 0 and 0 for none. */
  readonly start: number
  readonly end: number
  /** Both logits of the best answer, added up, also where there was none that won; null where none was found at all. */
  readonly score: number | null
  /** Both logits of the first token, added up: the least of the question's windows. */
  readonly null_score: number
}

const known = ['nBestSize', 'maxAnswerLength', 'version2WithNegative', 'nullScoreDiffThreshold'] as const

/**
 * The answer to each question: of all windows of its context the piece whose first and last token have the highest
 * logits together, as `postprocess_qa_predictions` of Hugging Face's `run_qa.py` finds it. Where no piece is possible,
 * because the best tokens are all of the question or the padding, the answer is '' (there: the word "empty").
 * @returns an answer for each of the examples, in their order.
 * @throws TrainerError (`argument`) for options that it does not have; (`data`) for logits, features and examples that do
 * not belong together, for two examples with one id, and for logits that are NaN.
 * @example
 * const { predictions } = await trainer.predict(features)
 * const answers = answersOf({ predictions, features, examples }, { version2WithNegative: true })
 * loadMetric('squad_v2').compute({ predictions: answers, references: examples.toArray() })
 */
export function answersOf(
  { predictions, features, examples }: AnswerSources,
  options: AnswerOptions = {},
  ...extra: readonly never[]
): FoundAnswer[] {
  refuseArguments(extra, 'answersOf(), beside what it reads and its options,')
  const complete = completeOptions(options)
  const found = candidatesOf(examples as Iterable<Partial<Example>>)
  const [starts, ends] = logitsOf(predictions)
  let row = 0
  for (const feature of features as Iterable<Partial<Feature>>) {
    const { example_id: id, offset_mapping: offsets } = feature
    if (offsets === undefined || id === undefined) throw notFeature(feature, row)
    const candidates = found.get(id)
    if (candidates === undefined)
      throw new TrainerError(
        'data',
        `Feature ${row} is of the question ${shown(id)}, which is not among the examples.`,
        {
          fix: 'Give the examples that the features were made of.',
        },
      )
    if (row < starts.length) take(candidates, { row, starts: starts[row]!, ends: ends[row]!, offsets }, complete)
    row++
  }
  if (row !== starts.length)
    throw new TrainerError('data', `There are ${row} features, but logits of ${starts.length}.`, {
      fix: 'Give the features that were predicted, all of them and in the same order.',
    })
  return [...found].map(([id, candidates]) => answerOf(id, candidates, complete))
}

interface Example {
  readonly id: string
  readonly context: string
}

type Offsets = readonly (ArrayLike<number> | null)[]

interface Feature {
  readonly example_id: string
  readonly offset_mapping: Offsets
}

/** What is known of a question so far. */
interface Candidates {
  readonly context: string
  best: { readonly score: number; readonly start: number; readonly end: number } | undefined
  nullScore: number
}

interface Window {
  readonly row: number
  readonly starts: ArrayLike<number>
  readonly ends: ArrayLike<number>
  readonly offsets: Offsets
}

function completeOptions(options: AnswerOptions): Required<AnswerOptions> {
  checkOptions(options, known, 'answersOf()')
  const { nBestSize = 20, maxAnswerLength = 30, version2WithNegative = false, nullScoreDiffThreshold = 0 } = options
  checkFlag(version2WithNegative, 'version2WithNegative')
  for (const [name, value] of Object.entries({ nBestSize, maxAnswerLength }))
    if (!Number.isInteger(value) || value < 1)
      throw new TrainerError('argument', `${name} is ${shown(value)}; a whole number from 1 was expected.`)
  if (typeof nullScoreDiffThreshold !== 'number' || Number.isNaN(nullScoreDiffThreshold))
    throw new TrainerError('argument', `nullScoreDiffThreshold is ${shown(nullScoreDiffThreshold)}, not a number.`)
  if (options.nullScoreDiffThreshold !== undefined && !version2WithNegative)
    throw new TrainerError('argument', 'nullScoreDiffThreshold is given, but every question has an answer.', {
      fix: 'Set version2WithNegative: true, or leave it out.',
    })
  return { nBestSize, maxAnswerLength, version2WithNegative, nullScoreDiffThreshold }
}

function candidatesOf(examples: Iterable<Partial<Example>>): Map<string, Candidates> {
  const found = new Map<string, Candidates>()
  for (const { id, context } of examples) {
    if (id === undefined || id === null || typeof context !== 'string')
      throw new TrainerError(
        'data',
        `Example ${found.size} has no ${typeof context === 'string' ? 'id' : 'context'}.`,
        {
          fix: "Give the questions' rows, with their columns id and context.",
        },
      )
    if (found.has(id))
      throw new TrainerError('data', `Two of the examples have the id ${shown(id)}.`, {
        fix: 'Give each question an id of its own before squadFeatures makes windows of it.',
      })
    found.set(id, { context, best: undefined, nullScore: Infinity })
  }
  return found
}

function notFeature(feature: object, row: number): TrainerError {
  const missing = ['example_id', 'offset_mapping'].filter(name => !(name in feature)).join(' and no ')
  return new TrainerError('data', `Feature ${row} has no ${missing}.`, {
    fix: 'Make features with squadFeatures, of rows that have an id, and keep all of their columns.',
  })
}

/** The logits of starts and ends, row by row. */
function logitsOf(predictions: AnswerSources['predictions']): [ArrayLike<number>[], ArrayLike<number>[]] {
  const sides = (Array.isArray(predictions) ? predictions : []).map(rowsOf)
  const [starts, ends] = sides
  if (sides.length === 2 && starts !== undefined && ends !== undefined && starts.length === ends.length)
    return [starts, ends]
  throw new TrainerError('data', 'The predictions are not two lists of logits, [features, length] each.', {
    fix: 'Give what trainer.predict returns for a model that answers questions: its predictions.',
  })
}

function rowsOf(side: unknown): ArrayLike<number>[] | undefined {
  if (Array.isArray(side)) return side as ArrayLike<number>[]
  if (!(side instanceof Tensor) || side.dims.length !== 2) return undefined
  const [rows, length] = side.dims as [number, number]
  return Array.from({ length: rows }, (_, row) => side.data.subarray(row * length, (row + 1) * length) as Float32Array)
}

/** The best of a window's pieces, if it is better than those of the windows before. */
function take(candidates: Candidates, window: Window, { nBestSize, maxAnswerLength }: Required<AnswerOptions>): void {
  const { starts, ends, offsets } = window
  candidates.nullScore = Math.min(candidates.nullScore, starts[0]! + ends[0]!)
  const firsts = highest(window, starts, nBestSize)
  const lasts = highest(window, ends, nBestSize)
  for (const first of firsts) {
    const start = offsets[first]?.[0]
    if (start === undefined) continue
    for (const last of lasts) {
      const end = offsets[last]?.[1]
      if (end === undefined || last < first || last - first >= maxAnswerLength || start >= end) continue
      const score = starts[first]! + ends[last]!
      if (candidates.best === undefined || score > candidates.best.score) candidates.best = { score, start, end }
    }
  }
}

/** The tokens with the highest logits, the highest first. */
function highest({ row, offsets }: Window, logits: ArrayLike<number>, count: number): number[] {
  const tokens = Array.from({ length: logits.length }, (_, token) => token)
  const wrong = tokens.find(token => Number.isNaN(logits[token]!))
  if (wrong !== undefined)
    throw new TrainerError('data', `The logits of feature ${row} are NaN, first at token ${wrong}.`, {
      fix: 'A run that diverged gives such numbers: train with a lower rate.',
    })
  if (tokens.length < offsets.length)
    throw new TrainerError('data', `Feature ${row} has ${offsets.length} tokens, but ${tokens.length} logits.`, {
      fix: 'Give the features that were predicted, all of them and in the same order.',
    })
  return tokens.sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, count)
}

function answerOf(
  id: string,
  { context, best, nullScore }: Candidates,
  { version2WithNegative, nullScoreDiffThreshold }: Required<AnswerOptions>,
): FoundAnswer {
  if (nullScore === Infinity)
    throw new TrainerError('data', `The question ${shown(id)} has no features.`, {
      fix: 'Give the examples that the features were made of, and no others.',
    })
  const difference = nullScore - (best?.score ?? -Infinity)
  const isNone = best === undefined || (version2WithNegative && difference > nullScoreDiffThreshold)
  const { start, end } = isNone ? { start: 0, end: 0 } : best
  return {
    id,
    prediction_text: context.slice(start, end),
    no_answer_probability: 1 / (1 + Math.exp(-difference)),
    start,
    end,
    score: best?.score ?? null,
    null_score: nullScore,
  }
}
