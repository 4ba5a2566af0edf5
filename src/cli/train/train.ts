// `ts-trainer train`: from a table to a model
import { basename } from 'node:path'
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  type Dataset,
  type Metrics,
  type ModelCardOptions,
  type PreTrainedModel,
  Trainer,
  TrainerError,
  type TrainingArguments,
  wrapWords,
} from '../../index'
import { exitCodes } from '../exitCodes'
import type { Streams } from '../Streams'
import { type ChosenColumns, chooseColumns, counted } from './columns'
import { type Labels, readLabels } from './labels'
import { judgements } from './metrics'
import { balanceNote, modelNote, noteLines, runNote, shellWords, taskNote } from './notes'
import { leftOutNote, openEvaluated, openRows, type OpenedRows, textNames, usableRows } from './rows'
import { splitRows } from './split'
import { lengthOf, tokenized, tokenLimit } from './tokens'
import { readTrainWords, type TrainPlan } from './words'

/** `ts-trainer train`. @throws TrainerError that says what is wrong with the words, the rows or the model. */
export async function runTrain(words: readonly string[], streams: Streams): Promise<number> {
  const plan = readTrainWords(words)
  if (typeof plan === 'string') {
    streams.out(plan)
    return exitCodes.done
  }
  const rows = await readRows(plan)
  for (const note of rows.notes) streams.error(note)
  const args = plan.arguments(rows.labels.task, rows.validation !== undefined)
  const { trainer, notes } = await prepare(plan, rows, args)
  streams.error(noteLines([...rows.summary, ...notes], wrapWords))
  try {
    return await trainAndSave(trainer, plan, rows, words, streams)
  } finally {
    await trainer.dispose()
  }
}

/** Rows that are ready for a tokenizer, and what is to be said of them. */
interface ReadRows {
  readonly columns: ChosenColumns
  readonly labels: Labels
  readonly train: Dataset
  readonly validation: Dataset | undefined
  readonly leftOut: number
  /** Where they are from. */
  readonly info: Dataset['info']
  readonly notes: readonly string[]
  readonly summary: readonly (readonly [string, string | undefined])[]
}

async function readRows(plan: TrainPlan): Promise<ReadRows> {
  const { data, configuration, texts, labels: named, maxTrainSamples } = plan
  const opened = await openRows(data, configuration)
  const columns = chooseColumns(opened.train, { texts, labels: named }, data)
  const labels = readLabels(opened.train, columns.labels, plan.task)
  const usable = usableRows(opened.train, columns, labels, data)
  const { train, validation, how, note } = await validationOf(plan, opened, columns, labels, usable.rows)
  const some = maxTrainSamples === undefined ? train : train.select(firstNumbers(train.length, maxTrainSamples))
  const guessed = (why: string | undefined): string => (why === undefined ? '' : ` (guessed: ${why})`)
  return {
    ...{ columns, labels, train: some, validation, leftOut: usable.leftOut.length, info: opened.train.info },
    notes: [leftOutNote(usable.leftOut, data), note].filter(line => line !== undefined),
    summary: [
      ['text', columns.texts.join(' and ') + guessed(columns.why.texts)],
      ['label', columns.labels.join(', ') + guessed(columns.why.labels)],
      ['task', taskNote(labels)],
      ['rows', `${counted(some.length)} to train on, ${how}`],
      ['balance', balanceNote(some, labels)],
    ],
  }
}

function firstNumbers(rows: number, most: number): number[] {
  return Array.from({ length: Math.min(rows, most) }, (_, row) => row)
}

interface Validated {
  readonly train: Dataset
  readonly validation: Dataset | undefined
  readonly how: string
  readonly note?: string | undefined
}

