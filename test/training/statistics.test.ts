// batch normalization in training: normalized by the batch, statistics move with every forward pass. The official runtime
// computed what is compared here
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  AutoModel,
  type Batch,
  Tensor,
  type TrainableModel,
  type Trainer,
  type TrainingArgumentsOptions,
} from '../../src/index'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'

interface Step {
  readonly dims: number[]
  readonly images: number[]
  readonly labels: number[]
  readonly loss: number
  readonly running: Readonly<Record<string, number[]>>
}

interface Case {
  readonly steps: readonly Step[]
  readonly learningRate: number
  readonly evaluation: number
  readonly after: Readonly<Record<string, number[]>>
}

const folder = join(import.meta.dirname, '../fixtures/onnx/batchNormalization')
const { steps, learningRate, evaluation, after } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case

interface Row {
  readonly image: number[]
  readonly label: number
}

/** The rows of the steps, one after another. */
const rows: readonly Row[] = steps.flatMap(({ dims, images, labels }) => {
  const size = images.length / dims[0]!
  return labels.map((label, i) => ({ image: images.slice(i * size, (i + 1) * size), label }))
})

function collate(chosen: readonly Row[]): Batch {
  const image = Tensor.from(
    'float32',
    chosen.flatMap(row => row.image),
  ).reshape([chosen.length, 1, 5, 5])
  return {
    image,
    labels: Tensor.from(
      'int64',
      chosen.map(({ label }) => label),
    ),
  }
}

function createTrainer(
  model: TrainableModel,
  trainDataset: readonly Row[],
  args: TrainingArgumentsOptions = {},
): Trainer<TrainableModel> {
  const trainer = quietTrainer({
    model,
    trainDataset,
    evalDataset: rows.slice(0, 4),
    dataCollator: collate as never,
    args: {
      outputDir: temporaryFolder(),
      optim: 'sgd',
      learningRate,
      lrSchedulerType: 'constant',
      maxGradNorm: 0,
      perDeviceTrainBatchSize: 4,
      perDeviceEvalBatchSize: 4,
      numTrainEpochs: 1,
      trainSamplingStrategy: 'sequential',
      loggingSteps: 1,
      saveStrategy: 'no',
      logLevel: 'error',
      threads: 1,
      ...args,
    },
  })
  onTestFinished(() => trainer.dispose())
  return trainer
}

const open = (file: string): Promise<TrainableModel> =>
  AutoModel.fromOnnx(join(folder, file), { loss: 'cross-entropy' })

function expectNear(found: TrainableModel, name: string, wanted: readonly number[]): void {
  wanted.forEach((value, i) => expect(found.parameter(name).data[i], `${name}[${i}]`).toBeCloseTo(value, 4))
}

describe('statistics', () => {
  it('are no parameters to count, train, freeze or unfreeze', async () => {
    const model = await open('training.onnx')
    const trained = model.definition.parameters.filter(({ trainable }) => trainable).map(({ name }) => name)
    expect(trained.sort()).toEqual(['bn.bias', 'bn.weight', 'conv.weight', 'fc.bias', 'fc.weight'])
    expect(model.numParameters()).toBe(model.numParameters({ onlyTrainable: true }))
    model.freeze(/^bn/)
    model.unfreeze(/^bn/)
    expect(model.definition.parameters.find(({ name }) => name === 'bn.running_var')).toMatchObject({
      trainable: false,
    })
    expect(() => model.unfreeze('bn.running_mean')).toThrow(/No parameter .* is named "bn.running_mean"/)
  })

  it('move as in the official runtime, step by step', async () => {
    const model = await open('training.onnx')
    let done = 0
    for (const { labels, loss, running } of steps) {
      const trainer = createTrainer(model, rows.slice(done, done + labels.length))
      done += labels.length
      expect((await trainer.train()).trainingLoss).toBeCloseTo(loss, 4)
      for (const [name, values] of Object.entries(running)) expectNear(model, name, values)
    }
    for (const [name, values] of Object.entries(after)) expectNear(model, name, values)
    const evaluated = await createTrainer(model, rows).evaluate()
    expect(evaluated.eval_loss).toBeCloseTo(evaluation, 4)
  })

  it('stay where the file has the inference form', async () => {
    const model = await open('inference.onnx')
    const before = Array.from(model.parameter('bn.running_mean').data)
    await createTrainer(model, rows).train()
    expect(Array.from(model.parameter('bn.running_mean').data)).toEqual(before)
  })

  it('move with every micro-batch, in their order', async () => {
    const [whole, halves] = [await open('training.onnx'), await open('training.onnx')]
    await createTrainer(whole, rows.slice(0, 8), { learningRate: 1e-12 }).train()
    const accumulating = { learningRate: 1e-12, gradientAccumulationSteps: 2 }
    await createTrainer(halves, rows.slice(0, 8), accumulating).train()
    for (const name of ['bn.running_mean', 'bn.running_var'])
      expectNear(halves, name, Array.from(whole.parameter(name).data))
  })

  it('are part of checkpoints: a resumed run is the same bit for bit', async () => {
    const outputDir = temporaryFolder()
    const [through, resumed] = [await open('training.onnx'), await open('training.onnx')]
    const args: TrainingArgumentsOptions = { numTrainEpochs: 2, saveStrategy: 'steps', saveSteps: 2 }
    await createTrainer(through, rows, { ...args, outputDir }).train()
    await createTrainer(resumed, rows, args).train({ resumeFromCheckpoint: join(outputDir, 'checkpoint-2') })
    for (const [name, { data }] of through.parameters) expect(resumed.parameter(name).data, name).toEqual(data)
  })
})
