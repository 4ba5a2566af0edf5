// Is an Indonesian sentence positive, neutral or negative? IndoNLU's SmSA (Wilie et al. 2020, arXiv:2009.05387): ten
// epochs, of which the best is kept.
//
//   npx tsx examples/smsa.ts --model indobenchmark/indobert-base-p1 --data indonlp/indonlu
import { AutoModelForSequenceClassification, AutoTokenizer, loadDataset, loadMetric, Trainer } from 'ts-trainer'
import { firstRows, parseFlags } from './flags'

const {
  args,
  model: checkpoint,
  data,
  resume,
  ...limits
} = parseFlags('smsa', {
  evalStrategy: 'epoch',
  saveStrategy: 'epoch',
  learningRate: 2e-5,
  perDeviceTrainBatchSize: 64,
  perDeviceEvalBatchSize: 64,
  numTrainEpochs: 10,
  weightDecay: 0.005,
  warmupSteps: 1000,
  loadBestModelAtEnd: true,
  metricForBestModel: 'accuracy',
})

const train = await loadDataset(data, 'smsa', { split: firstRows('train', limits.maxTrainSamples) })
const validation = await loadDataset(data, 'smsa', { split: firstRows('validation', limits.maxEvalSamples) })
const metric = loadMetric('accuracy')

const tokenizer = await AutoTokenizer.fromPretrained(checkpoint)
const encode = (rows: { text: string[] }) => tokenizer(rows.text, { truncation: true })

const model = await AutoModelForSequenceClassification.fromPretrained(checkpoint, {
  id2label: ['positive', 'neutral', 'negative'],
  seed: args.seed,
})

const trainer = new Trainer({
  model,
  args,
  trainDataset: await train.map(encode, { batched: true }),
  evalDataset: await validation.map(encode, { batched: true }),
  processingClass: tokenizer,
  computeMetrics: ({ predictions, labels }) =>
    metric.compute({ predictions: predictions.argmax(-1), references: labels }),
})

const { globalStep, trainingLoss } = await trainer.train({ resumeFromCheckpoint: resume })
console.log({ globalStep, trainingLoss })

const metrics = await trainer.evaluate()
trainer.logMetrics('eval', metrics)
await trainer.saveMetrics('eval', metrics)
await trainer.saveModel()
await trainer.dispose()