async function validationOf(
  plan: TrainPlan,
  opened: OpenedRows,
  columns: ChosenColumns,
  labels: Labels,
  rows: Dataset,
): Promise<Validated> {
  const { validation: wanted, isValidationGiven } = plan
  if (wanted.kind === 'none') return { train: rows, validation: undefined, how: 'none to validate on' }
  const own = isValidationGiven ? undefined : opened.validation
  if (wanted.kind === 'file' || own !== undefined) {
    const { rows: other, place } =
      wanted.kind === 'file'
        ? await openEvaluated(wanted.path, undefined, undefined)
        : { rows: own!, place: `${opened.validationName} of ${plan.data}` }
    const missing = [...columns.texts, ...columns.labels].find(name => !other.columnNames.includes(name))
    if (missing !== undefined)
      throw new TrainerError('data', `${place} has no column '${missing}'; it has ${other.columnNames.join(', ')}.`)
    const usable = usableRows(other, columns, labels, place)
    const how = `${counted(usable.rows.length)} to validate on (${place})`
    return { train: rows, validation: usable.rows, how, note: leftOutNote(usable.leftOut, place) }
  }
  const seed = plan.arguments(labels.task, true).seed
  const parts = splitRows(rows, wanted.size, seed, labels)
  return { ...parts, how: `${counted(parts.validation.length)} to validate on (${parts.how})` }
}

async function prepare(
  plan: TrainPlan,
  { columns, labels, train, validation }: ReadRows,
  args: TrainingArguments,
): Promise<{ trainer: Trainer; notes: (readonly [string, string | undefined])[] }> {
  const tokenizer = await AutoTokenizer.fromPretrained(plan.model)
  const model = await loadModel(plan, labels, args.seed)
  const texts = textNames(columns)
  const limit = {
    most: lengthOf(undefined, tokenizer, model),
    given: plan.maxLength && lengthOf(plan.maxLength, tokenizer, model),
  }
  const { maxLength, fits } = tokenLimit(train, texts, tokenizer, limit)
  tokenizer.modelMaxLength = maxLength // saved with the model: what is predicted is cut as what was trained on
  const encoded = await tokenized(train, texts, tokenizer, maxLength)
  const trainer = new Trainer({
    ...{ model, args, processingClass: tokenizer, trainDataset: encoded },
    ...(validation !== undefined && { evalDataset: await tokenized(validation, texts, tokenizer, maxLength) }),
    ...(plan.classWeights !== undefined && { classWeights: plan.classWeights }),
    computeMetrics: judgements[labels.task].computeMetrics,
  })
  const notes = [
    ['model', modelNote(model, plan.model)],
    ['max length', `${maxLength} tokens, which ${(100 * fits).toFixed(1)} % of the texts do not exceed (--max_length)`],
    ['run', runNote(args, train.length)],
    ['output', args.outputDir],
  ] as const
  return { trainer, notes: [...notes] }
}

async function loadModel(plan: TrainPlan, { task, names }: Labels, seed: number): Promise<PreTrainedModel> {
  try {
    return await AutoModelForSequenceClassification.fromPretrained(plan.model, {
      ...(task === 'regression' ? { numLabels: 1 } : { id2label: names }),
      problemType: problemTypes[task],
      ignoreMismatchedSizes: plan.ignoreMismatchedSizes,
      seed,
    })
  } catch (cause) {
    if (!(cause instanceof TrainerError) || !cause.fix?.includes('ignoreMismatchedSizes')) throw cause
    throw new TrainerError(cause.code, cause.problem, {
      fix: `${plan.model} has a head of other classes: --ignore_mismatched_sizes gives it a new one.`,
      cause,
    })
  }
}

const problemTypes = {
  'text-classification': 'single_label_classification',
  regression: 'regression',
  'multi-label-classification': 'multi_label_classification',
} as const

