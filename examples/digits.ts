// Which digit is on a picture? A convolutional network and a perceptron that PyTorch exported untrained
// (scripts/fixtures/digits.py), trained on pictures of the MNIST database, a fifth of which is held out.
//
//   npx tsx examples/digits.ts --model cnn
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AutoModel, type Batch, loadMetric, Tensor, Trainer } from 'ts-trainer'

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'cnn' },
    share: { type: 'string', default: '1' },
    num_train_epochs: { type: 'string', default: '4' },
    output_dir: { type: 'string', default: 'out/digits' },
  },
})

/** The pictures of each digit: 28 × 28 points from 0 to 1, row by row. */
const mnist = createRequire(import.meta.url)('mnist') as Readonly<
  Record<number, { readonly length: number; get(at: number): readonly number[] }>
>
const digits = Array.from({ length: 10 }, (_, digit) =>
  Array.from({ length: Math.floor(mnist[digit]!.length * Number(flags.share)) }, (_point, at) => ({
    image: mnist[digit]!.get(at),
    labels: digit,
  })),
).flat()

/** Pictures as the graphs take them: image [rows, 1, 28, 28]. */
function collate(rows: readonly Readonly<Record<string, unknown>>[]): Batch {
  const points = Float32Array.from(rows.flatMap(({ image }) => image as number[]))
  const labels = rows.map(row => Number(row.labels))
  return { image: new Tensor('float32', points, [rows.length, 1, 28, 28]), labels: Tensor.from('int64', labels) }
}

const metric = loadMetric('accuracy')
const model = await AutoModel.fromOnnx(join(import.meta.dirname, `data/digits/${flags.model}.onnx`), {
  loss: 'cross-entropy',
})

const trainer = new Trainer({
  model,
  args: {
    outputDir: flags.output_dir,
    numTrainEpochs: Number(flags.num_train_epochs),
    learningRate: 2e-3,
    perDeviceTrainBatchSize: 32,
    perDeviceEvalBatchSize: 250,
    saveStrategy: 'no',
    disableTqdm: true,
    logLevel: 'error',
  },
  trainDataset: digits.filter((_, at) => at % 5 !== 4),
  evalDataset: digits.filter((_, at) => at % 5 === 4),
  dataCollator: collate,
  computeMetrics: ({ predictions, labels }) =>
    metric.compute({ predictions: predictions.argmax(-1), references: labels }),
})

await trainer.train()
const metrics = await trainer.evaluate()
trainer.logMetrics('eval', metrics)
await trainer.saveMetrics('eval', metrics)
await trainer.dispose()
