// the words after `train` → what to do
import { basename } from 'node:path'
import {
  type ExtraFlag,
  nearest,
  type ParsedArguments,
  parseTrainingArguments,
  type TrainingArguments,
  type TrainingArgumentsOptions,
} from '../../index'
import { readTextFile } from '../files'
import { readingWords, shownWord, UsageError } from '../flags'
import { type RowTask, rowTasks } from './labels'
import { judgements } from './metrics'
import { readValidation, type Validation } from './split'

const usage = `Usage: npx ts-trainer train FILE [--text COLUMN] [--label COLUMN] [ARGUMENTS]

Fine-tunes a model on the rows of a table: texts, and for each a class, several classes, or a number. Columns that are not named are guessed, and said. The results go to standard output as JSON, everything else to standard error.

  npx ts-trainer train reviews.csv
  npx ts-trainer train reviews.csv --text review --label stars --output_dir out
  npx ts-trainer train nyu-mll/glue --configuration mrpc --num_train_epochs 4
  npx ts-trainer train --config run.yaml`

const flags = {
  data: {
    type: 'text',
    help: 'CSV, TSV, JSON Lines, JSON or parquet; a folder; an id of the Hub. The first word is it too.',
  },
  configuration: { type: 'text', help: 'The configuration of a dataset that has several (mrpc of nyu-mll/glue).' },
  text: { type: 'texts', help: 'The column of the texts; twice for pairs of texts. By default the longest texts.' },
  label: {
    type: 'texts',
    help: 'The column of the label; several times for columns of 0 and 1. By default the column with few values.',
  },
  task: { type: 'text', help: `What is learned: ${rowTasks.join(', ')}. By default what the label column holds.` },
  model: {
    type: 'text',
    default: 'sentence-transformers/all-MiniLM-L6-v2',
    help: 'A folder, or an id of the Hub.',
  },
  validation: {
    type: 'text',
    help: 'Rows to evaluate on: a file, a share, a number of rows, or none. By default those of the data, else 0.2.',
  },
  maxLength: { type: 'number', help: 'Tokens of a row; longer texts are cut. By default what 95 % of the texts need.' },
  maxTrainSamples: { type: 'number', help: 'Train on so many of the rows only.' },
  classWeights: { type: 'text', help: "'balanced': rows of rare classes weigh more." },
  ignoreMismatchedSizes: { type: 'flag', default: false, help: 'A head of another size starts anew.' },
  resumeFromCheckpoint: { type: 'text', help: "A checkpoint's folder, or true for the newest of output_dir." },
} as const satisfies Record<string, ExtraFlag>

/** What is to be trained. */
export interface TrainPlan {
  readonly data: string
  readonly configuration: string | undefined
  readonly texts: readonly string[] | undefined
  readonly labels: readonly string[] | undefined
  readonly task: RowTask | undefined
  readonly model: string
  readonly validation: Validation
  /** Whether that is what the command line says. */
  readonly isValidationGiven: boolean
  readonly maxLength: number | undefined
  readonly maxTrainSamples: number | undefined
  readonly classWeights: 'balanced' | undefined
  readonly ignoreMismatchedSizes: boolean
  readonly resume: string | boolean | undefined
  /** The training arguments, where the task is this one and there are rows to validate on or not. */
  arguments(task: RowTask, validates: boolean): TrainingArguments
}

/**
 * Reads the words; a text is the help that was asked for.
 * @throws UsageError for a word that is wrong.
 */
export function readTrainWords(words: readonly string[]): TrainPlan | string {
  const parsed = readingWords(() => parse(words, 'data', 'text-classification', true))
  if (parsed.help !== undefined) return parsed.help
  const { extra, rest } = parsed
  const data = extra.data ?? rest[0]
  if (data === undefined)
    throw new UsageError('train needs a file of rows.', {
      fix: 'Write npx ts-trainer train reviews.csv; npx ts-trainer train --help says more.',
    })
  const tooMuch = extra.data === undefined ? rest[1] : rest[0]
  if (tooMuch !== undefined)
    throw new UsageError(`train does not take '${shownWord(tooMuch)}' after '${shownWord(data)}': it reads one file.`, {
      fix: 'A folder can hold several. Columns are named with --text and --label.',
    })
  checkNumbers(extra)
  const task = taskOf(extra.task)
  if (task === undefined) checkBest(parsed.args, rowTasks)
  else checkBest(readingWords(() => parse(words, 'data', task, true)).args, [task])
  const { classWeights } = extra
  if (classWeights !== undefined && classWeights !== 'balanced')
    throw new UsageError(`--class_weights should be balanced, but is '${classWeights}'.`)
  const { resumeFromCheckpoint: from } = extra
  return {
    ...{ data, configuration: extra.configuration, texts: extra.text, labels: extra.label, task },
    ...{ model: extra.model, maxLength: extra.maxLength, maxTrainSamples: extra.maxTrainSamples, classWeights },
    validation: readValidation(extra.validation),
    isValidationGiven: extra.validation !== undefined,
    ignoreMismatchedSizes: extra.ignoreMismatchedSizes,
    resume: from === 'true' ? true : from === 'false' ? undefined : from,
    arguments: (found, validates) => {
      const { args } = readingWords(() => parse(words, extra.configuration ?? data, found, validates))
      checkBest(args, [found])
      return args
    },
  }
}

