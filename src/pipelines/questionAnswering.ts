import { TrainerError } from '../errors'
import { checkFlag, shown, withDefaults } from '../options'
import type { Tensor } from '../tensor'
import type { BatchEncoding } from '../tokenizers/encoding'
import type { PipelineMembers } from './PipelineMembers'
import type { Encoded, Items, PipelineTask, TaskContext } from './PipelineTask'
import { checkCount, rowOf } from './reading'
import { type Answer, type AnswerWindow, bestAnswers, type SpanOptions } from './spans'

/** Options of a {@link QuestionAnsweringPipeline}. */
export interface QuestionAnsweringOptions {
  /** How many answers are given, the likeliest first; there may be fewer. Default 1. */
  readonly topK?: number
  /**
   * Tokens of a window, the question and special ones included. Default 384, or what the model takes if that is less.
   */
  readonly maxSeqLen?: number
  /** Tokens that a window has in common with the next one. Default half of `maxSeqLen`, at most 128. */
  readonly docStride?: number
  /** Tokens of the longest answer. Default 15. */
  readonly maxAnswerLen?: number
  /** Whether the answer may be '', for none. Default false. */
  readonly handleImpossibleAnswer?: boolean
  /** Whether answers begin and end where words do, for languages with blanks. Default true. */
  readonly alignToWords?: boolean
}

type One = { readonly topK?: 1 }

/** Answers to questions, each from its context; for several questions one context may do. */
export interface QuestionAnsweringPipeline extends PipelineMembers {
  (question: string, context: string, options?: QuestionAnsweringOptions & One): Promise<Answer>
  (question: string, context: string, options: QuestionAnsweringOptions): Promise<Answer | Answer[]>
  (
    questions: readonly string[],
    contexts: string | readonly string[],
    options?: QuestionAnsweringOptions & One,
  ): Promise<Answer[]>
  (
    questions: readonly string[],
    contexts: string | readonly string[],
    options: QuestionAnsweringOptions,
  ): Promise<Answer[] | Answer[][]>
}

interface Options extends SpanOptions {
  readonly maxSeqLen: number
  readonly docStride: number
}

interface Item {
  readonly question: string
  readonly context: string
}

/** A question with the windows of its context. */
interface Windows extends Encoded {
  readonly context: string
  readonly windows: readonly AnswerWindow[]
}

/** Question answering as Python's pipeline of that name did it in transformers 4. */
export function questionAnswering(context: TaskContext): PipelineTask<Item, Options, Windows, Answer[]> {
  return {
    head: 'question-answering',
    judges: 'all',
    arity: 2,
    read: ([questions, contexts]) => readQuestions(context.where, questions, contexts),
    options: given => completeOptions(context, given),
    encode: (item, options, name) => encodeWindows(context, item, options, name),
    decode({ context: text, windows }, predictions, options) {
      const logits = predictions.map(prediction => {
        const { start_logits: starts, end_logits: ends } = prediction as Record<string, Tensor<'float32'>>
        return { starts: starts!.data, ends: ends!.data }
      })
      return bestAnswers(text, windows, logits, options)
    },
    collect(answers, isList, { topK }) {
      const given = topK === 1 ? answers.map(([best]) => best!) : answers
      return isList ? given : given[0]
    },
  }
}

function completeOptions({ where, maxLength }: TaskContext, given: object | undefined): Options {
  const defaults = {
    topK: 1,
    maxSeqLen: Math.min(384, maxLength),
    docStride: undefined as number | undefined,
    maxAnswerLen: 15,
    handleImpossibleAnswer: false,
    alignToWords: true,
  }
  const options = withDefaults(given, defaults, where)
  const { maxSeqLen, docStride = Math.min(Math.floor(maxSeqLen / 2), 128) } = options
  for (const name of ['topK', 'maxSeqLen', 'maxAnswerLen'] as const) checkCount(options[name], name)
  for (const name of ['handleImpossibleAnswer', 'alignToWords'] as const) checkFlag(options[name], name)
  if (maxSeqLen > maxLength)
    throw new TrainerError('argument', `maxSeqLen is ${maxSeqLen}, but tokenizer and model take ${maxLength} tokens.`)
  if (!Number.isInteger(docStride) || docStride < 0 || docStride >= maxSeqLen)
    throw new TrainerError(
      'argument',
      `docStride is ${shown(docStride)}; it has to be less than maxSeqLen, ${maxSeqLen}.`,
    )
  return { ...options, docStride }
}

function readQuestions(where: string, questions: unknown, contexts: unknown): Items<Item> {
  const isList = Array.isArray(questions)
  const asked = (isList ? questions : [questions]) as unknown[]
  if (Array.isArray(contexts) && (!isList || contexts.length !== asked.length)) {
    const given = `${contexts.length} contexts for ${isList ? `${asked.length} questions` : 'one question'}`
    throw new TrainerError('data', `${where} was given ${given}.`, {
      fix: 'Give a context for each question, or one text for all.',
    })
  }
  const items = asked.map((question, at) => {
    const context: unknown = Array.isArray(contexts) ? contexts[at] : contexts
    for (const [kind, text] of Object.entries({ question, context }))
      if (typeof text !== 'string' || text === '') throw noText(where, kind, isList ? ` ${at}` : '', text)
    return { question, context } as Item
  })
  return { items, isList }
}

function noText(where: string, kind: string, place: string, given: unknown): TrainerError {
  const found = given === '' ? 'is empty' : `is ${shown(given)}`
  return new TrainerError(
    'data',
    `${where} takes a question and a context, both texts, but ${kind}${place} ${found}.`,
    {
      fix: `Write await answer(question, context), and leave out what has no ${kind}.`,
    },
  )
}

/** @throws TrainerError naming the question that leaves the context no room. */
function encodeWindows({ tokenizer }: TaskContext, item: Item, options: Options, name: string): Windows {
  const { question, context } = item
  if (tokenizer.paddingSide === 'left')
    throw new TrainerError('argument', 'The tokenizer pads on the left, and such models read the context first.', {
      fix: "Set tokenizer.paddingSide = 'right' for a model that reads the question first.",
    })
  const encoding = windowsOf(
    () =>
      tokenizer(question, context, {
        truncation: 'only_second',
        truncationSide: 'right',
        maxLength: options.maxSeqLen,
        stride: options.docStride,
        returnOverflowingTokens: true,
        returnOffsetsMapping: true,
        returnSequenceIds: true,
        returnWordIds: true,
      }),
    name,
  )
  const { clsTokenId } = tokenizer
  return {
    context,
    rows: encoding.input_ids.map((ids, window) =>
      rowOf({ input_ids: ids, token_type_ids: encoding.token_type_ids?.[window] } as Parameters<typeof rowOf>[0], name),
    ),
    windows: encoding.input_ids.map((ids, window) => ({
      offsets: encoding.offset_mapping![window]!,
      words: encoding.word_ids![window]!,
      isContext: encoding.sequence_ids![window]!.map(sequence => sequence === 1),
      isNone: ids.map(id => id === clsTokenId),
    })),
  }
}

function windowsOf(encode: () => BatchEncoding, name: string): BatchEncoding {
  try {
    return encode()
  } catch (error) {
    if (!(error instanceof TrainerError)) throw error
    throw new TrainerError(error.code, `${name}: ${error.problem}`, {
      fix: 'Set a smaller docStride (stride) or a larger maxSeqLen (maxLength), or shorten the question.',
      cause: error,
    })
  }
}
