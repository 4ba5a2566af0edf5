// what a graph that was made elsewhere says of labels that do not fit: advice that can be followed
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { AutoModel, type FromOnnxOptions, Tensor, type TrainableModel } from '../../src/index'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'

/** x [batch, 8] → logits [batch, 3] */
const file = join(import.meta.dirname, '../fixtures/onnx/forward.onnx')
const rows = [0, 1, 2, 0].map((row, i) => ({ x: Array.from({ length: 8 }, (_, at) => Math.sin(8 * i + at + row)) }))

interface Labels {
  readonly dtype: 'float32' | 'int64'
  of(row: number): number | readonly number[]
}

/** Trains an update with labels of a kind. @returns the loss. */
async function trained(options: FromOnnxOptions, { dtype, of }: Labels): Promise<unknown> {
  const trainer = quietTrainer<TrainableModel>({
    model: await AutoModel.fromOnnx(file, options),
    trainDataset: rows.map(({ x }, i) => ({ x, label: of(i) })),
    dataCollator: given => ({
      x: Tensor.from(
        'float32',
        given.map(row => row.x as number[]),
      ),
      labels: Tensor.from(dtype, given.map(row => row.label) as number[]),
    }),
    args: { outputDir: temporaryFolder(), maxSteps: 1, saveStrategy: 'no', trainSamplingStrategy: 'sequential' },
  })
  onTestFinished(() => trainer.dispose())
  return (await trainer.train()).trainingLoss
}

const one = { dtype: 'float32', of: row => row / 2 } satisfies Labels
const classes = { dtype: 'int64', of: row => row % 3 } satisfies Labels
const pairs = { dtype: 'float32', of: row => [row, 0.5] } satisfies Labels
const values = { dtype: 'float32', of: row => [row, -0.5, 3] } satisfies Labels
const several = { dtype: 'int64', of: row => [row % 2, 0, 1] } satisfies Labels
const wholeFloats = { dtype: 'float32', of: row => row % 3 } satisfies Labels

const own = 'give each row 3, as many as the output of the graph has, or export the graph with'
const ofClasses = "For one class in each row, load the graph with loss: 'cross_entropy'"

describe('labels that do not fit', () => {
  it.each<[string, FromOnnxOptions, Labels, string]>([
    ['one value a row', {}, one, `the shape [4]. For numbers ${own} 1.`],
    ['one value a row, of an error', { loss: 'mse' }, one, `the shape [4]. For numbers ${own} 1.`],
    ['classes, of an error', { loss: 'mean_squared_error' }, classes, `${ofClasses}; else ${own} 1.`],
    ['classes, of several labels', { loss: 'bce-with-logits' }, classes, `${ofClasses}; else ${own} 1.`],
    ['classes as numbers', {}, wholeFloats, `${ofClasses}; else ${own} 1.`],
    ['two values a row', { loss: 'l1' }, pairs, `For numbers ${own} 2.`],
    ['values, where labels decide', {}, values, "For values, load the graph with loss: 'mean_squared_error'."],
    ['values, of classes', { loss: 'cross_entropy' }, values, "for values, with loss: 'mean_squared_error'."],
    [
      'several labels, of classes',
      { loss: 'cross-entropy' },
      several,
      "For several labels at once, load the graph with loss: 'binary_cross_entropy'; for values,",
    ],
    ['two numbers a row, of classes', { loss: 'cross_entropy' }, pairs, 'Give each row one class, 0 to 2.'],
    [
      'a value, of classes',
      { loss: 'cross_entropy' },
      one,
      "For values in place of classes, load the graph with loss: 'mean_squared_error', and give each row 3.",
    ],
    [
      'a class too many',
      {},
      { dtype: 'int64', of: row => row },
      'Correct the labels, or export the graph with as many columns as there are classes.',
    ],
  ])('%s', async (_, options, labels, advice) => {
    const training = trained(options, labels)
    await expect(training).rejects.toThrow(advice)
    await expect(training).rejects.not.toThrow(/numLabels|problemType/)
  })

  it.each<[string, FromOnnxOptions, Labels]>([
    ['classes by cross-entropy', { loss: 'cross_entropy' }, classes],
    ['classes as numbers by cross-entropy', { loss: 'cross_entropy' }, wholeFloats],
    ['values by an error', { loss: 'mean_squared_error' }, values],
    ['values by another', { loss: 'mean-absolute-error' }, values],
    ['several labels', { loss: 'binary_cross_entropy' }, several],
  ])('fit when the advice is followed: %s', async (_, options, labels) => {
    expect(await trained(options, labels)).toBeGreaterThan(0)
  })
})

it.each(['mean_squared_error', 'mse'] as const)('takes the loss "%s" under any of its names', async loss => {
  expect(await trained({ loss }, values)).toBe(await trained({ loss: 'mean-squared-error' }, values))
})

it('takes the absolute error, whose value is that by hand', async () => {
  const model = await AutoModel.fromOnnx(file, { loss: 'l1' })
  const trainer = quietTrainer<TrainableModel>({
    model,
    evalDataset: rows.map(({ x }, i) => ({ x, label: values.of(i) })),
    dataCollator: given => ({
      x: Tensor.from(
        'float32',
        given.map(row => row.x as number[]),
      ),
      labels: Tensor.from('float32', given.map(row => row.label) as number[]),
    }),
    args: { outputDir: temporaryFolder() },
  })
  onTestFinished(() => trainer.dispose())
  const { predictions, labelIds, metrics } = await trainer.predict(trainer.evalDataset as never)
  const labels = (labelIds as Tensor).data
  const errors = Float64Array.from(predictions.data as Float32Array, (value, i) => Math.abs(value - Number(labels[i])))
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length
  expect(Number(metrics.test_loss)).toBeCloseTo(mean, 5)
})
