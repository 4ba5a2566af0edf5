// questions and contexts → the windows that a model reads, with the first and last token of the answer in each
import { TrainerError } from '../errors'
import { checkOptions, refuseArguments, shown } from '../options'
import { type AnswerStarts, type SquadColumns, type SquadRow, squadRows } from './squadRows'

/** The part of a tokenizer that cuts pairs of texts into windows, and says what each token is of. */
export interface WindowTokenizer {
  (questions: readonly string[], contexts: readonly string[], options: WindowOptions): Readonly<Record<string, unknown>>
  (question: string, context: string, options: WindowOptions): Readonly<Record<string, unknown>>
  readonly modelMaxLength: number
  readonly paddingSide: 'left' | 'right'
  readonly clsTokenId: number | undefined
  readonly bosTokenId: number | undefined
}

/** How {@link WindowTokenizer} is called. */
export interface WindowOptions {
  readonly truncation: 'only_second'
  readonly truncationSide: 'right'
  readonly maxLength: number
  readonly stride: number
  readonly returnOverflowingTokens: true
  readonly returnOffsetsMapping: true
  readonly returnSequenceIds: true
}

/** Options of {@link squadFeatures}. */
export interface SquadOptions {
  /** Tokens of a window, the question and special ones included; 384 by default, or what the model takes if that is less. */
  readonly maxLength?: number
  /** Tokens that a window has in common with the next one; a third of `maxLength` by default. */
  readonly stride?: number
  /** What `answer_start` counts: Unicode's code points, as SQuAD and Python (the default), or JavaScript's UTF-16 units. */
  readonly answerStarts?: AnswerStarts
}

/** Columns of windows: a row for each, in the order of the questions. */
export type SquadFeatures = {
  readonly input_ids: number[][]
  readonly token_type_ids?: number[][]
  readonly attention_mask?: number[][]
  /** The first and the last token of the answer; those of no answer are the first token. Only where rows have answers. */
  readonly start_positions?: number[]
  readonly end_positions?: number[]
  /** Where each of the context's tokens begins and ends in the context, in UTF-16 units; null for all other tokens. */
  readonly offset_mapping: Offsets[]
  /** The question's id, where rows have one. */
  readonly example_id?: string[]
}

type Offsets = (readonly [number, number] | null)[]

/** What a tokenizer makes of questions and contexts. */
interface Windows {
  readonly input_ids: number[][]
  readonly offset_mapping: (readonly [number, number])[][]
  readonly sequence_ids: (number | null)[][]
  readonly overflow_to_sample_mapping: number[]
}

const known = ['maxLength', 'stride', 'answerStarts'] as const

/**
 * What a model learns to answer questions from: each question with its context, cut into windows that overlap where both
 * are too long together. Windows and positions are those of Hugging Face's `run_qa.py`, but where its tokens are not just
 * the answer: there they are those that overlap it. A window that does not have the whole answer has none: both positions
 * are the first token. Of several answers the first counts. Blanks before a question are left out.
 *
 * For `map` with `batched: true`: rows become more, so name the dataset's own columns in `removeColumns`.
 * @param rows columns `question` and `context`; `answers` to train and to have a loss, `id` for {@link answersOf}.
 * @throws TrainerError (`argument`) for options that it does not have, a `stride` that leaves no room for the context, and
 * a tokenizer that pads on the left, where positions would change; (`data`) naming the question whose context does not
 * have its answer at `answer_start`, and saying where it has it.
 * @example
 * const features = await squad.map(rows => squadFeatures(rows, tokenizer, { maxLength: 384, stride: 128 }), {
 *   batched: true,
 *   removeColumns: squad.columnNames,
 * })
 */
export function squadFeatures(
  rows: object,
  tokenizer: WindowTokenizer,
  options: SquadOptions = {},
  ...extra: readonly never[]
): SquadFeatures {
  refuseArguments(extra, 'squadFeatures(), beside rows, tokenizer and options,')
  if (typeof tokenizer !== 'function')
    throw new TrainerError('argument', `squadFeatures() needs a tokenizer, but was given ${shown(tokenizer)}.`, {
      fix: 'In map, write rows => squadFeatures(rows, tokenizer).',
    })
  const { answerStarts, ...lengths } = completeOptions(options, tokenizer)
  const columns = rows as SquadColumns
  const questions = squadRows(columns, answerStarts)
  const {
    offset_mapping: all,
    sequence_ids: sequences,
    overflow_to_sample_mapping: samples,
    ...inputs
  } = windowsOf(questions, tokenizer, {
    ...lengths,
    truncation: 'only_second',
    truncationSide: 'right',
    returnOverflowingTokens: true,
    returnOffsetsMapping: true,
    returnSequenceIds: true,
  })
  const offsets = all.map((row, window) => row.map((one, token) => (sequences[window]![token] === 1 ? one : null)))
  const windows = offsets.map((own, window) => {
    const noAnswer = noAnswerOf(inputs.input_ids[window]!, tokenizer)
    return { offsets: own, sample: samples[window]!, noAnswer }
  })
  return {
    ...inputs,
    ...('answers' in columns && positionsOf(windows, questions)),
    offset_mapping: offsets,
    ...('id' in columns && { example_id: samples.map(sample => columns.id![sample]!) }),
  }
}

