// Which of four endings goes on with a sentence? Fine-tunes a model on SWAG (Zellers et al. 2018), or on
// other rows of its columns.
//
//   npx tsx examples/multipleChoice.ts --model google-bert/bert-base-uncased --data allenai/swag
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  AutoModelForMultipleChoice,
  AutoTokenizer,
  DataCollatorForMultipleChoice,
  getDatasetConfigNames,
  loadDataset,
  loadMetric,
  Trainer,
} from 'ts-trainer'
import { firstRows, parseFlags } from './flags'
import { trainAndEvaluate } from './train'

const flags = parseFlags(
  'multipleChoice',
  { learningRate: 5e-5, numTrainEpochs: 3, perDeviceTrainBatchSize: 16, evalStrategy: 'epoch' }, // as run_swag.py
  { maxSeqLength: { type: 'number', default: 128, help: 'Longer texts are cut to so many tokens.' } },
)
const { args, resume } = flags

/** A row of SWAG: `sent1` is the sentence, `sent2` the beginning of the one that each ending completes. */
interface Row {
  readonly sent1: string
  readonly sent2: string
  readonly ending0: string
  readonly ending1: string
  readonly ending2: string
  readonly ending3: string
  readonly label: number
}
// SWAG has `full`, too
const isSwag = existsSync(join(flags.data, 'regular')) || (await getDatasetConfigNames(flags.data)).includes('regular')
const configuration = isSwag ? 'regular' : undefined
const train = await loadDataset<Row>(flags.data, configuration, { split: firstRows('train', flags.maxTrainSamples) })
const validation = await loadDataset<Row>(flags.data, configuration, {
  split: firstRows('validation', flags.maxEvalSamples),
})
const metric = loadMetric('accuracy')

const tokenizer = await AutoTokenizer.fromPretrained(flags.model)
/** The tokens of each choice: a list for each of the four in every column. */
const encode = ({ sent1, sent2, ending0, ending1, ending2, ending3 }: Row) => {
  const endings = [ending0, ending1, ending2, ending3]
  return tokenizer(
    endings.map(() => sent1),
    endings.map(ending => `${sent2} ${ending}`),
    { truncation: true, maxLength: flags.maxSeqLength },
  )
}

const trainer = new Trainer({
  model: await AutoModelForMultipleChoice.fromPretrained(flags.model, { seed: args.seed }),
  args,
  trainDataset: await train.map(encode),
  evalDataset: await validation.map(encode),
  processingClass: tokenizer,
  dataCollator: DataCollatorForMultipleChoice(tokenizer),
  computeMetrics: ({ predictions, labels }) =>
    metric.compute({ predictions: predictions.argmax(-1), references: labels }),
})

await trainAndEvaluate(trainer, resume)
