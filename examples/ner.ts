// Which words name persons, organizations and places? Fine-tunes a model on CoNLL-2003 (Tjong Kim Sang and De Meulder
// 2003), or on other rows of words (`tokens`) with a class for each (`ner_tags`).
//
//   npx tsx examples/ner.ts --model google-bert/bert-base-cased --data eriktks/conll2003
import {
  alignLabels,
  AutoModelForTokenClassification,
  AutoTokenizer,
  DataCollatorForTokenClassification,
  entityLabels,
  loadDataset,
  loadMetric,
  Trainer,
} from 'ts-trainer'
import { firstRows, parseFlags } from './flags'
import { trainAndEvaluate } from './train'

const flags = parseFlags(
  'ner',
  { learningRate: 5e-5, numTrainEpochs: 3, perDeviceTrainBatchSize: 8, evalStrategy: 'epoch' }, // as run_ner.py
)
const { args, resume } = flags

const train = await loadDataset(flags.data, { split: firstRows('train', flags.maxTrainSamples) })
const validation = await loadDataset(flags.data, { split: firstRows('validation', flags.maxEvalSamples) })
const conll = ['O', 'B-PER', 'I-PER', 'B-ORG', 'I-ORG', 'B-LOC', 'I-LOC', 'B-MISC', 'I-MISC']
const names = train.features['ner_tags']?.feature?.names ?? conll // for rows that do not name their classes
const seqeval = loadMetric('seqeval')

const tokenizer = await AutoTokenizer.fromPretrained(flags.model)
/** Tokens of words; the first token of each has its class, and the others do not count. */
const encode = (rows: { tokens: string[][]; ner_tags: number[][] }) => {
  const { word_ids: words, ...encoded } = tokenizer(rows.tokens, {
    truncation: true,
    isSplitIntoWords: true,
    returnWordIds: true,
  })
  return { ...encoded, labels: words!.map((ids, row) => alignLabels(ids, rows.ner_tags[row]!)) }
}

const trainer = new Trainer({
  model: await AutoModelForTokenClassification.fromPretrained(flags.model, { id2label: names, seed: args.seed }),
  args,
  trainDataset: await train.map(encode, { batched: true }),
  evalDataset: await validation.map(encode, { batched: true }),
  processingClass: tokenizer,
  dataCollator: DataCollatorForTokenClassification(tokenizer),
  computeMetrics: prediction => {
    const scores = seqeval.compute(entityLabels(prediction, names))
    return { precision: scores.overall_precision, recall: scores.overall_recall, f1: scores.overall_f1 }
  },
})

await trainAndEvaluate(trainer, resume)
