// What the scripts of GLUE's tasks share: flags, rows, tokens, training, and the evaluation as JSON on the last line.
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  type Dataset,
  loadDataset,
  type Metric,
  type Metrics,
  type Tokenizer,
  Trainer,
  type TrainingArgumentsOptions,
} from 'ts-trainer'
import { firstRows, parseFlags } from '../flags'

/** A task of GLUE. */
export interface GlueTask {
  /** The name of the script, and of the folder of its rows unless `rows` has another. */
  readonly task: string
  readonly rows?: string
  /** The columns of its texts. */
  readonly columns: readonly [string, string?]
  /** Its classes in order, where the rows do not name them; left out, its label is a number. */
  readonly classes?: readonly string[]
  readonly metric: Metric
  /** Training arguments that the command line may change. */
  readonly defaults: Omit<TrainingArgumentsOptions, 'outputDir'>
  /** The split that is evaluated, 'validation' by default. */
  readonly validation?: string
  /** A second one, evaluated at the end: its results have the suffix _mm, as in run_glue.py. */
  readonly mismatched?: string
}

/** Fine-tunes a model as the command line says, evaluates it, and saves it in `output_dir`. */
export async function runGlue(script: GlueTask): Promise<void> {
  const { args, resume, ...own } = parseFlags(`glue/${script.task}`, script.defaults, {
    maxSeqLength: { type: 'number', default: 128, help: 'Longer texts are cut to so many tokens.' },
    ignoreMismatchedSizes: { type: 'flag', default: false, help: 'A head of another size starts anew.' },
  })
  const { metric, classes } = script
  const tokenizer = await AutoTokenizer.fromPretrained(own.model)
  const load = async (split: string, limit: number | undefined): Promise<Dataset> => {
    const rows = await loadDataset(own.data, script.rows ?? script.task, { split: firstRows(split, limit) })
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

  const { metrics: trained } = await trainer.train({ resumeFromCheckpoint: resume })
  await trainer.saveModel()
  const evaluated = await trainer.evaluate()
  const { mismatched } = script
  const others = mismatched === undefined ? {} : await trainer.evaluate(await load(mismatched, own.maxEvalSamples))
  const metrics = { ...evaluated, ...withSuffix(others) }
  await trainer.saveMetrics('eval', metrics)
  await trainer.dispose()
  console.log(JSON.stringify({ task: script.task, ...trained, ...metrics }))
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
