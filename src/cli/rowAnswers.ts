// rows of a file → what a model answers for each
import {
  type EntityGroup,
  type EntityToken,
  type FilledMask,
  type LabelScore,
  nearest,
  type Pipelines,
  TrainerError,
  type WrittenRow,
} from '../index'
import { UsageError } from './flags'
import type { OpenedPipeline } from './modelFlags'
import type { RowAnswer } from './rowWriter'
import { counted, isMissing } from './train/columns'

/** What answers are asked for. */
export interface AnswerOptions {
  /** The columns of the texts; undefined where they are to be found. */
  readonly text: readonly string[] | undefined
  /** How many labels, words or answers are named; 'all' for every label. */
  readonly topK: number | 'all' | undefined
  readonly aggregation: 'none' | 'simple' | 'first' | 'average' | 'max' | undefined
}

/** So many rows without a text are told by their numbers. */
const mostNumbered = 10

/** The texts of a row. */
type Texts = readonly string[]

/** How rows of a task are answered. */
interface TaskAnswers {
  /** How many columns of texts it takes, and what they are called by default. */
  readonly least: number
  readonly most: number
  readonly usual: readonly string[]
  /** What its answers are called; undefined where that is the model's to say. */
  readonly names: readonly string[] | undefined
  answer(pipeline: Pipelines[keyof Pipelines], texts: readonly Texts[], options: AnswerOptions): Promise<RowAnswer[]>
}

const tasks: Partial<Readonly<Record<keyof Pipelines, TaskAnswers>>> = {
  'text-classification': {
    least: 1,
    most: 2,
    usual: ['text'],
    names: undefined,
    async answer(pipeline, texts, { topK = 1 }) {
      const classify = pipeline as Pipelines['text-classification']
      const items = texts.map(([text, pair]) => (pair === undefined ? text! : ([text!, pair] as const)))
      const found = await classify(items, { topK: topK === 'all' ? null : topK })
      return found.map(one => labelled(Array.isArray(one) ? (one as LabelScore[]) : [one as LabelScore]))
    },
  },
  'token-classification': {
    least: 1,
    most: 1,
    usual: ['text'],
    names: ['entities'],
    async answer(pipeline, texts, { aggregation = 'simple' }) {
      const find = pipeline as (
        texts: readonly string[],
        options: object,
      ) => Promise<readonly (EntityToken[] | EntityGroup[])[]>
      const found = await find(
        texts.map(([text]) => text!),
        { aggregationStrategy: aggregation },
      )
      return found.map(entities => ({ entities }))
    },
  },
  'question-answering': {
    least: 2,
    most: 2,
    usual: ['question', 'context'],
    names: ['answer', 'score', 'start', 'end'],
    async answer(pipeline, texts) {
      const find = pipeline as Pipelines['question-answering']
      const found = await find(
        texts.map(([question]) => question!),
        texts.map(([, context]) => context!),
      )
      return found.map(({ answer, score, start, end }) => ({ answer, score, start, end }))
    },
  },
  'fill-mask': {
    least: 1,
    most: 1,
    usual: ['text'],
    names: ['words'],
    async answer(pipeline, texts, { topK }) {
      const fill = pipeline as Pipelines['fill-mask']
      const count = typeof topK === 'number' ? { topK } : {}
      const found = (await fill(
        texts.map(([text]) => text!),
        count,
      )) as readonly FilledMask[][]
      return found.map(words => ({ words }))
    },
  },
}

/** The tasks whose models answer rows. */
export const rowTasks = Object.keys(tasks) as (keyof Pipelines)[]

/** label, score, label_2, score_2, … */
function labelled(found: readonly LabelScore[]): RowAnswer {
  return Object.fromEntries(
    found.flatMap(({ label, score }, at) => {
      const number = at === 0 ? '' : `_${at + 1}`
      return [
        [`label${number}`, label],
        [`score${number}`, score],
      ]
    }),
  )
}

/** Rows with their answers. */
export interface AnsweredRows {
  readonly rows: readonly WrittenRow[]
  readonly answers: readonly RowAnswer[]
  /** What is wrong with the row behind them. */
  readonly failure?: TrainerError
}

/** Answers rows of one stream; what their texts are called is found at the first one. */
export class RowAnswers {
  readonly #opened: OpenedPipeline
  readonly #task: TaskAnswers
  readonly #options: AnswerOptions
  readonly #say: (note: string) => void
  #columns: readonly string[] | undefined
  #noAnswer: RowAnswer | undefined
  #withoutText = 0
  #hasHeader = false
  readonly #firstWithoutText: number[] = []

