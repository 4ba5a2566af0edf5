// a graph that PyTorch exported, trained as PyTorch trains it
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  AutoModel,
  type Batch,
  type FromOnnxOptions,
  Tensor,
  type TrainableModel,
  Trainer,
  type TrainingArgumentsOptions,
} from '../../src/index'
import { expectClose } from '../helpers/expectClose'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'

interface Row {
  readonly x: number[]
  readonly labels: number[]
}

interface OracleRun {
  readonly steps: number
  readonly batch_size: number
  readonly learning_rate: number
  readonly weight_decay: number
  readonly max_grad_norm: number
  readonly rows: Row[]
  readonly losses: number[]
  readonly norms: number[]
  readonly after: Record<string, number[]>
}

const fixtures = join(import.meta.dirname, '../fixtures/onnx')
const file = join(fixtures, 'forward.onnx')
const oracle = JSON.parse(readFileSync(join(fixtures, 'run.json'), 'utf8')) as OracleRun
const mean: FromOnnxOptions = { loss: 'mean_squared_error' }

function collate(rows: readonly Readonly<Record<string, unknown>>[]): Batch {
  const column = (name: string): Tensor =>
    Tensor.from(
      'float32',
      rows.map(row => row[name] as number[]),
    )
  return { x: column('x'), labels: column('labels') }
}

interface Parts {
  readonly rows?: readonly object[]
  readonly collator?: typeof collate
  readonly kind?: typeof Trainer<TrainableModel>
}

/** A Trainer of a model, with the arguments of the oracle's run. */
function createTrainer(
  model: TrainableModel,
  args: TrainingArgumentsOptions = {},
  { rows = oracle.rows, collator = collate, kind = Trainer }: Parts = {},
): Trainer<TrainableModel> {
  const oracleArgs: TrainingArgumentsOptions = {
    outputDir: temporaryFolder(),
    maxSteps: oracle.steps,
    perDeviceTrainBatchSize: oracle.batch_size,
    learningRate: oracle.learning_rate,
    weightDecay: oracle.weight_decay,
    maxGradNorm: oracle.max_grad_norm,
    trainSamplingStrategy: 'sequential',
    loggingSteps: 1,
    saveStrategy: 'no',
    logLevel: 'error',
    threads: 1,
  }
  const data = { trainDataset: rows, evalDataset: rows, dataCollator: collator }
  const trainer = quietTrainer({ model, ...data, args: { ...oracleArgs, ...args } }, kind)
  onTestFinished(() => trainer.dispose())
  return trainer
}

function losses({ state }: Trainer<TrainableModel>): number[] {
  return state.logHistory.flatMap(({ loss }) => (typeof loss === 'number' ? [loss] : []))
}

