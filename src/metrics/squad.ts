// answers to questions against those that annotators gave: SQuAD's official scripts
import { TrainerError } from '../errors'
import { shown } from '../options'
import { gather, type GatheringMetric, type GivenRows } from './gather'
import { checkForms, type Form } from './options'
import { answerWords, isExact, sharedWords } from './squadText'

/** A model's answer; empty where it says that there is none. */
export interface AnswerPrediction {
  readonly id: string
  readonly prediction_text: string
  /** squad_v2: how sure it is that there is no answer: a probability, or any number that is greater the surer it is. */
  readonly no_answer_probability?: number
}

/** A question's answers, as SQuAD's rows have them; other columns do not count. */
export interface AnswerReference {
  readonly id: string
  readonly answers: { readonly text: readonly string[] }
}

/** The rows of `loadMetric('squad')` and `loadMetric('squad_v2')`; they belong together by their ids. */
export interface AnswerRows {
  readonly predictions: readonly AnswerPrediction[]
  readonly references: readonly AnswerReference[]
}

/** Options of `loadMetric('squad_v2')`. */
export interface NoAnswerOptions {
  /** From what `no_answer_probability` on (above it) a question counts as answered by ''; 1 by default. */
  readonly noAnswerThreshold?: number | undefined
}

/** Both in percent. */
export type SquadScores = {
  readonly exact_match: number
  readonly f1: number
}

/** In percent; those of questions with and without an answer only where there are such questions. */
export type SquadV2Scores = {
  readonly exact: number
  readonly f1: number
  readonly total: number
  readonly HasAns_exact?: number
  readonly HasAns_f1?: number
  readonly HasAns_total?: number
  readonly NoAns_exact?: number
  readonly NoAns_f1?: number
  readonly NoAns_total?: number
  readonly best_exact: number
  readonly best_exact_thresh: number
  readonly best_f1: number
  readonly best_f1_thresh: number
}

/** Exact match and F1 over all questions, each by its best answer. */
export function squadMetric(): GatheringMetric<SquadScores> {
  const name = 'squad'
  return gather<AnswerRows, SquadScores>({
    name,
    options: [],
    checkOptions: () => {},
    read: rows => readRows(name, rows, false),
    compute(batches) {
      const questions = pair(name, batches)
      const unanswerable = questions.find(({ answers }) => answers.length === 0)
      if (unanswerable !== undefined)
        throw new TrainerError('data', `${name}: the question "${unanswerable.id}" has no answer to compare with.`, {
          fix: "Of questions without an answer, loadMetric('squad_v2') takes account.",
        })
      const percent = (score: (answer: string, other: string) => number): number =>
        (100 * total(questions.map(({ text, answers }) => best(text, answers, score)))) / questions.length
      return { exact_match: percent((a, b) => Number(isExact(a, b))), f1: percent(sharedWords) }
    },
  })
}

const forms: Readonly<Record<string, Form>> = {
  noAnswerThreshold: { expects: 'a number', holds: value => typeof value === 'number' && !Number.isNaN(value) },
}

/** Exact match and F1 where some questions have no answer, also with the threshold that would have been best. */
export function squadV2Metric(): GatheringMetric<SquadV2Scores> {
  const name = 'squad_v2'
  return gather<AnswerRows, SquadV2Scores>({
    name,
    options: Object.keys(forms),
    checkOptions: given => checkForms(name, given, forms),
    read: rows => readRows(name, rows, true),
    compute: (batches, { noAnswerThreshold = 1 }: NoAnswerOptions) =>
      scoresWithout(pair(name, batches), noAnswerThreshold),
  })
}

interface Question {
  readonly id: string
  readonly text: string
  readonly answers: readonly string[]
  readonly noAnswer: number
}

interface Scored extends Question {
  readonly exact: number
  readonly f1: number
}

function scoresWithout(questions: readonly Question[], threshold: number): SquadV2Scores {
  const raw = questions.map(question => {
    const { text, answers } = question
    // a question whose answers are articles and punctuation is rightly answered by nothing
    const counted = answers.filter(answer => answerWords(answer).length > 0)
    const compared = counted.length > 0 ? counted : ['']
    return {
      ...question,
      exact: best(text, compared, (a, b) => Number(isExact(a, b))),
      f1: best(text, compared, sharedOrBothEmpty),
    }
  })
  const judged = raw.map(question => {
    if (!(question.noAnswer > threshold)) return question
    const right = Number(question.answers.length === 0)
    return { ...question, exact: right, f1: right }
  })
  const answerable = judged.filter(({ answers }) => answers.length > 0)
  const others = judged.filter(({ answers }) => answers.length === 0)
  const [exact, f1] = [bestThreshold(raw, 'exact'), bestThreshold(raw, 'f1')]
  return {
    ...(means(judged, '') as Pick<SquadV2Scores, 'exact' | 'f1' | 'total'>),
    ...(answerable.length > 0 && means(answerable, 'HasAns_')),
    ...(others.length > 0 && means(others, 'NoAns_')),
    best_exact: exact.score,
    best_exact_thresh: exact.threshold,
    best_f1: f1.score,
    best_f1_thresh: f1.threshold,
  }
}

