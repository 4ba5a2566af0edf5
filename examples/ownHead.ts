// A head of one's own with two losses on one encoder, on STS-B: how alike two sentences are, from 0 to 5, and whether one
// may stand for the other (from 4 on). What it predicts has the names of its outputs.
//
//   npx tsx examples/ownHead.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import {
  AutoModel,
  AutoTokenizer,
  crossEntropy,
  loadDataset,
  loadMetric,
  meanSquaredError,
  ownHead,
  Trainer,
} from 'ts-trainer'
import { firstRows, parseFlags } from './flags'
import { trainAndEvaluate } from './train'

const { args, resume, ...flags } = parseFlags('ownHead', { learningRate: 2e-5, evalStrategy: 'epoch' })

const head = ownHead({
  name: 'BertForPairs',
  labels: { score: { numbers: 1 }, same: { classes: 2 } },
  outputs(encoded, { graph, linear, dropout }) {
    const pair = dropout(graph.tanh(linear('pair', encoded.first(), 128)), 0.1)
    return { score: linear('score', pair, 1), same: linear('same', pair, 2) }
  },
  loss: (outputs, labels, graph) => ({
    score: meanSquaredError(graph, outputs.score, labels.score),
    same: crossEntropy(graph, outputs.same, labels.same),
  }),
  weights: { score: 0.5 },
})

const tokenizer = await AutoTokenizer.fromPretrained(flags.model)
const load = async (split: string, limit: number | undefined) => {
  const rows = await loadDataset<{ sentence1: string; sentence2: string; label: number }>(flags.data, 'stsb', {
    split: firstRows(split, limit),
  })
  return rows.map(({ sentence1, sentence2, label }) => ({
    ...tokenizer(sentence1, sentence2, { truncation: true, maxLength: 128 }),
    score: label,
    same: Number(label >= 4),
  }))
}

const [pearson, accuracy] = [loadMetric('pearsonr'), loadMetric('accuracy')]
const trainer = new Trainer({
  model: await AutoModel.fromPretrained(flags.model, { head, seed: args.seed }),
  args,
  trainDataset: await load('train', flags.maxTrainSamples),
  evalDataset: await load('validation', flags.maxEvalSamples),
  processingClass: tokenizer,
  computeMetrics: ({ predictions: { score, same }, labels }) => ({
    ...pearson.compute({ predictions: score.reshape([score.size]), references: labels.score }),
    ...accuracy.compute({ predictions: same.argmax(-1), references: labels.same }),
  }),
})
await trainAndEvaluate(trainer, resume) // opened again by AutoModel.fromPretrained(outputDir, { head })
