/**
 * A program as a user writes it, which `npm run verify -- ctrl-c` stops and resumes: tsx own.ts FOLDER [--resume]
 *
 * Says on standard output when train() and each update begin, and how the run ended; saves the model where it
 * was trained to the end.
 */
import { AutoModelForSequenceClassification, Dataset, setLogLevel, Tensor, Trainer } from '../../src/index'
import { said } from './said'

const [outputDir = 'out', mode] = process.argv.slice(2)
setLogLevel('error')

/** Rows of 4 tokens: a function of the row's number. */
const rows = (count: number): { input_ids: number[]; labels: number }[] =>
  Array.from({ length: count }, (_, row) => ({
    input_ids: Array.from({ length: 4 }, (_unused, at) => 1 + ((row * 7 + at * 11) % 29)),
    labels: (row * row + 1) % 2,
  }))

const config = {
  model_type: 'bert',
  vocab_size: 30,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 8,
} as const
/** So that a run takes some seconds: most of its time an update waits. */
const wait = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))

const trainer = new Trainer({
  model: AutoModelForSequenceClassification.fromConfig(config, { numLabels: 2, seed: 3 }),
  args: {
    outputDir,
    numTrainEpochs: 10,
    perDeviceTrainBatchSize: 4,
    perDeviceEvalBatchSize: 2,
    learningRate: 1e-3,
    threads: 1,
    evalStrategy: 'epoch',
    saveSteps: 40,
    saveTotalLimit: 2,
    loggingSteps: 5,
    disableTqdm: true,
  },
  trainDataset: Dataset.fromRows(rows(40)),
  evalDataset: Dataset.fromRows(rows(12)),
  dataCollator: given => ({
    input_ids: Tensor.from(
      'int32',
      given.map(row => row.input_ids as number[]),
    ),
    labels: Tensor.from(
      'int32',
      given.map(row => row.labels as number),
    ),
  }),
  callbacks: [
    {
      onStepBegin: (_args, { globalStep }) => console.log(`\n${said.update(globalStep + 1)}`),
      onStepEnd: () => wait(40),
      onPredictionStep: () => wait(15),
    },
  ],
})
const training = trainer.train({ resumeFromCheckpoint: mode === '--resume' })
console.log(said.begins)
const { interrupted, globalStep } = await training
if (!interrupted) await trainer.saveModel(`${outputDir}/final`)
await trainer.dispose()
console.log(`\n${interrupted ? said.stopped : said.finished} ${globalStep}`)
