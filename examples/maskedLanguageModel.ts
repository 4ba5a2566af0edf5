// Teaches a model the language of texts: it guesses words that are hidden from it. The texts are the column `text`, and
// are joined to blocks of equal length; perplexity says how many words it wavers between.
//
//   npx tsx examples/maskedLanguageModel.ts --model google-bert/bert-base-uncased --data ./texts
import {
  AutoModelForMaskedLM,
  AutoTokenizer,
  DataCollatorForLanguageModeling,
  type Dataset,
  loadDataset,
  perplexity,
  Trainer,
} from 'ts-trainer'
import { firstRows, parseFlags } from './flags'
import { trainAndEvaluate } from './train'

const flags = parseFlags(
  'maskedLanguageModel',
  { learningRate: 5e-5, numTrainEpochs: 3, perDeviceTrainBatchSize: 8, evalStrategy: 'epoch' }, // as run_mlm.py
  {
    blockSize: { type: 'number', default: 128, help: 'The length of a block, in tokens.' },
    mlmProbability: { type: 'number', default: 0.15, help: 'The share of tokens that are to be guessed.' },
    wholeWordMask: { type: 'flag', default: false, help: 'Hide whole words, not single tokens of them.' },
  },
)
const { args, resume, blockSize, mlmProbability, wholeWordMask } = flags

const train = await loadDataset(flags.data, { split: firstRows('train', flags.maxTrainSamples) })
const validation = await loadDataset(flags.data, { split: firstRows('validation', flags.maxEvalSamples) })

const tokenizer = await AutoTokenizer.fromPretrained(flags.model)
const encode = (rows: { text: string[] }) => tokenizer(rows.text, { returnWordIds: wholeWordMask })

/** The tokens of texts one after the other, cut into blocks; what remains is too short for one, and is left out. */
const cut = (columns: Record<string, unknown[][]>) => {
  const blocksOf = (rows: unknown[][]) => {
    const joined = rows.flat()
    const count = Math.floor(joined.length / blockSize)
    return Array.from({ length: count }, (_, block) => joined.slice(block * blockSize, (block + 1) * blockSize))
  }
  return Object.fromEntries(Object.entries(columns).map(([name, rows]) => [name, blocksOf(rows)]))
}
const inBlocks = async (texts: Dataset) => {
  const encoded = await texts.map(encode, { batched: true, removeColumns: texts.columnNames })
  const blocks = await encoded.map(cut, { batched: true })
  if (blocks.length > 0) return blocks
  throw new Error(`The texts are shorter than one block of ${blockSize} tokens: set --block_size lower.`)
}

const trainer = new Trainer({
  model: await AutoModelForMaskedLM.fromPretrained(flags.model, { seed: args.seed }),
  args,
  trainDataset: await inBlocks(train),
  evalDataset: await inBlocks(validation),
  processingClass: tokenizer,
  dataCollator: DataCollatorForLanguageModeling(tokenizer, { mlmProbability, wholeWordMask, seed: args.seed }),
})

await trainAndEvaluate(trainer, resume, metrics => ({
  ...metrics,
  perplexity: perplexity(Number(metrics['eval_loss'])),
}))