function means(questions: readonly Scored[], prefix: string): Record<string, number> {
  const percent = (of: 'exact' | 'f1'): number => (100 * total(questions.map(one => one[of]))) / questions.length
  return {
    [`${prefix}exact`]: percent('exact'),
    [`${prefix}f1`]: percent('f1'),
    [`${prefix}total`]: questions.length,
  }
}

/** From the surest answer on, answers are taken one by one; where their score is best is the threshold. */
function bestThreshold(questions: readonly Scored[], of: 'exact' | 'f1'): { score: number; threshold: number } {
  let score = questions.filter(({ answers }) => answers.length === 0).length
  const top = { score, threshold: 0 }
  for (const question of [...questions].sort((a, b) => a.noAnswer - b.noAnswer)) {
    if (question.answers.length > 0) score += question[of]
    else if (question.text !== '') score -= 1
    if (score > top.score) Object.assign(top, { score, threshold: question.noAnswer })
  }
  return { score: (100 * top.score) / questions.length, threshold: top.threshold }
}

/** Words that both have; two empty answers agree. */
function sharedOrBothEmpty(answer: string, other: string): number {
  const lengths = [answerWords(answer).length, answerWords(other).length]
  return lengths.includes(0) ? Number(lengths[0] === lengths[1]) : sharedWords(answer, other)
}

function best(text: string, answers: readonly string[], score: (answer: string, other: string) => number): number {
  return Math.max(...answers.map(answer => score(text, answer)))
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

/** @throws TrainerError for a side that is no list of questions, naming the row that is none. */
function readRows(name: string, given: GivenRows, needsProbability: boolean): AnswerRows | undefined {
  for (const side of ['predictions', 'references'] as const) {
    const rows = given[side]
    if (!Array.isArray(rows))
      throw new TrainerError('argument', `${name}: the ${side} should be a list of objects, not ${shown(rows)}.`, {
        fix: 'Give predictions as { id, prediction_text }, and references as { id, answers: { text: […] } }.',
      })
    for (const [row, one] of (rows as unknown[]).entries())
      checkRow(`${name}: row ${row} of the ${side}`, one, side, needsProbability)
  }
  const rows = given as AnswerRows
  return rows.predictions.length + rows.references.length > 0 ? rows : undefined
}

function checkRow(where: string, given: unknown, side: keyof AnswerRows, needsProbability: boolean): void {
  const row = (given ?? {}) as Partial<AnswerPrediction & AnswerReference>
  const problem = (what: string, fix: string): TrainerError =>
    new TrainerError('data', `${where} has ${what}.`, { fix })
  if (typeof row.id !== 'string') throw problem('no id', 'Give each question its id as a text.')
  if (side === 'references') {
    const texts: unknown = row.answers?.text
    if (Array.isArray(texts) && texts.every(text => typeof text === 'string')) return
    throw problem('no answers.text, a list of texts', 'Give { id, answers: { text: […] } }, as a row of SQuAD.')
  }
  if (typeof row.prediction_text !== 'string')
    throw problem('no prediction_text', "Give { id, prediction_text }; '' says that there is no answer.")
  if (!needsProbability || typeof row.no_answer_probability === 'number') {
    if (!Number.isNaN(row.no_answer_probability)) return
    throw problem('NaN as no_answer_probability', 'Check the logits: a run that diverged gives such numbers.')
  }
  throw problem(
    'no no_answer_probability',
    'Give a number, greater the surer there is no answer; 0 where none is known.',
  )
}

/** Questions with their answers, in the order of the references. @throws TrainerError naming an id that is missing or twice there. */
function pair(name: string, batches: readonly AnswerRows[]): Question[] {
  const predictions = byId(
    name,
    'predictions',
    batches.flatMap(batch => batch.predictions),
  )
  const references = byId(
    name,
    'references',
    batches.flatMap(batch => batch.references),
  )
  const [unanswered] = [...references.keys()].filter(id => !predictions.has(id))
  if (unanswered !== undefined)
    throw new TrainerError('data', `${name}: there is no prediction for the question "${unanswered}".`, {
      fix: "Predict each question's answer, '' where the model finds none.",
    })
  const [unknown] = [...predictions.keys()].filter(id => !references.has(id))
  if (unknown !== undefined)
    throw new TrainerError(
      'data',
      `${name}: there is a prediction for "${unknown}", which is not among the references.`,
      {
        fix: 'Give both the same questions.',
      },
    )
  return [...references].map(([id, { answers }]) => {
    const { prediction_text: text, no_answer_probability: noAnswer = 0 } = predictions.get(id)!
    return { id, text, answers: answers.text, noAnswer }
  })
}

function byId<Row extends { readonly id: string }>(name: string, side: string, rows: readonly Row[]): Map<string, Row> {
  const found = new Map<string, Row>()
  for (const row of rows) {
    if (found.has(row.id))
      throw new TrainerError('data', `${name}: the ${side} have the question "${row.id}" twice.`, {
        fix: 'Give each question once, with all of its answers; of several windows only the best answer.',
      })
    found.set(row.id, row)
  }
  return found
}
