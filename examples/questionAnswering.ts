// Where in a text is the answer to a question? Fine-tunes a model on SQuAD (Rajpurkar et al. 2016), or with
// --version_2_with_negative on SQuAD v2, some of whose questions have no answer.
//
//   npx tsx examples/questionAnswering.ts --model google-bert/bert-base-uncased --data rajpurkar/squad
import {
  answersOf,
  AutoModelForQuestionAnswering,
  AutoTokenizer,
  type Dataset,
  loadDataset,
  loadMetric,
  squadFeatures,
  Trainer,
} from 'ts-trainer'
import { firstRows, parseFlags } from './flags'
import { trainAndEvaluate } from './train'

const flags = parseFlags(
  'questionAnswering',
  { learningRate: 3e-5, numTrainEpochs: 2, perDeviceTrainBatchSize: 12, evalStrategy: 'epoch' }, // as run_qa.py
  {
    maxSeqLength: { type: 'number', default: 384, help: 'Longer contexts are cut into windows of so many tokens.' },
    docStride: { type: 'number', default: 128, help: 'Tokens that a window has in common with the next one.' },
    version2WithNegative: { type: 'flag', default: false, help: 'Some questions have no answer.' },
  },
)
const { args, resume, version2WithNegative } = flags

/** A row of SQuAD; without an answer, both lists are empty. */
interface Question {
  readonly id: string
  readonly question: string
  readonly context: string
  readonly answers: { readonly text: readonly string[]; readonly answer_start: readonly number[] }
}
const train = await loadDataset<Question>(flags.data, { split: firstRows('train', flags.maxTrainSamples) })
const validation = await loadDataset<Question>(flags.data, { split: firstRows('validation', flags.maxEvalSamples) })
if (!version2WithNegative && validation.column('answers').some(({ text }) => text.length === 0))
  throw new Error(`Some questions of ${flags.data} have no answer: add --version_2_with_negative.`)

const tokenizer = await AutoTokenizer.fromPretrained(flags.model)
const windows = { maxLength: flags.maxSeqLength, stride: flags.docStride }
/** Several rows for a question whose context is too long for one. */
const featuresOf = (questions: Dataset<Question>) =>
  questions.map(rows => squadFeatures(rows, tokenizer, windows), {
    batched: true,
    removeColumns: questions.columnNames,
  })
const trainFeatures = await featuresOf(train)
const evalFeatures = await featuresOf(validation)

const trainer = new Trainer({
  model: await AutoModelForQuestionAnswering.fromPretrained(flags.model, { seed: args.seed }),
  args,
  trainDataset: trainFeatures,
  evalDataset: evalFeatures,
  processingClass: tokenizer,
  computeMetrics({ predictions }) {
    const sources = { predictions, features: evalFeatures, examples: validation }
    const answers = { predictions: answersOf(sources, { version2WithNegative }), references: validation.toArray() }
    return version2WithNegative ? loadMetric('squad_v2').compute(answers) : loadMetric('squad').compute(answers)
  },
})

await trainAndEvaluate(trainer, resume)