async function trainAndSave(
  trainer: Trainer,
  plan: TrainPlan,
  rows: ReadRows,
  words: readonly string[],
  { out, error, interrupt }: Streams,
): Promise<number> {
  const {
    metrics: trained,
    interrupted,
    globalStep,
  } = await sayingWhereItGoesOn(trainer, plan, error).train({
    resumeFromCheckpoint: plan.resume,
    ...(interrupt !== undefined && { signal: interrupt }),
  })
  const { outputDir } = trainer.args
  if (interrupted) {
    error(`Stopped after ${counted(globalStep)} updates. This goes on where it stopped:\n  ${resumeCommand(words)}`)
    return exitCodes.interrupted
  }
  await trainer.saveModel()
  await trainer.saveMetrics('train', trained)
  await trainer.saveState()
  const evaluated = rows.validation === undefined ? {} : (evaluationOfBest(trainer) ?? (await trainer.evaluate()))
  if (rows.validation !== undefined) await trainer.saveMetrics('eval', evaluated)
  await trainer.createModelCard(cardOptions(plan.data, rows.info))
  out(JSON.stringify(resultOf(rows, outputDir, trained, evaluated)))
  const report = trainer.args.reportTo.some(name => name === 'html' || name === 'all')
  const shown = report ? ` ${outputDir}/report.html shows how it went.` : ''
  error(`The model is in ${outputDir}.${shown} Now it can predict:\n  ${predictCommand(plan, rows, outputDir)}`)
  return exitCodes.done
}

function sayingWhereItGoesOn(trainer: Trainer, { resume }: TrainPlan, error: Streams['error']): Trainer {
  if (resume === undefined || resume === false) return trainer
  trainer.addCallback({
    onTrainBegin({ outputDir }, { globalStep, maxSteps }) {
      const checkpoint = resume === true ? `${outputDir}/checkpoint-${globalStep}` : resume
      error(`Goes on from ${checkpoint}: ${counted(globalStep)} of ${counted(maxSteps)} updates are done.`)
    },
  })
  return trainer
}

/**
 * What the evaluation came to of the weights that the model has now, if the run has made one. As evaluate() does after
 * training, it has the epoch that the run has come to, which is also that of the training's figures beside it.
 */
function evaluationOfBest({ state, args }: Trainer): Metrics | undefined {
  const step = args.loadBestModelAtEnd ? state.bestGlobalStep : state.globalStep
  const logged = state.logHistory.findLast(entry => entry.step === step && 'eval_loss' in entry)
  if (logged === undefined) return undefined
  const { step: _, ...metrics } = logged
  return { ...metrics, epoch: state.epoch } as Metrics
}

function resultOf(rows: ReadRows, model: string, trained: Metrics, evaluated: Metrics): object {
  const { labels, columns, train, validation, leftOut } = rows
  return {
    ...{ model, task: labels.task, text: columns.texts, label: columns.labels, classes: labels.names },
    rows: { train: train.length, validation: validation?.length ?? 0, leftOut },
    ...{ ...trained, ...evaluated },
  }
}

/** What the model's card says of the data: its id on the Hub, or the name of its file. */
function cardOptions(data: string, { repository, configuration }: Dataset['info']): ModelCardOptions {
  if (repository === undefined) return { dataset: basename(data) }
  return { datasetTags: repository, ...(configuration !== undefined && { datasetArgs: configuration }) }
}

function predictCommand(plan: TrainPlan, { columns }: ReadRows, model: string): string {
  const texts = columns.texts.flatMap(name => ['--text', name])
  const file = /\.(csv|tsv|jsonl)$/.test(plan.data) ? plan.data : 'FILE' // of the user's own: the data is no one file to predict
  return `npx ts-trainer predict ${shellWords([model, file, ...texts])}`
}

/** The same words, resuming. */
function resumeCommand(words: readonly string[]): string {
  const before = words.filter((word, at) => {
    const isFlag = /^--resume[-_]?from[-_]?checkpoint\b/i.test(word)
    return !isFlag && !/^--resume[-_]?from[-_]?checkpoint$/i.test(words[at - 1] ?? '')
  })
  return `npx ts-trainer train ${shellWords(before)} --resume_from_checkpoint true`
}