describe('a graph that was made elsewhere', () => {
  it('trains for 20 steps as in PyTorch, with its own collator', async () => {
    const model = await AutoModel.fromOnnx(file, mean)
    const trainer = createTrainer(model)
    await trainer.train()
    expect(losses(trainer)).toHaveLength(oracle.steps)
    losses(trainer).forEach((loss, i) => expect(Math.abs(loss / oracle.losses[i]! - 1), `step ${i}`).toBeLessThan(1e-5))
    const norms = trainer.state.logHistory.flatMap(({ grad_norm }) =>
      typeof grad_norm === 'number' ? [grad_norm] : [],
    )
    norms.forEach((norm, i) => expect(Math.abs(norm / oracle.norms[i]! - 1), `step ${i}`).toBeLessThan(1e-4))
    for (const [name, after] of Object.entries(oracle.after))
      expectClose(model.parameter(name).data, Float32Array.from(after), 2e-5, name)
  })

  it('knows its parameters, inputs and size', async () => {
    const model = await AutoModel.fromOnnx(file, mean)
    expect([...model.parameters.keys()].toSorted()).toEqual(Object.keys(oracle.after).toSorted())
    expect(model.inputNames).toEqual(['x'])
    expect(model.numParameters()).toBe(8 * 12 + 12 + 12 * 10 + 10 + 10 * 3 + 3)
    expect(model.nameOrPath).toBe(file)
  })

  it('takes batches of one row: a length may be 1', async () => {
    const model = await AutoModel.fromOnnx(file, mean)
    const single = createTrainer(model, { maxSteps: 6, perDeviceTrainBatchSize: 1, gradientAccumulationSteps: 6 })
    await single.train()
    const whole = createTrainer(await AutoModel.fromOnnx(file, mean), { maxSteps: 6 })
    await whole.train()
    losses(single).forEach((loss, i) => expect(loss / losses(whole)[i]!).toBeCloseTo(1, 5))
  })

  it('trains only what the patterns name', async () => {
    const before = await AutoModel.fromOnnx(file, mean)
    const model = await AutoModel.fromOnnx(file, { ...mean, trainable: ['4', /^0\.bias$/] })
    const trained = ['0.bias', '4.bias', '4.weight']
    expect(model.numParameters({ onlyTrainable: true })).toBe(12 + 33)
    await createTrainer(model, { maxSteps: 2 }).train()
    for (const [name, { data }] of before.parameters) {
      const after = model.parameter(name).data
      if (trained.includes(name)) expect(after, name).not.toEqual(data)
      else expect(after, name).toEqual(data)
    }
    model.unfreeze('2') // what was left out may be trained later
    expect(model.numParameters({ onlyTrainable: true })).toBeGreaterThan(12 + 33)
  })

  it('evaluates, predicts, and saves a graph that gives the same predictions', async () => {
    const model = await AutoModel.fromOnnx(file, mean)
    const trainer = createTrainer(model)
    await trainer.train()
    const { eval_loss } = await trainer.evaluate()
    const { predictions } = await trainer.predict(oracle.rows)
    const squares = oracle.rows.flatMap(({ labels }, row) =>
      labels.map((label, i) => (label - Number(predictions.data[row * 3 + i])) ** 2),
    )
    expect(Number(eval_loss)).toBeCloseTo(squares.reduce((sum, v) => sum + v, 0) / squares.length, 5)
    const folder = temporaryFolder()
    await trainer.saveModel(folder)
    expect(readdirSync(folder).toSorted()).toEqual(['model.safetensors', 'onnx', 'training_args.json'])
    const again = createTrainer(await AutoModel.fromOnnx(join(folder, 'onnx/model.onnx'), mean))
    expect((await again.predict(oracle.rows)).predictions.data).toEqual(predictions.data)
  })

  it('resumes from a checkpoint to the bit', async () => {
    const whole = await AutoModel.fromOnnx(file, mean)
    const trainer = createTrainer(whole, { saveStrategy: 'steps', saveSteps: 10 })
    await trainer.train()
    const resumed = await AutoModel.fromOnnx(file, mean)
    const checkpoint = join(trainer.args.outputDir, 'checkpoint-10')
    await createTrainer(resumed).train({ resumeFromCheckpoint: checkpoint })
    for (const [name, { data }] of whole.parameters) expect(resumed.parameter(name).data, name).toEqual(data)
  })

  it('lets labels decide its loss where none is named', async () => {
    const model = await AutoModel.fromOnnx(file)
    const rows = oracle.rows.map(({ x }, i) => ({ x, label: i % 3 }))
    const collator: typeof collate = given => ({
      x: collate(given).x!,
      labels: Tensor.from(
        'int32',
        given.map(row => row.label as number),
      ),
    })
    const trainer = createTrainer(model, { maxSteps: 1 }, { rows, collator })
    await trainer.train()
    expect(model.definition.head).toMatchObject({ problemType: 'single_label_classification' })
    // three classes that it cannot tell apart yet
    expect(Math.abs(Number(trainer.state.logHistory.at(-1)!.train_loss) - Math.log(3))).toBeLessThan(0.5)
  })
})

