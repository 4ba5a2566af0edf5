// What the scripts of GLUE's tasks share, and `npx ts-trainer glue`: rows, tokens, training and evaluation.
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  type Dataset,
  type ExtraFlag,
  loadDataset,
  loadMetric,
  type Metrics,
  type Tokenizer,
  Trainer,
  type TrainingArgumentsOptions,
} from 'ts-trainer'
import { firstRows, type Flags, parseFlags } from '../flags'
import { type GlueTask, type GlueTaskName, glueTasks } from './tasks'

/** Training arguments that the command line may change: after Devlin et al. 2019 (arXiv:1810.04805), section 4.1. */
export const glueDefaults = {
  learningRate: 5e-5,
  numTrainEpochs: 3,
  perDeviceTrainBatchSize: 32,
  evalStrategy: 'epoch',
} as const satisfies TrainingArgumentsOptions

/** The flags that the tasks have besides those of every example. */
export const glueFlags = {
  maxSeqLength: { type: 'number', default: 128, help: 'Longer texts are cut to so many tokens.' },
  ignoreMismatchedSizes: { type: 'flag', default: false, help: 'A head of another size starts anew.' },
} as const satisfies Record<string, ExtraFlag>

/** The script of a task: the evaluation as JSON on the last line. */
export async function runGlue(name: GlueTaskName): Promise<void> {
  const results = await fineTune(name, parseFlags(`glue/${name}`, glueDefaults, glueFlags))
  if (results === undefined) process.exitCode = 130
  else console.log(JSON.stringify(results))
}

/**
 * Fine-tunes a model as the flags say, evaluates it, and saves it in `output_dir`.
 * @returns what it came to; undefined where Ctrl-C has ended it, with a checkpoint.
 */
export async function fineTune(
  name: GlueTaskName,
  { args, resume, signal, ...own }: Flags<typeof glueFlags> & { readonly signal?: AbortSignal | undefined },
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const script: GlueTask = glueTasks[name]
  const { classes, mismatched } = script
  const metric = loadMetric('glue', script.metric)
  const tokenizer = await AutoTokenizer.fromPretrained(own.model)
  const load = async (split: string, limit: number | undefined): Promise<Dataset> => {
    const rows = await loadDataset(own.data, script.rows ?? name, { split: firstRows(split, limit) })
    return encode(rows, tokenizer, script.columns, own.maxSeqLength)
  }
  const trainDataset = await load('train', own.maxTrainSamples)
  const evalDataset = await load(script.validation ?? 'validation', own.maxEvalSamples)

  const model = await AutoModelForSequenceClassification.fromPretrained(own.model, {
    ...(classes === undefined ? { numLabels: 1 } : { id2label: trainDataset.features['label']?.names ?? classes }),
    ignoreMismatchedSizes: own.ignoreMismatchedSizes,
    seed: args.seed,
  })
  const trainer = new Trainer({
    model,
    args,
    trainDataset,
    evalDataset,
    processingClass: tokenizer,
    computeMetrics: ({ predictions, labels }) =>
      metric.compute({ predictions: classes === undefined ? predictions : predictions.argmax(-1), references: labels }),
  })

  const { metrics: trained, interrupted } = await trainer.train({
    resumeFromCheckpoint: resume,
    ...(signal && { signal }),
  })
  if (interrupted) return void (await trainer.dispose())
  await trainer.saveModel()
  const evaluated = await trainer.evaluate()
  const others = mismatched === undefined ? {} : await trainer.evaluate(await load(mismatched, own.maxEvalSamples))
  const metrics = { ...evaluated, ...withSuffix(others) }
  await trainer.saveMetrics('eval', metrics)
  await trainer.dispose()
  return { task: name, ...trained, ...metrics }
}

function encode(
  rows: Dataset,
  tokenizer: Tokenizer,
  columns: GlueTask['columns'],
  maxLength: number,
): Promise<Dataset> {
  const [first, second] = columns
  return rows.map(texts => tokenizer(texts[first], second && texts[second], { truncation: true, maxLength }), {
    batched: true,
  })
}

function withSuffix(metrics: Metrics): Metrics {
  const own = Object.entries(metrics).filter(([key]) => key.startsWith('eval_'))
  return Object.fromEntries(own.map(([key, value]) => [`${key}_mm`, value]))
}
