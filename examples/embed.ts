// A library on top of ts-trainer: trainClassifier(rows), whose types are its own, and which prints nothing. Below, what a
// program does with it: it learns the column "label" of rows that have a column "text".
//
//   npx tsx examples/embed.ts --model sentence-transformers/all-MiniLM-L6-v2 --data SetFit/emotion
import { mkdir, writeFile } from 'node:fs/promises'
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  Dataset,
  loadDataset,
  pipeline,
  PrinterCallback,
  ProgressCallback,
  Trainer,
} from 'ts-trainer'
import { firstRows, parseFlags } from './flags'

export interface Classifier {
  /** The likeliest label of each text, and how likely it is. */
  classify(texts: readonly string[]): Promise<{ label: string; score: number }[]>
  close(): Promise<void>
}

/** Learns the labels of texts. The model is saved in `folder`. */
export async function trainClassifier(
  rows: readonly { readonly text: string; readonly label: string }[],
  { model: id = 'sentence-transformers/all-MiniLM-L6-v2', folder = 'out/embed', epochs = 3, learningRate = 5e-5 } = {},
): Promise<Classifier> {
  const labels = [...new Set(rows.map(({ label }) => label))].sort()
  const tokenizer = await AutoTokenizer.fromPretrained(id)
  const encode = ({ text, label }: { text: string; label: string }) => ({
    ...tokenizer(text, { truncation: true }),
    label: labels.indexOf(label),
  })
  const trainer = new Trainer({
    model: await AutoModelForSequenceClassification.fromPretrained(id, { id2label: labels }),
    args: { outputDir: folder, numTrainEpochs: epochs, learningRate, saveStrategy: 'no' },
    trainDataset: Dataset.fromRows(rows.map(encode)),
    processingClass: tokenizer,
  })
  trainer.removeCallback(PrinterCallback)
  trainer.removeCallback(ProgressCallback)
  await trainer.train()
  await trainer.saveModel()
  const classify = await pipeline('text-classification', trainer)
  await trainer.dispose()
  return { classify: texts => classify(texts), close: () => classify.dispose() }
}

if (import.meta.filename === process.argv[1]) {
  const { args, ...flags } = parseFlags('embed', { numTrainEpochs: 3, learningRate: 5e-5 })
  const load = async (split: string, limit?: number) => {
    const rows = await loadDataset<{ text: string; label: number }>(flags.data, { split: firstRows(split, limit) })
    return rows.toArray().map(({ text, label }) => ({ text, label: `class ${label}` }))
  }
  const [train, test] = [await load('train', flags.maxTrainSamples), await load('validation', flags.maxEvalSamples)]
  const { outputDir: folder, numTrainEpochs: epochs, learningRate } = args
  const classifier = await trainClassifier(train, { model: flags.model, folder, epochs, learningRate })
  const answers = await classifier.classify(test.map(({ text }) => text))
  const eval_accuracy = answers.filter(({ label }, row) => label === test[row]!.label).length / test.length
  console.log({ eval_accuracy, ...answers[0] })
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}/eval_results.json`, JSON.stringify({ eval_accuracy }))
  await classifier.close()
}