  /**
   * @param say takes what a reader should know of the columns.
   * @throws UsageError for options that the task does not have.
   */
  constructor(opened: OpenedPipeline, options: AnswerOptions, say: (note: string) => void) {
    const { task } = opened
    this.#say = say
    this.#opened = opened
    this.#options = options
    this.#task = tasks[task]!
    const { least, most } = this.#task
    const count = options.text?.length
    if (count !== undefined && (count < least || count > most))
      throw new UsageError(
        `--text names ${count} column${count === 1 ? '' : 's'}; ${task} takes ${least === most ? least : `${least} or ${most}`}.`,
      )
    if (options.topK !== undefined && !['text-classification', 'fill-mask'].includes(task))
      throw new UsageError(`--top-k is for text-classification and fill-mask; this model is for ${task}.`)
    if (options.topK === 'all' && task === 'fill-mask')
      throw new UsageError('--top-k all is for labels; of words a number was expected.')
    if (options.aggregation !== undefined && task !== 'token-classification')
      throw new UsageError(`--aggregation is for token-classification; this model is for ${task}.`)
  }

  /**
   * What is answered of rows: nothing (nulls) of one that has no text, as `train` and `evaluate` leave it out; behind a
   * row with something else than a text the answers end.
   */
  async answer(rows: readonly WrittenRow[]): Promise<AnsweredRows> {
    this.#columns ??= this.#find(rows[0]!)
    const columns = this.#columns
    const wrong = rows.findIndex(({ cells }) => columns.some(name => isNoText(cells[name])))
    const right = wrong < 0 ? rows : rows.slice(0, wrong)
    const whole = right.filter(({ cells }) => !columns.some(name => isMissing(cells[name])))
    this.#count(right.filter(row => !whole.includes(row)))
    const texts = whole.map(({ cells }) => columns.map(name => cells[name] as string))
    const found = whole.length === 0 ? [] : await this.#task.answer(this.#opened.pipeline, texts, this.#options)
    const noAnswer = whole.length === right.length ? {} : (this.#noAnswer ??= await this.#emptyAnswer())
    const answerOf = new Map(whole.map((row, at) => [row, found[at]!] as const))
    const answers = right.map(row => answerOf.get(row) ?? noAnswer)
    return { rows: right, answers, ...(wrong >= 0 && { failure: noText(rows[wrong]!, columns) }) }
  }

  #count(without: readonly WrittenRow[]): void {
    this.#withoutText += without.length
    this.#hasHeader ||= without.some(({ json }) => json === undefined)
    const room = mostNumbered - this.#firstWithoutText.length
    this.#firstWithoutText.push(...without.slice(0, room).map(({ number }) => number))
  }

  /** "2 rows have no text and get no answer: 5, 9 (counted from 1)."; undefined where all have a text. */
  get withoutTextNote(): string | undefined {
    const count = this.#withoutText
    if (count === 0) return undefined
    const rows = count === 1 ? '1 row has no text and gets' : `${counted(count)} rows have no text and get`
    const more = count > mostNumbered ? ', …' : ''
    return `${rows} no answer: ${this.#firstWithoutText.map(counted).join(', ')}${more} (counted from 1${this.#hasHeader ? ', which is the line of names' : ''}).`
  }

  /** The names of answers, without values. */
  async #emptyAnswer(): Promise<RowAnswer> {
    const names =
      this.#task.names ?? Object.keys((await this.#task.answer(this.#opened.pipeline, [['a']], this.#options))[0]!)
    return Object.fromEntries(names.map(name => [name, null]))
  }

  #find({ cells, json }: WrittenRow): readonly string[] {
    const there = Object.keys(cells)
    const { usual } = this.#task
    const wanted = this.#options.text ?? (usual.every(name => there.includes(name)) ? usual : undefined)
    if (wanted === undefined) {
      if (there.length === 1 && usual.length === 1) {
        if (json === undefined)
          this.#say(`The text is the only column, '${there[0]}': the first line is read as the name of the column.`)
        return there
      }
      throw new UsageError(
        `Which column has the text? There is none named ${usual.join(' and ')}; there are ${there.join(', ')}.`,
        {
          fix: `Name it: ${usual.map(name => `--text ${name.toUpperCase()}`).join(' ')}.`,
        },
      )
    }
    const missing = wanted.find(name => !there.includes(name))
    if (missing === undefined) return wanted
    const near = nearest(missing, there)
    throw new UsageError(`There is no column '${missing}'; there are ${there.join(', ')}.`, {
      ...(near !== undefined && { fix: `Did you mean '${near}'?` }),
    })
  }
}

/** Whether a cell is neither a text nor empty. */
function isNoText(value: unknown): boolean {
  return typeof value !== 'string' && !isMissing(value)
}

function noText({ cells, number }: WrittenRow, columns: readonly string[]): TrainerError {
  const column = columns.find(name => isNoText(cells[name]))!
  const shown = JSON.stringify(cells[column], (_, inner: unknown) =>
    typeof inner === 'bigint' ? String(inner) : inner,
  )
  return new TrainerError('data', `Row ${number}: a text was expected in the column '${column}', but it is ${shown}.`, {
    fix: 'Mend that row, or leave it out.',
  })
}
