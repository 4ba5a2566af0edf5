// MRPC by low-rank adapters (Hu et al. 2021): the model stays as it is, and a few thousand weights beside it are trained.
// The adapter is saved in output_dir, where PEFT opens it too, and the model that it is merged into in output_dir/merged.
//
//   npx tsx examples/lora.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  getPeftModel,
  loadDataset,
  loadMetric,
  Trainer,
} from 'ts-trainer'
import { firstRows, parseFlags } from './flags'
import { trainAndEvaluate } from './train'

const { args, resume, ...flags } = parseFlags(
  'lora',
  { learningRate: 1e-3, numTrainEpochs: 3, perDeviceTrainBatchSize: 32, evalStrategy: 'epoch' },
  {
    rank: { type: 'number', default: 8, help: 'The rank of the adapters.' },
    alpha: { type: 'number', default: 16, help: 'What they add is multiplied by alpha / rank.' },
    targetModules: {
      type: 'text',
      help: "The ends of layers' names, with commas between; those of queries and values unless given.",
    },
  },
)

const tokenizer = await AutoTokenizer.fromPretrained(flags.model)
const load = async (split: string, limit: number | undefined) => {
  const rows = await loadDataset(flags.data, 'mrpc', { split: firstRows(split, limit) })
  return rows.map(
    ({ sentence1, sentence2 }: { sentence1: string[]; sentence2: string[] }) =>
      tokenizer(sentence1, sentence2, { truncation: true, maxLength: 128 }),
    { batched: true },
  )
}
const base = await AutoModelForSequenceClassification.fromPretrained(flags.model, {
  id2label: ['not_equivalent', 'equivalent'],
  seed: args.seed,
})
const model = getPeftModel(base, {
  r: flags.rank,
  loraAlpha: flags.alpha,
  loraDropout: 0.1,
  targetModules: flags.targetModules?.split(','),
})
console.log(model.trainableParameters())

const metric = loadMetric('glue', 'mrpc')
const trainer = new Trainer({
  model,
  args,
  trainDataset: await load('train', flags.maxTrainSamples),
  evalDataset: await load('validation', flags.maxEvalSamples),
  processingClass: tokenizer,
  computeMetrics: ({ predictions, labels }) =>
    metric.compute({ predictions: predictions.argmax(-1), references: labels }),
})
await trainAndEvaluate(trainer, resume)
await model.mergeAndUnload().savePretrained(`${args.outputDir}/merged`)
