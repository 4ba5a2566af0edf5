// What ts-trainer computes with artifacts: by its Trainer, and pass by pass for the losses of micro-batches.
import { join } from 'node:path'
import { artifactsModel } from '../../src/artifacts/artifactsModel'
import type { Checkpoint } from '../../src/artifacts/Checkpoint'
import { readCheckpointFile } from '../../src/artifacts/checkpointFile'
import { readArtifacts } from '../../src/artifacts/readArtifacts'
import { signatureOf } from '../../src/artifacts/signature'
import { TrainingArtifacts } from '../../src/artifacts/TrainingArtifacts'
import { createEngine } from '../../src/engine/Engine'
import { PrinterCallback, Trainer } from '../../src/index'
import { createModelGraph } from '../../src/models/modelGraph'
import { GraphBuilder } from '../../src/onnx/builder'
import { encode } from '../../src/onnx/encode'
import { alone } from '../../src/processes/ProcessGroup'
import type { Batch, Tensor } from '../../src/tensor'
import { Runner } from '../../src/training/Runner'
import { createEngines, type Engines } from '../../src/training/engines'
import { placesInUpdate } from '../../src/training/updates'
import { watchedEngines } from './placement'
import { type Plain, plainOf, tensorOf } from './plainTensor'

/** What the official runtime computed. */
export interface ArtifactCase {
  /** The names of what is fed, in order. */
  readonly inputs: readonly string[]
  /** Micro-batches in an update. */
  readonly accumulate: number
  readonly steps: readonly {
    readonly inputs: readonly Plain[]
    readonly learning_rate: number
    readonly loss: number
    readonly logits?: Plain
  }[]
  readonly evaluation: { readonly inputs: readonly Plain[]; readonly loss: number }
  readonly parameters: Readonly<Record<string, { readonly norm: number; readonly head: readonly number[] }>>
}

/** What we compute, under the oracle's names, and the checkpoint that we save. */
export interface ArtifactRun extends Pick<ArtifactCase, 'parameters'> {
  readonly steps: readonly { readonly loss: number; readonly logits?: Plain }[]
  readonly evaluation: { readonly loss: number }
  readonly checkpoint: Checkpoint
  /** The nodes of the passes that copied from the device in the middle of a run. */
  readonly roundTrips: readonly string[]
}

/** Trains on a case's batches, at its rates, and evaluates. */
export async function runArtifacts(
  folder: string,
  oracle: ArtifactCase,
  outputDir: string,
  device = 'cpu',
): Promise<ArtifactRun> {
  const watched = device === 'cpu' ? undefined : await watchedEngines(device)
  const engines = watched?.engines ?? (await createEngines({ engine: {} }))
  let roundTrips: readonly string[] = []
  const steps = await passes(folder, oracle, engines, () => {
    roundTrips = watched?.strays().filter(node => node.startsWith('MemcpyToHost')) ?? []
  })
  const model = await TrainingArtifacts.fromPretrained(folder, { accumulation: 'sum' })
  const batches = [...oracle.steps, oracle.evaluation].map(({ inputs }) => batchOf(oracle, inputs))
  const trainer = trainerOf(model, oracle, batches, { outputDir, device })
  trainer.removeCallback(PrinterCallback)
  try {
    await trainer.train()
    const { eval_loss: loss } = await trainer.evaluate([{ batch: batches.length - 1 }])
    const file = join(outputDir, 'checkpoint')
    await model.saveCheckpoint(file)
    return {
      steps,
      roundTrips,
      evaluation: { loss: Number(loss) },
      parameters: Object.fromEntries([...model.parameters].map(([name, tensor]) => [name, summaryOf(tensor)])),
      checkpoint: await readCheckpointFile(file),
    }
  } finally {
    await trainer.dispose()
  }
}