type Parsed = ParsedArguments<typeof flags>

/**
 * Parses with defaults that keep the best model, if only what was asked for agrees with that: strategies of evaluating
 * and saving do not go with one another as one likes.
 */
function parse(words: readonly string[], data: string, task: RowTask, validates: boolean): Parsed {
  let first: unknown
  for (const keeping of validates ? keepingTheBest(task) : [{ saveStrategy: 'epoch' } as const]) {
    try {
      return parseTrainingArguments(words, {
        usage,
        extra: flags,
        defaults: { ...plainDefaults, outputDir: `out/${basename(data).replace(/\.\w+(\.gz)?$/, '')}`, ...keeping },
        readText: readTextFile,
      })
    } catch (error) {
      first ??= error
    }
  }
  throw first
}

function keepingTheBest(task: RowTask): TrainingArgumentsOptions[] {
  const best = { loadBestModelAtEnd: true, metricForBestModel: judgements[task].best, evalStrategy: 'epoch' } as const
  return [
    { ...best, saveStrategy: 'epoch' },
    { ...best, saveStrategy: 'best' },
    { evalStrategy: 'epoch', saveStrategy: 'epoch' },
  ]
}

/** Those that need no knowledge of the rows; the help shows them. */
const plainDefaults = {
  perDeviceTrainBatchSize: 16,
  perDeviceEvalBatchSize: 32,
  learningRate: 5e-5,
  weightDecay: 0.01,
  warmupSteps: 0.1,
  loggingSteps: 0.02,
  saveTotalLimit: 1,
  reportTo: 'html',
} satisfies TrainingArgumentsOptions

function checkNumbers(extra: {
  readonly maxLength: number | undefined
  readonly maxTrainSamples: number | undefined
}): void {
  for (const [flag, number] of [
    ['max_length', extra.maxLength],
    ['max_train_samples', extra.maxTrainSamples],
  ] as const)
    if (number !== undefined && !(Number.isInteger(number) && number > 0))
      throw new UsageError(`--${flag} should be a whole number above 0, but is ${number}.`)
}

/** What every evaluation has besides the metrics of its task. */
const ofAll = ['loss', 'runtime', 'samples_per_second', 'steps_per_second']

/** @throws UsageError for a metric that no evaluation of these tasks has: a run would find that after its first one. */
function checkBest({ metricForBestModel: wanted }: TrainingArguments, tasks: readonly RowTask[]): void {
  const metrics = [...new Set(tasks.flatMap(task => judgements[task].metrics))]
  if (wanted === undefined || [...metrics, ...ofAll].includes(wanted.replace(/^eval_/, ''))) return
  throw new UsageError(
    `--metric_for_best_model is '${shownWord(wanted)}', which ${tasks.length === 1 ? tasks[0] : 'train'} does not have.`,
    { fix: `Choose one of loss, ${metrics.join(', ')}.` },
  )
}

/** Other words for the tasks. */
const spellings: Readonly<Record<string, RowTask>> = {
  classification: 'text-classification',
  'sequence-classification': 'text-classification',
  'multi-label': 'multi-label-classification',
}

/** What has a script of its own to start from. */
const scripts: Readonly<Record<string, string>> = {
  'token-classification': 'ner',
  ner: 'ner',
  'question-answering': 'questionAnswering',
  'multiple-choice': 'multipleChoice',
  'fill-mask': 'maskedLanguageModel',
  'masked-lm': 'maskedLanguageModel',
  'feature-extraction': 'embed',
}

function taskOf(word: string | undefined): RowTask | undefined {
  if (word === undefined) return undefined
  const name = word.replaceAll('_', '-')
  const task = spellings[name] ?? rowTasks.find(one => one === name)
  if (task !== undefined) return task
  if (scripts[name] !== undefined)
    throw new UsageError(`train does not do ${name} yet.`, {
      fix: `examples/${scripts[name]}.ts in ts-trainer's repository is a script for it.`,
    })
  const near = nearest(name, [...rowTasks, ...Object.keys(scripts)])
  throw new UsageError(`--task should be ${rowTasks.join(', ')}, but is '${shownWord(word)}'.`, {
    ...(near !== undefined && { fix: `Did you mean ${near}?` }),
  })
}