/** @throws TrainerError naming the question that leaves the context no room. */
function windowsOf(questions: readonly SquadRow[], tokenizer: WindowTokenizer, options: WindowOptions): Windows {
  try {
    return tokenizer(
      questions.map(({ question }) => question),
      questions.map(({ context }) => context),
      options,
    ) as unknown as Windows
  } catch (error) {
    for (const { name, question, context } of questions) {
      try {
        tokenizer(question, context, options)
      } catch (own) {
        if (!(own instanceof TrainerError)) throw own
        const fix = 'Set a larger maxLength or a smaller stride, or leave so long a question out.'
        throw new TrainerError(own.code, `${name}: ${own.problem}`, { fix, cause: own })
      }
    }
    throw error
  }
}

function completeOptions(options: SquadOptions, tokenizer: WindowTokenizer): Required<SquadOptions> {
  checkOptions(options, known, 'squadFeatures()')
  if (tokenizer.paddingSide === 'left')
    throw new TrainerError('argument', 'The tokenizer pads on the left, which would move the positions of answers.', {
      fix: "Set tokenizer.paddingSide = 'right'.",
    })
  const { maxLength = Math.min(384, tokenizer.modelMaxLength), answerStarts = 'codePoints' } = options
  const { stride = Math.floor(maxLength / 3) } = options
  if (!Number.isInteger(maxLength) || maxLength < 1)
    throw new TrainerError('argument', `maxLength is ${shown(maxLength)}; a whole number of tokens was expected.`)
  if (!Number.isInteger(stride) || stride < 0)
    throw new TrainerError('argument', `stride is ${shown(stride)}; a whole number of tokens was expected.`)
  if ((answerStarts as unknown) !== 'codePoints' && answerStarts !== 'utf16')
    throw new TrainerError('argument', `answerStarts is ${shown(answerStarts)}; 'codePoints' or 'utf16' was expected.`)
  return { maxLength, stride, answerStarts }
}

/** Where a window without an answer points: its first special token, as in `run_qa.py`. */
function noAnswerOf(ids: readonly number[], { clsTokenId, bosTokenId }: WindowTokenizer): number {
  const found = [clsTokenId, bosTokenId].map(id => (id === undefined ? -1 : ids.indexOf(id)))
  return found.find(token => token >= 0) ?? 0
}

interface Window {
  readonly offsets: Offsets
  readonly sample: number
  readonly noAnswer: number
}

/** The stretch of the context that a window's tokens are of. */
interface Stretch {
  readonly start: number
  readonly end: number
}

/** The first and the last token of each window's answer. */
function positionsOf(
  windows: readonly Window[],
  questions: readonly SquadRow[],
): { start_positions: number[]; end_positions: number[] } {
  const stretches = windows.map(({ offsets }) => stretchOf(offsets))
  const wholes = new Map<number, Stretch>()
  for (const [window, { sample }] of windows.entries())
    wholes.set(sample, joined(wholes.get(sample), stretches[window]))
  const found = windows.map((window, i) => {
    const { span } = questions[window.sample]!
    const stretch = stretches[i]
    const isWhole = span !== undefined && stretch !== undefined && hasWhole(stretch, span, wholes.get(window.sample)!)
    return (isWhole ? tokensOf(window.offsets, span) : undefined) ?? [window.noAnswer, window.noAnswer]
  })
  return { start_positions: found.map(([start]) => start!), end_positions: found.map(([, end]) => end!) }
}

function stretchOf(offsets: Offsets): Stretch | undefined {
  const own = offsets.filter(one => one !== null)
  return own.length === 0 ? undefined : { start: own[0]![0], end: own.at(-1)![1] }
}

function joined(a: Stretch | undefined, b: Stretch | undefined): Stretch {
  const given = [a, b].filter(one => one !== undefined)
  return { start: Math.min(...given.map(one => one.start)), end: Math.max(...given.map(one => one.end)) }
}

/**
 * Whether a window has all of an answer. What stands before the first token of all windows, or behind the last one, has
 * no tokens (blanks, marks that a normalizer removes): no window can have more of it.
 */
function hasWhole({ start, end }: Stretch, span: Stretch, whole: Stretch): boolean {
  return (start <= span.start || start === whole.start) && (end >= span.end || end === whole.end)
}

/**
 * Python's tokens where they are just the answer: the last that begins at or before it, and the first that ends at or
 * behind its end. Where several tokens share a character's offset, or a character has no token, these may stand the wrong
 * way round, or have a neighbour in them; then the tokens are those that overlap the answer.
 */
function tokensOf(offsets: Offsets, { start, end }: Stretch): [number, number] | undefined {
  const pythons = {
    first: offsets.findLastIndex(one => one !== null && one[0] <= start),
    last: offsets.findIndex(one => one !== null && one[1] >= end),
  }
  const isJust = offsets[pythons.first]?.[0] === start && offsets[pythons.last]?.[1] === end
  const overlapping = {
    first: offsets.findIndex(one => one !== null && one[1] > start),
    last: offsets.findLastIndex(one => one !== null && one[0] < end),
  }
  const { first, last } = isJust && pythons.first <= pythons.last ? pythons : overlapping
  return first >= 0 && first <= last ? [first, last] : undefined
}