function trainerOf(
  model: TrainingArtifacts,
  oracle: ArtifactCase,
  batches: readonly Batch[],
  own: { readonly outputDir: string; readonly device: string },
): Trainer<TrainingArtifacts> {
  const rates = oracle.steps.filter((_, i) => i % oracle.accumulate === 0).map(step => step.learning_rate)
  return new Trainer({
    model,
    args: {
      ...own,
      learningRate: 1,
      perDeviceTrainBatchSize: 1, // a row stands for a batch
      gradientAccumulationSteps: oracle.accumulate,
      numTrainEpochs: 1,
      trainSamplingStrategy: 'sequential',
      removeUnusedColumns: false,
      saveStrategy: 'no',
      disableTqdm: true,
    },
    trainDataset: oracle.steps.map((_, batch) => ({ batch })),
    dataCollator: rows => batches[Number(rows[0]!.batch)]!,
    optimizers: [undefined, step => rates[Math.min(step, rates.length - 1)]!],
  })
}

/** The same passes and updates one by one: the loss of each, and its logits where the case has them. */
async function passes(
  folder: string,
  oracle: ArtifactCase,
  engines: Engines,
  afterwards: () => void,
): Promise<ArtifactRun['steps']> {
  const model = await TrainingArtifacts.fromPretrained(folder, { accumulation: 'sum' })
  const { optimizer, maxGradNorm, weightDecay } = model.updateRule!
  const runner = new Runner(engines, { model })
  const steps: { loss: number; logits?: Plain }[] = []
  try {
    await runner.beginTraining({ optimizer, weightDecay: () => weightDecay, seed: 42 })
    for (let at = 0; at < oracle.steps.length; at += oracle.accumulate) {
      const update = oracle.steps.slice(at, at + oracle.accumulate)
      const feeds = update.map(({ inputs }) => runner.feed(batchOf(oracle, inputs), row => `row ${row}`))
      const places = await placesInUpdate(feeds, alone, { microBatches: feeds.length, rows: 0 })
      const microBatches = places.map((place, index) => ({ step: at / oracle.accumulate, index, ...place }))
      let before = 0
      for await (const batch of runner.training.prepared(feeds, microBatches)) {
        const { feed } = batch
        const { index } = batch.microBatch
        if (update[index]!.logits !== undefined) await runner.synchronise()
        const logits =
          update[index]!.logits && (await trainingLogits(folder, model, { ...feed.inputs, ...feed.labels!.inputs }))
        await runner.training.run(batch)
        const { loss } = await runner.store.sums()
        steps.push({ loss: loss - before, ...(logits !== undefined && { logits: plainOf(logits) }) })
        before = loss
      }
      const numbers = { step: at / oracle.accumulate + 1, rate: update[0]!.learning_rate }
      await runner.store.update({ ...numbers, maxNorm: maxGradNorm })
    }
    afterwards()
    return steps
  } finally {
    await runner.dispose()
  }
}

/** The output `logits` of the training graph itself, which the Trainer has no use for. */
async function trainingLogits(folder: string, { parameters }: TrainingArtifacts, inputs: Batch): Promise<Tensor> {
  const { training, evaluation, checkpoint } = await readArtifacts({ folder, prefix: '', checkpoint: undefined })
  const signature = signatureOf(training, evaluation, checkpoint, ['logits'])
  const parts = { training, signature, constants: new Map<string, Tensor>(), accumulation: 'sum' as const }
  const model = artifactsModel({ ...parts, evaluation: training })
  const graph = new GraphBuilder('logits', true)
  const data = model.declareInference(graph)
  const written = createModelGraph(graph, {
    parameter: (name, shape) => graph.input(name, 'float32', shape),
    training: true,
  })
  const { outputs } = model.ownLoss!.evaluation(written, data, model.head.declare(graph, {}))
  const engine = await createEngine({})
  try {
    const program = await engine.load(encode(graph.build({ logits_again: outputs.logits! })).model)
    const given = { ...Object.fromEntries(parameters), ...inputs }
    const found = await program.run(Object.fromEntries(program.inputs.map(({ name }) => [name, given[name]!])))
    return found.logits_again as Tensor
  } finally {
    engine.dispose()
  }
}

function batchOf({ inputs: names }: ArtifactCase, inputs: readonly Plain[]): Batch {
  return Object.fromEntries(names.map((name, i) => [name, tensorOf(inputs[i]!)]))
}

function summaryOf({ data }: Tensor<'float32'>): { norm: number; head: number[] } {
  return { norm: Math.sqrt(data.reduce((sum, value) => sum + value * value, 0)), head: [...data.subarray(0, 4)] }
}
