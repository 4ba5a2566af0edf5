// pairs of things that belong together: a class for each row of the batch, which no file knows the number of
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  AutoModel,
  type Batch,
  generateArtifacts,
  Tensor,
  type TrainableModel,
  type TrainerOptions,
  TrainingArtifacts,
} from '../../src/index'
import { expectClose } from '../helpers/expectClose'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'

interface PairBatch {
  readonly a: number[][]
  readonly b: number[][]
  readonly labels: number[]
}

interface OracleRun {
  readonly learning_rate: number
  readonly losses: number[]
  readonly batches: PairBatch[]
  readonly after: Record<string, number[]>
}

const fixtures = join(import.meta.dirname, '../fixtures/onnx/contrastive')
const file = join(fixtures, 'forward.onnx')
const oracle = JSON.parse(readFileSync(join(fixtures, 'run.json'), 'utf8')) as OracleRun

/** Each row of the dataset is a batch. */
function collate([row]: readonly Readonly<Record<string, unknown>>[]): Batch {
  const { a, b, labels } = row as unknown as PairBatch
  return { a: Tensor.from('float32', a), b: Tensor.from('float32', b), labels: Tensor.from('int64', labels) }
}

function trainerOf(
  model: TrainableModel,
  batches: readonly PairBatch[],
  options: Pick<TrainerOptions, 'classWeights'> = {},
): ReturnType<typeof quietTrainer<TrainableModel>> {
  const trainer = quietTrainer<TrainableModel>({
    ...options,
    model,
    dataCollator: collate,
    trainDataset: batches,
    evalDataset: batches,
    args: {
      outputDir: temporaryFolder(),
      maxSteps: batches.length,
      perDeviceTrainBatchSize: 1,
      perDeviceEvalBatchSize: 1,
      learningRate: oracle.learning_rate,
      lrSchedulerType: 'constant',
      optim: 'sgd',
      maxGradNorm: 0,
      trainSamplingStrategy: 'sequential',
      loggingSteps: 1,
      saveStrategy: 'no',
      logLevel: 'error',
    },
  })
  onTestFinished(() => trainer.dispose())
  return trainer
}

async function expectOracle(model: TrainableModel): Promise<void> {
  const trainer = trainerOf(model, oracle.batches)
  await trainer.train()
  const losses = trainer.state.logHistory.flatMap(({ loss }) => (typeof loss === 'number' ? [loss] : []))
  expect(losses).toHaveLength(oracle.losses.length)
  losses.forEach((loss, i) => expect(loss, `step ${i}`).toBeCloseTo(oracle.losses[i]!, 5))
  for (const [name, after] of Object.entries(oracle.after))
    expectClose(model.parameter(name).data, Float32Array.from(after), 1e-5, name)
  const { eval_loss } = await trainer.evaluate()
  expect(Number(eval_loss)).toBeGreaterThan(0)
}

describe('logits [batch, batch] against positions', () => {
  it('train as in PyTorch, as a graph', async () => {
    await expectOracle(await AutoModel.fromOnnx(file, { loss: 'cross_entropy' }))
    await expectOracle(await AutoModel.fromOnnx(file)) // whole numbers say that they are classes
  })

  it.each(['portable', 'onnxruntime-training'] as const)('train as in PyTorch, as artifacts, %s', async dialect => {
    const artifactDirectory = temporaryFolder()
    await generateArtifacts(file, { loss: 'cross-entropy', optimizer: 'sgd', artifactDirectory, dialect })
    await expectOracle(await TrainingArtifacts.fromPretrained(artifactDirectory))
  })

  it('smooth labels over the classes of the batch', async () => {
    const model = await AutoModel.fromOnnx(file)
    const { a, b } = oracle.batches[0]!
    const pairs = a.map((row, i) => ({ a: row, b: b[i]! }))
    const trainer = quietTrainer<TrainableModel>({
      model,
      dataCollator: rows => ({
        a: Tensor.from(
          'float32',
          rows.map(row => row.a as number[]),
        ),
        b: Tensor.from(
          'float32',
          rows.map(row => row.b as number[]),
        ),
        labels: Tensor.from('int32', [...rows.keys()]),
      }),
      evalDataset: pairs,
      args: { outputDir: temporaryFolder(), labelSmoothingFactor: 0.2, logLevel: 'error' },
    })
    onTestFinished(() => trainer.dispose())
    const { eval_loss } = await trainer.evaluate()
    const { predictions } = await trainer.predict(pairs)
    const logits = Array.from(predictions.data, Number)
    const each = pairs.map((_, row) => {
      const own = logits.slice(row * pairs.length, (row + 1) * pairs.length)
      const total = Math.log(own.reduce((sum, logit) => sum + Math.exp(logit), 0))
      // PyTorch's and Hugging Face's: (1 - ε) · nll + ε · the mean over the classes
      return 0.8 * (total - own[row]!) + 0.2 * (total - own.reduce((sum, logit) => sum + logit, 0) / pairs.length)
    })
    expect(Number(eval_loss)).toBeCloseTo(each.reduce((sum, loss) => sum + loss, 0) / pairs.length, 5)
  })

  it('name a label that no row of the batch has', async () => {
    const [first, ...others] = oracle.batches
    const wrong = { ...first!, labels: [0, 1, 4, 3] }
    const trainer = trainerOf(await AutoModel.fromOnnx(file), [wrong, ...others])
    await expect(trainer.train()).rejects.toThrow(/is 4, but the output has 4 classes: 0 to 3\./)
  })

  it('take no weights of classes', async () => {
    const trainer = trainerOf(await AutoModel.fromOnnx(file), oracle.batches, { classWeights: [1, 1, 1, 1] })
    await expect(trainer.train()).rejects.toThrow(
      'classWeights were given, but how many classes the output has is not known. Leave them out, or',
    )
  })
})
