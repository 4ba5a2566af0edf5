// Fine-tunes a model on a task of GLUE, with every training argument as a flag; the last line on stdout is the final
// evaluation as JSON.
//
//   npx tsx examples/glue.ts --task mrpc --model ./all-MiniLM-L6-v2 --data ./glue \
//     --output_dir out/mrpc --eval_strategy epoch --per_device_train_batch_size 32
import { readFileSync } from 'node:fs'
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  type Dataset,
  loadDataset,
  loadMetric,
  parseTrainingArguments,
  Trainer,
  TrainerError,
} from 'ts-trainer'

/** The columns of each task's texts. */
const columns: Readonly<Record<string, readonly [string, string?]>> = {
  cola: ['sentence'],
  mnli: ['premise', 'hypothesis'],
  mrpc: ['sentence1', 'sentence2'],
  qnli: ['question', 'sentence'],
  qqp: ['question1', 'question2'],
  rte: ['sentence1', 'sentence2'],
  sst2: ['sentence'],
  stsb: ['sentence1', 'sentence2'],
  wnli: ['sentence1', 'sentence2'],
}
const tasks = Object.keys(columns).join(', ')

const {
  args,
  extra: own,
  help,
} = parseTrainingArguments(process.argv.slice(2), {
  usage: 'Usage: npx tsx examples/glue.ts --task TASK --model DIR --data DIR [TRAINING ARGUMENTS]',
  defaults: { outputDir: 'out/glue' },
  readText: path => readFileSync(path, 'utf8'),
  extra: {
    task: { type: 'text', required: true, help: `One of ${tasks}.` },
    model: { type: 'text', required: true, help: "A model's folder, as on the Hub." },
    data: {
      type: 'text',
      required: true,
      help: 'The folder of GLUE, as on the Hub: with a folder for each task in it.',
    },
    maxSeqLength: { type: 'number', default: 128, help: 'Longer texts are cut to so many tokens.' },
    maxTrainSamples: { type: 'number', help: 'Train on the first rows only.' },
    maxEvalSamples: { type: 'number', help: 'Evaluate on the first rows only.' },
    ignoreMismatchedSizes: { type: 'flag', default: false, help: 'A head of another size starts anew.' },
    resumeFromCheckpoint: { type: 'text', help: "A checkpoint's folder, or true for the newest of output_dir." },
  },
})
if (help !== undefined) console.log(help)
else await main()

async function main(): Promise<void> {
  const { task } = own
  if (!Object.hasOwn(columns, task))
    throw new TrainerError('argument', `There is no GLUE task '${task}'; there are ${tasks}.`)
  const [first, second] = columns[task]!
  const regression = task === 'stsb'
  const metric = loadMetric('glue', task)
  const dataset = await loadDataset(own.data, task)
  const tokenizer = await AutoTokenizer.fromPretrained(own.model)
  const encode = async (split: Dataset, rows: number | undefined): Promise<Dataset> =>
    head(split, rows).map(
      texts =>
        tokenizer(texts[first], second === undefined ? undefined : texts[second], {
          truncation: true,
          maxLength: own.maxSeqLength,
        }),
      { batched: true },
    )
  const train = await encode(dataset.train, own.maxTrainSamples)
  const validation = await encode(task === 'mnli' ? dataset.validation_matched : dataset.validation, own.maxEvalSamples)

  const names = regression ? undefined : dataset.train.features['label']?.names
  const model = await AutoModelForSequenceClassification.fromPretrained(own.model, {
    ...(names === undefined
      ? { numLabels: regression ? 1 : new Set(dataset.train.column('label')).size }
      : { id2label: names, numLabels: names.length }),
    ignoreMismatchedSizes: own.ignoreMismatchedSizes,
    seed: args.seed,
  })
  const trainer = new Trainer({
    model,
    args,
    trainDataset: train,
    evalDataset: validation,
    processingClass: tokenizer,
    computeMetrics: ({ predictions, labels }) =>
      metric.compute({ predictions: regression ? predictions : predictions.argmax(-1), references: labels }),
  })

  const resume = own.resumeFromCheckpoint
  const { metrics } = await trainer.train({ resumeFromCheckpoint: resume === 'true' ? true : resume })
  await trainer.saveModel()
  const result: Record<string, unknown> = { task, ...metrics, ...(await trainer.evaluate()) }
  if (task === 'mnli') {
    // the second half of MNLI's validation, with keys as Hugging Face's run_glue.py has them
    const mismatched = await trainer.evaluate(await encode(dataset.validation_mismatched, own.maxEvalSamples))
    for (const [key, value] of Object.entries(mismatched)) if (key.startsWith('eval_')) result[`${key}_mm`] = value
  }
  await trainer.dispose()
  console.log(JSON.stringify(result))
}

function head(dataset: Dataset, rows = dataset.length): Dataset {
  return dataset.select(Array.from({ length: Math.min(rows, dataset.length) }, (_, row) => row))
}