describe('what cannot be a model is refused', () => {
  it.each<[string, FromOnnxOptions, RegExp]>([
    [
      'a pattern that no initializer has',
      { trainable: 'encoder' },
      /No parameter of .* is named "encoder", .*"0\.weight"/s,
    ],
    ['an empty list of what is trained', { trainable: [] }, /trainable is an empty list.* Leave it out .*"0\.weight"/s],
    [
      'a loss that there is not',
      { loss: 'mse_loss' as never },
      /loss is "mse_loss", which is not a loss\. .*Losses are cross_entropy, .*mean_squared_error or mse/,
    ],
    ...(
      [
        ['bce', 'binary_cross_entropy'],
        ['MSELoss', 'mean_squared_error'],
        ['mae', 'mean_absolute_error'],
        ['CrossEntropyLoss', 'cross_entropy'],
      ] as const
    ).map(([loss, meant]): [string, FromOnnxOptions, RegExp] => [
      `the loss ${loss}, which has another name here`,
      { loss: loss as never },
      new RegExp(`which is not a loss\\. Did you mean "${meant}"\\?`),
    ]),
    ['an option that there is not', { lossFunction: 'mean_squared_error' } as never, /lossFunction/],
  ])('%s', async (_, options, message) => {
    await expect(AutoModel.fromOnnx(file, options)).rejects.toThrow(message)
  })

  it('a file that is not there, and one that is not a graph', async () => {
    await expect(AutoModel.fromOnnx('nowhere.onnx')).rejects.toThrow('There is no file nowhere.onnx. Check the path.')
    const other = join(temporaryFolder(), 'other.onnx')
    writeFileSync(other, 'not a graph')
    await expect(AutoModel.fromOnnx(other)).rejects.toMatchObject({ name: 'TrainerError', code: 'file' })
  })

  it('a folder, with what to give in its place', async () => {
    const folder = temporaryFolder()
    const opened = (): Promise<unknown> => AutoModel.fromOnnx(folder)
    await expect(opened()).rejects.toThrow('where an ONNX file is expected. There is no .onnx file in it.')
    writeFileSync(join(folder, 'graph.onnx'), '')
    await expect(opened()).rejects.toThrow(`In it there are: ${folder}/graph.onnx.`)
    writeFileSync(join(folder, 'training_model.onnx'), '')
    await expect(opened()).rejects.toThrow(`Load it by TrainingArtifacts.fromPretrained('${folder}').`)
  })

  it('the folder that it was saved in, where a file has to stand or a config', async () => {
    const folder = temporaryFolder()
    const trainer = createTrainer(await AutoModel.fromOnnx(file, mean))
    await trainer.saveModel(folder)
    const graph = `${folder}/onnx/model.onnx`
    await expect(AutoModel.fromOnnx(folder)).rejects.toThrow(`In it there are: ${graph}.`)
    await expect(AutoModel.fromPretrained(folder)).rejects.toThrow(
      `is a saved model without a config, as that of a graph of another program is saved. Its graph is read by AutoModel.fromOnnx('${graph}').`,
    )
    await expect(AutoModel.fromOnnx(graph, mean)).resolves.toBeDefined()
  })

  it('a batch without an input of the graph, or of another shape', async () => {
    const model = await AutoModel.fromOnnx(file, mean)
    const training = (collator: typeof collate): Promise<unknown> => createTrainer(model, {}, { collator }).train()
    await expect(training(rows => ({ inputs: collate(rows).x!, labels: collate(rows).labels! }))).rejects.toThrow(
      'The graph takes "x", but the columns of the batch are "inputs", "labels".',
    )
    await expect(training(rows => ({ x: collate(rows).labels!, labels: collate(rows).labels! }))).rejects.toThrow(
      /"x" of the batch has the shape \[6, 3\], but the graph takes \[batch, 8\]\. Give "x" 8 along axis 1 from the data collator/,
    )
  })
})

interface ArtifactsCase {
  readonly steps: readonly {
    readonly inputs: readonly { readonly shape: number[]; readonly data: number[] }[]
    readonly learning_rate: number
    readonly loss: number
  }[]
  readonly parameters: Readonly<Record<string, { readonly norm: number }>>
}

/** A run of ONNX Runtime Training's own artifacts, made from this very graph. */
const artifacts = join(import.meta.dirname, '../../../shared/reference/artifacts/mlp-mse')
const skipped = existsSync(artifacts) ? '' : ` (skipped: there is no ${artifacts})`

it.skipIf(skipped !== '')(`gives the losses of ONNX Runtime Training${skipped}`, async () => {
  const run = JSON.parse(readFileSync(join(artifacts, 'case.json'), 'utf8')) as ArtifactsCase
  const rows = run.steps.flatMap(({ inputs: [x, target] }) =>
    Array.from({ length: x!.shape[0]! }, (_, row) => ({
      x: x!.data.slice(row * 8, (row + 1) * 8),
      labels: target!.data.slice(row * 3, (row + 1) * 3),
    })),
  )
  const model = await AutoModel.fromOnnx(join(artifacts, 'forward.onnx'), mean)
  const rates = run.steps.map(({ learning_rate }) => learning_rate)
  class Scheduled extends Trainer<TrainableModel> {
    override createScheduler(): (step: number) => number {
      return step => (rates[step] ?? 0) / rates[0]!
    }
  }
  const args: TrainingArgumentsOptions = {
    maxSteps: run.steps.length,
    learningRate: rates[0]!,
    optim: 'sgd',
    weightDecay: 0,
    maxGradNorm: 0,
  }
  const trainer = createTrainer(model, args, { rows, kind: Scheduled })
  await trainer.train()
  losses(trainer).forEach((loss, i) => expect(Math.abs(loss / run.steps[i]!.loss - 1), `step ${i}`).toBeLessThan(1e-5))
  for (const [name, { norm }] of Object.entries(run.parameters)) {
    const own = Math.hypot(...model.parameter(name).data)
    expect(Math.abs(own / norm - 1), name).toBeLessThan(1e-4)
  }
})
