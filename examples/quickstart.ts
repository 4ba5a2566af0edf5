// Fine-tunes a small BERT, from a random start, to tell praise from complaint. It needs no download: `npm run
// quickstart`.
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  loadDataset,
  loadMetric,
  Trainer,
  TrainingArguments,
} from 'ts-trainer'

const here = import.meta.dirname
const outputDir = './out/quickstart'

const dataset = await loadDataset(`${here}/data/sentiment`) // { train: 2,382 sentences, validation: 600 }
const metric = loadMetric('accuracy')
const tokenizer = await AutoTokenizer.fromPretrained(`${here}/data/tokenizer`) // bert-base-uncased's
const encoded = await dataset.map(rows => tokenizer(rows.sentence, { truncation: true, maxLength: 128 }), {
  batched: true,
})

// With weights of the Hub: AutoModelForSequenceClassification.fromPretrained(folder, { numLabels: 2 })
const model = AutoModelForSequenceClassification.fromConfig(
  {
    model_type: 'bert',
    vocab_size: tokenizer.vocabSize,
    hidden_size: 128,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 512,
    max_position_embeddings: 128,
  },
  { id2label: ['negative', 'positive'], seed: 43 },
)

const args = new TrainingArguments({
  outputDir,
  evalStrategy: 'epoch',
  saveStrategy: 'epoch',
  loggingStrategy: 'epoch',
  saveTotalLimit: 1,
  seed: 43,
  learningRate: 1e-3,
  perDeviceTrainBatchSize: 32,
  perDeviceEvalBatchSize: 64,
  numTrainEpochs: 5,
  loadBestModelAtEnd: true,
  metricForBestModel: 'accuracy',
})
const trainer = new Trainer({
  model,
  args,
  trainDataset: encoded.train,
  evalDataset: encoded.validation,
  processingClass: tokenizer,
  computeMetrics: ({ predictions, labels }) =>
    metric.compute({ predictions: predictions.argmax(-1), references: labels }),
})

const { globalStep, trainingLoss } = await trainer.train()
console.log({ globalStep, trainingLoss })
console.log(await trainer.evaluate())
await trainer.saveModel(`${outputDir}/best`)
await trainer.dispose()
console.log(`The model is in ${outputDir}/best: for Python, for transformers.js, for the next fine-tuning.`)

// The saved model at work, in transformers.js:
const { pipeline } = await import('@huggingface/transformers')
const classify = await pipeline('text-classification', `${outputDir}/best`, { dtype: 'fp32' })
for (const sentence of [
  'The food was delicious and the staff friendly.',
  'It broke after two days, a waste of money.',
]) {
  for (const answer of await classify(sentence)) console.log(sentence, answer)
}
