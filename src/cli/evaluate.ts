// how good a model is on rows with labels
import {
  AutoTokenizer,
  type ComputeMetrics,
  type Metrics,
  type PreTrainedModel,
  Trainer,
  TrainingArguments,
} from '../index'
import { exitCodes } from './exitCodes'
import { type CommandTable, type FlagTable, type FlagValues, readFlags, readingWords, UsageError } from './flags'
import { modelFlags, modelWord } from './modelFlags'
import { labelsOfModel, namesOfModel, taskOfModel } from './modelLabels'
import { trainedModel } from './models'
import type { Streams } from './Streams'
import { chooseColumns } from './train/columns'
import { classTable, judgements } from './train/metrics'
import { leftOutNote, openEvaluated, textNames, usableRows } from './train/rows'
import { lengthOf, tokenized } from './train/tokens'

const { device, threads, revision } = modelFlags

const table = {
  name: 'evaluate',
  usage: 'MODEL FILE [FLAGS]',
  about: [
    'Compares what a model predicts for rows with their labels. Of classes it tells accuracy and F1 (the mean over the classes that occur; of several classes in a row over all), of numbers the mean squared error and the correlations. They go to standard output as JSON, and a table of the classes to standard error. Columns that are not named are guessed, and said.',
    '',
    '  npx ts-trainer evaluate out/model test.csv --text review --label stars',
  ],
  words: 2,
  flags: {
    text: { type: 'texts', value: 'COLUMN', help: 'The column of the texts; a second one for pairs.' },
    label: {
      type: 'texts',
      value: 'COLUMN',
      help: 'The column of the label: names of classes, their numbers, or numbers.',
    },
    configuration: { type: 'text', value: 'NAME', help: 'Of a dataset that has several.' },
    split: {
      type: 'text',
      value: 'NAME',
      help: 'Of a dataset that has several: by default validation (dev, valid), else test.',
    },
    'max-length': {
      type: 'count',
      value: 'N',
      help: 'Tokens of a row; longer texts are cut. By default what the model takes.',
    },
    'max-eval-samples': { type: 'count', value: 'N', help: 'Only so many rows, from the first one on.' },
    'per-device-eval-batch-size': { type: 'count', value: 'N', help: 'Rows that are computed together.', default: 32 },
    'prediction-loss-only': { type: 'switch', help: 'The loss alone.' },
    'bf16-full-eval': { type: 'switch', help: 'In bfloat16.' },
    'fp16-full-eval': { type: 'switch', help: 'In float16.' },
    ...{ device, threads, revision },
  },
} as const satisfies CommandTable<FlagTable>

type Values = FlagValues<typeof table.flags>

/** `ts-trainer evaluate`. */
export async function runEvaluate(words: readonly string[], streams: Streams): Promise<number> {
  const given = readFlags(table, words, streams)
  if (given === undefined) return exitCodes.done
  const { values, rest } = given
  const name = modelWord('evaluate', rest[0])
  if (rest[1] === undefined)
    throw new UsageError('evaluate needs rows with labels: a file, a folder or an id of the Hub.', {
      fix: 'npx ts-trainer evaluate MODEL test.csv',
    })
  const args = readingWords(() => argumentsOf(values))
  const source = values.revision === undefined ? {} : { revision: values.revision }
  const { rows: read, place } = await openEvaluated(rest[1], values.configuration, values.split)
  const model = (await trainedModel(name, 'text-classification', source)) as PreTrainedModel
  const tokenizer = await AutoTokenizer.fromPretrained(name, source)
  const columns = chooseColumns(read, { texts: values.text, labels: values.label }, place)
  const usable = usableRows(read, columns, labelsOfModel(model, read, columns.labels), place)
  const note = leftOutNote(usable.leftOut, place)
  if (note !== undefined) streams.error(note)
  const most = Math.min(usable.rows.length, values['max-eval-samples'] ?? Infinity)
  const rows = usable.rows.select(Array.from({ length: most }, (_, row) => row))
  const maxLength = lengthOf(values['max-length'], tokenizer, model)
  const encoded = await tokenized(rows, textNames(columns), tokenizer, maxLength)
  streams.error(`${columns.texts.join(' and ')} → ${columns.labels.join(', ')}: ${most} rows of ${place}`)
  const { metrics, report } = await judged(model, encoded, args, tokenizer)
  if (report !== undefined) streams.error(report)
  await streams.out(JSON.stringify(metrics))
  return exitCodes.done
}

async function judged(
  model: PreTrainedModel,
  rows: Awaited<ReturnType<typeof tokenized>>,
  args: TrainingArguments,
  tokenizer: Awaited<ReturnType<typeof AutoTokenizer.fromPretrained>>,
): Promise<{ metrics: Metrics; report: string | undefined }> {
  const task = taskOfModel(model)
  let report: string | undefined
  const computeMetrics: ComputeMetrics = (input, isLast) => {
    report = classTable(input, task, namesOfModel(model))
    return judgements[task].computeMetrics(input, isLast)
  }
  const judging = args.predictionLossOnly ? {} : { computeMetrics }
  const trainer = new Trainer({ model, args, processingClass: tokenizer, ...judging })
  try {
    const { metrics } = await trainer.predict(rows, { metricKeyPrefix: 'eval' })
    return { metrics: metrics ?? {}, report }
  } finally {
    await trainer.dispose()
  }
}

function argumentsOf(values: Values): TrainingArguments {
  return new TrainingArguments({
    perDeviceEvalBatchSize: values['per-device-eval-batch-size'],
    predictionLossOnly: values['prediction-loss-only'],
    bf16FullEval: values['bf16-full-eval'],
    fp16FullEval: values['fp16-full-eval'],
    ...(values.device !== undefined && { device: values.device as never }),
    ...(values.threads !== undefined && { threads: values.threads }),
  })
}
