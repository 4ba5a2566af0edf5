// rows of questions → texts, and where their answers stand in UTF-16 units, as JavaScript counts
import { TrainerError } from '../errors'
import { shown } from '../options'

/** What `answer_start` counts. */
export type AnswerStarts = 'codePoints' | 'utf16'

/** Questions as columns, as SQuAD's rows have them. */
export interface SquadColumns {
  readonly question: readonly string[]
  readonly context: readonly string[]
  /** Texts of the context and where they begin; empty lists for a question without an answer. */
  readonly answers?: readonly Answers[]
  readonly id?: readonly string[]
}

/** Answers of one question: several, where several people were asked. */
export interface Answers {
  readonly text: readonly string[]
  readonly answer_start: ArrayLike<number>
}

/** A question; where its first answer stands in the context, in UTF-16 units, as far as it has one. */
export interface SquadRow {
  /** What errors call it. */
  readonly name: string
  readonly question: string
  readonly context: string
  readonly span: { readonly start: number; readonly end: number } | undefined
}

/**
 * The rows of columns, checked.
 * @throws TrainerError (`data`) naming the question whose texts are none, or whose context does not have an answer where
 * it says; with the place where it is, if there is one.
 */
export function squadRows(columns: SquadColumns, starts: AnswerStarts): SquadRow[] {
  if (typeof columns.question === 'string' || typeof columns.context === 'string')
    throw new TrainerError('data', 'squadFeatures takes batches of rows, but was given one row.', {
      fix: 'Say dataset.map(…, { batched: true, removeColumns: dataset.columnNames }).',
    })
  for (const column of ['question', 'context'] as const)
    if (!Array.isArray(columns[column]))
      throw new TrainerError('data', `The rows have no column '${column}', which is a question's.`, {
        fix: `dataset.renameColumn(…, '${column}') names yours so.`,
      })
  const { question: questions, context: contexts, answers } = columns
  const ids = 'id' in columns ? columns.id : undefined
  return Array.from(contexts, (context, row) => {
    const name = ids === undefined ? `Row ${row} of the batch` : `The question ${shown(ids[row])}`
    const question = questions[row]
    for (const [column, text] of Object.entries({ question, context }))
      if (typeof text !== 'string')
        throw new TrainerError('data', `${name} has ${shown(text)} as its ${column}; a text was expected.`, {
          fix: `Leave such rows out: filter(row => typeof row.${column} === 'string').`,
        })
    const spans = answers === undefined ? [] : answerSpans(name, context, answers[row], starts)
    return { name, question: withoutLeadingBlanks(question!), context, span: spans[0] }
  })
}

/** As Python's `str.lstrip()`: U+FEFF is no blank to it, but separators of files and U+0085 are. */
function withoutLeadingBlanks(text: string): string {
  const isBlank = (sign: string): boolean => /[\s\u0085]/.test(sign) || (sign >= '\u001c' && sign <= '\u001f')
  const start = [...text].findIndex(sign => sign === '\ufeff' || !isBlank(sign))
  return start < 0 ? '' : text.slice(start) // blanks are one unit each
}

function answerSpans(
  name: string,
  context: string,
  answers: Answers | undefined,
  starts: AnswerStarts,
): { start: number; end: number }[] {
  const texts = answers?.text
  const begins = answers?.answer_start
  if (!Array.isArray(texts) || begins === undefined || begins === null || !(begins.length >= 0))
    throw new TrainerError('data', `${name} has ${shown(answers)} as its answers.`, {
      fix: 'Give { text: […], answer_start: […] }, with empty lists where there is no answer.',
    })
  return Array.from({ length: Math.max(texts.length, begins.length) }, (_, i) => {
    const text: unknown = texts[i]
    const begin = begins[i]
    const start = begin === undefined ? undefined : unitsBefore(context, Number(begin), starts)
    if (typeof text === 'string' && text !== '' && start !== undefined && context.startsWith(text, start))
      return { start, end: start + text.length }
    throw notThere(name, context, text, begin, starts)
  })
}

/** The UTF-16 units before a place of a text; undefined behind its end. */
function unitsBefore(text: string, place: number, counted: AnswerStarts): number | undefined {
  if (!Number.isInteger(place) || place < 0 || place > text.length) return undefined
  if (counted === 'utf16') return place
  let units = 0
  for (let count = 0; count < place; count++) {
    const code = text.codePointAt(units)
    if (code === undefined) return undefined
    units += code > 0xffff ? 2 : 1
  }
  return units
}

function notThere(name: string, context: string, text: unknown, begin: unknown, starts: AnswerStarts): TrainerError {
  const place = begin === undefined ? ', which is missing' : ` ${shown(begin)}`
  const problem = `${name}: the context does not have the answer ${JSON.stringify(text) ?? 'that is missing'} at answer_start${place}.`
  if (typeof text !== 'string' || text === '')
    return new TrainerError('data', problem, {
      fix: 'A question without an answer has empty lists: { text: [], answer_start: [] }.',
    })
  const first = context.indexOf(text)
  if (first < 0)
    return new TrainerError('data', problem, { fix: 'It does not have it at all: correct the row, or filter it out.' })
  if (context.includes(text, first + 1))
    return new TrainerError('data', problem, { fix: 'It has it in several places: say in which.' })
  const counted = starts === 'utf16' ? first : [...context.slice(0, first)].length
  const other = starts === 'utf16' ? 'codePoints' : 'utf16'
  const isOther = typeof begin === 'number' && unitsBefore(context, begin, other) === first
  return new TrainerError('data', problem, {
    fix:
      `It has it once, at ${counted}.` +
      (isOther ? ` Where answer_start counts ${unitNames[other]}, set answerStarts: '${other}'.` : ''),
  })
}

const unitNames: Readonly<Record<AnswerStarts, string>> = {
  codePoints: "Unicode's code points, as Python does",
  utf16: 'UTF-16 units, as JavaScript does',
}
