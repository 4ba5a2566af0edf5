// training arguments and options beside what the files of artifacts say themselves
import { dirname, join } from 'node:path'
import {
  type GenerateArtifactsOptions,
  setLogLevel,
  Tensor,
  type TrainableModel,
  type Trainer,
  type TrainerOptions,
  TrainingArtifacts,
} from 'ts-trainer'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Checkpoint } from '../../src/artifacts/Checkpoint'
import { readCheckpointFile } from '../../src/artifacts/checkpointFile'
import { quietTrainer, type QuietOptions } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { generated, mlpFile } from './generated'

setLogLevel('error')

const rows = [0, 1, 2, 1].map((label, i) => ({ x: [Math.sin(i), Math.cos(3 * i)], labels: label }))

type Given = Omit<TrainerOptions<TrainableModel>, 'args'> & { readonly args?: QuietOptions<TrainableModel>['args'] }

/** A Trainer of artifacts that are made of a small model. */
async function trainerOf(given: Given = {}, options: GenerateArtifactsOptions = {}): Promise<Trainer<TrainableModel>> {
  const { trainingModel } = await generated(options, mlpFile())
  const trainer = quietTrainer<TrainableModel>({
    model: await TrainingArtifacts.fromPretrained(dirname(trainingModel)),
    trainDataset: rows,
    dataCollator: batch => ({
      x: Tensor.from(
        'float32',
        batch.map(row => row.x as number[]),
      ),
      labels: Tensor.from(
        'int64',
        batch.map(row => row.labels as number),
      ),
    }),
    ...given,
    args: {
      outputDir: temporaryFolder(),
      maxSteps: 1,
      perDeviceTrainBatchSize: 4,
      learningRate: 1,
      lrSchedulerType: 'constant',
      saveStrategy: 'no',
      ...given.args,
    },
  })
  onTestFinished(() => trainer.dispose())
  return trainer
}

describe('a loss that is inside of the graphs', () => {
  it.each<[string, Given]>([
    ['a custom loss was', { computeLossFunc: ({ logits }, _labels, _count, graph) => graph.sum(logits!) }],
    ['labelSmoothingFactor was', { args: { labelSmoothingFactor: 0.1 } }],
    ['classWeights were', { classWeights: [1, 2, 1] }],
    ['classWeights were', { classWeights: 'balanced' }],
  ])('is no other: %s given', async (what, given) => {
    const trainer = await trainerOf(given)
    await expect(trainer.train()).rejects.toThrow(
      new RegExp(`The loss of \\S*eval_model.onnx is inside of its graphs, but ${what} given\\. Leave that out, or`),
    )
  })
})

describe('the largest norm of gradients', () => {
  /** How far an update by SGD at a rate of 1 moves the parameters: the norm of what it is given. */
  async function moved(given: Given['args'], maxGradNorm?: number): Promise<number> {
    const trainer = await trainerOf({ args: { ...given } }, { optimizer: { name: 'sgd', maxGradNorm } })
    const before = [...trainer.model.parameters.values()].flatMap(({ data }) => [...data])
    await trainer.train()
    const after = [...trainer.model.parameters.values()].flatMap(({ data }) => [...data])
    return Math.hypot(...after.map((value, i) => value - before[i]!))
  }

  it("is the file's, unless it is given", async () => {
    const free = await moved({})
    expect(free).toBeGreaterThan(0.2)
    expect(await moved({}, 0.1)).toBeCloseTo(0.1, 5)
    expect(await moved({ maxGradNorm: 0.05 }, 0.1)).toBeCloseTo(0.05, 5)
    expect(await moved({ maxGradNorm: 0.15 }, 0.1)).toBeCloseTo(0.15, 5)
    expect(await moved({ maxGradNorm: 0 }, 0.1)).toBeCloseTo(free, 5)
    expect(await moved({ maxGradNorm: 0.1 })).toBeCloseTo(0.1, 5)
  })
})

it('what needs labels is no prediction: the advice names values that can be one', async () => {
  const folder = dirname((await generated({}, mlpFile())).checkpoint)
  const unlabelled = rows.map(({ x }) => ({ x }))
  const predicted = async (outputs: string[]): Promise<unknown> => {
    const model = await TrainingArtifacts.fromPretrained(folder, { outputs })
    const trainer = quietTrainer<TrainableModel>({ model, args: { outputDir: temporaryFolder() } })
    onTestFinished(() => trainer.dispose())
    return (await trainer.predict(unlabelled)).predictions
  }
  const message = await predicted(['loss']).catch((error: unknown) => (error as Error).message)
  const named =
    /eval_model.onnx: the outputs that were chosen need labels\. Name values of its graph that need none: fromPretrained\(folder, \{ outputs: \['([^']+)'\] \}\)\.$/
  const [, name] = named.exec(String(message))!
  expect(await predicted([name!])).toMatchObject({ dims: [4, 3] })
})

it('the best parameters are saved with the state of the last update, or without', async () => {
  const args = {
    maxSteps: 3,
    loadBestModelAtEnd: true,
    metricForBestModel: 'loss',
    evalStrategy: 'steps',
    evalSteps: 1,
    saveStrategy: 'steps',
    saveSteps: 1,
    learningRate: 0.01,
    greaterIsBetter: true, // so that the first update is the best one
  } as const
  const after = async (given: NonNullable<Given['args']>): Promise<Checkpoint> => {
    const trainer = await trainerOf({ args: given, evalDataset: rows })
    await trainer.train()
    if ('loadBestModelAtEnd' in given) expect(trainer.state.bestGlobalStep).toBe(1)
    const file = join(temporaryFolder(), 'checkpoint')
    await (trainer.model as TrainingArtifacts).saveCheckpoint(file)
    await (trainer.model as TrainingArtifacts).saveCheckpoint(`${file}.without`, { includeOptimizerState: false })
    expect((await readCheckpointFile(`${file}.without`)).optimizer).toBeUndefined()
    return readCheckpointFile(file)
  }
  const { loadBestModelAtEnd, ...toTheEnd } = args
  expect(loadBestModelAtEnd).toBe(true)
  const [best, last] = [await after(args), await after(toTheEnd)]
  const first = await after({ ...toTheEnd, maxSteps: 1 })
  expect(best.trained).toEqual(first.trained)
  expect(best.trained).not.toEqual(last.trained)
  expect(best.optimizer).toEqual(last.optimizer)
  expect(best.optimizer!.step).toBe(3)
})
