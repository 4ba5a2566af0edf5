import { copyFileSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readCheckpointFile } from '../../src/artifacts/checkpointFile'
import { signatureOf } from '../../src/artifacts/signature'
import { readOnnxGraph } from '../../src/auto/onnxFile'
import { type Plain, tensorOf } from '../../scripts/reference/plainTensor'
import { Trainer, TrainingArtifacts, type TrainingArtifactsOptions } from '../../src/index'
import type { Batch } from '../../src/tensor'
import { temporaryFolder } from '../helpers/temporaryFolder'

interface Wanted {
  readonly inputs: readonly string[]
  readonly learning_rate: number
  readonly steps: readonly { readonly inputs: readonly Plain[]; readonly loss: number }[]
  readonly evaluation: { readonly loss: number }
  readonly parameters: Readonly<Record<string, { readonly norm: number }>>
}

const folderOf = (name: string): string => fileURLToPath(new URL(`../fixtures/onnx/artifacts-${name}`, import.meta.url))
const caseOf = <T>(name: string): T => JSON.parse(readFileSync(`${folderOf(name)}/case.json`, 'utf8')) as T

/** A Trainer on the batches of a case, one a step. */
function trainerOn(
  model: TrainingArtifacts,
  { inputs, learning_rate, steps }: Wanted,
  args: object = {},
): Trainer<TrainingArtifacts> {
  const batches = steps.map((step): Batch =>
    Object.fromEntries(inputs.map((name, i) => [name, tensorOf(step.inputs[i]!)])),
  )
  return new Trainer({
    model,
    args: {
      outputDir: temporaryFolder(),
      learningRate: learning_rate,
      lrSchedulerType: 'constant',
      perDeviceTrainBatchSize: 1,
      numTrainEpochs: 1,
      trainSamplingStrategy: 'sequential',
      removeUnusedColumns: false,
      saveStrategy: 'no',
      loggingSteps: 1,
      logLevel: 'error',
      ...args,
    },
    trainDataset: batches.map((_, batch) => ({ batch })),
    dataCollator: rows => batches[Number(rows[0]!.batch)]!,
  })
}

async function expectRun(model: TrainingArtifacts, want: Wanted): Promise<void> {
  const trainer = trainerOn(model, want)
  try {
    await trainer.train()
    const losses = trainer.state.logHistory.flatMap(({ loss }) => (typeof loss === 'number' ? [loss] : []))
    expect(losses).toHaveLength(want.steps.length)
    losses.forEach((loss, i) => expect(loss).toBeCloseTo(want.steps[i]!.loss, 5))
    expect((await trainer.evaluate([{ batch: 0 }])).eval_loss).toBeCloseTo(want.evaluation.loss, 5)
    for (const [name, { norm }] of Object.entries(want.parameters))
      expect(Math.hypot(...model.parameter(name).data) / norm, name).toBeCloseTo(1, 4)
  } finally {
    await trainer.dispose()
  }
}

const open = (name: string, options: TrainingArtifactsOptions = {}): Promise<TrainingArtifacts> =>
  TrainingArtifacts.fromPretrained(folderOf(name), options)

describe('official artifacts in the Trainer', () => {
  it('have what the official runtime computes, with a prefix and further outputs', async () => {
    const model = await open('prefix-and-outputs', { prefix: 'pebble_v2.' })
    expect(model.definition.head.outputNames).toEqual(['hidden', 'logits'])
    await expectRun(model, caseOf<{ want: Wanted }>('prefix-and-outputs').want)
  })

  it('say which prefix the files have', async () => {
    await expect(open('prefix-and-outputs')).rejects.toThrow(
      /There are files with the prefix 'pebble_v2\.': give prefix\./,
    )
    await expect(open('nominal-checkpoint', { prefix: 'x_' })).rejects.toThrow(
      /There are files without a prefix: leave prefix out\./,
    )
  })

  it('are refused where training and evaluation graph were mixed up', async () => {
    const [source, mixed] = [folderOf('prefix-and-outputs'), temporaryFolder()]
    const others: Readonly<Record<string, string>> = { training_model: 'eval_model', eval_model: 'training_model' }
    for (const name of ['training_model', 'eval_model'])
      copyFileSync(`${source}/pebble_v2.${name}.onnx`, `${mixed}/${others[name]!}.onnx`)
    copyFileSync(`${source}/pebble_v2.checkpoint`, `${mixed}/checkpoint`)
    await expect(TrainingArtifacts.fromPretrained(mixed)).rejects.toThrow(
      /training_model\.onnx is not a training graph: .* Check that the files were not mixed up\./,
    )
  })

  it('are not trained by a nominal checkpoint before its parameters are given', async () => {
    const { want } = caseOf<{ want: { checkpoint: Wanted } }>('nominal-checkpoint')
    const model = await open('nominal-checkpoint', { nominal: true })
    await expect(trainerOn(model, want.checkpoint).train()).rejects.toThrow(
      /nominal_checkpoint is a nominal checkpoint/,
    )
    const bytes = readFileSync(`${folderOf('nominal-checkpoint')}/parameters.f32`)
    const buffer = new Float32Array(new Uint8Array(bytes).buffer)
    expect(() => model.loadParameters(buffer.subarray(1))).toThrow('The parameters have 87 values, but 86 were given.')
    model.loadParameters(buffer)
    expect(model.getContiguousParameters()).toEqual(buffer)
    await expectRun(model, want.checkpoint)
  })

  it.each([undefined, 2 ** 40, 'rows'])('are refused where nothing says how long a parameter is (%s)', async length => {
    const training = await readOnnxGraph(`${folderOf('nominal-checkpoint')}/training_model.onnx`)
    const evaluation = await readOnnxGraph(`${folderOf('nominal-checkpoint')}/eval_model.onnx`)
    const file = `${folderOf('nominal-checkpoint')}/nominal_checkpoint`
    const checkpoint = { ...(await readCheckpointFile(file)), file }
    const [name] = [...checkpoint.trained.keys()]
    const inputs = training.graph.inputs.map(input =>
      input.name !== name ? input : { name, type: length === undefined ? length : { ...input.type!, shape: [length] } },
    )
    const changed = { file: 'training_model.onnx', model: { ...training, graph: { ...training.graph, inputs } } }
    expect(() => signatureOf(changed, { file: 'eval_model.onnx', model: evaluation }, checkpoint, undefined)).toThrow(
      `training_model.onnx: a parameter cannot have the shape [${length ?? 'unknown'}], as "${name}" has.`,
    )
  })

  it.each([[[]], ['logits'], [[1]]])('export no outputs that are %j', async outputs => {
    const model = await open('prefix-and-outputs', { prefix: 'pebble_v2.' })
    await expect(model.exportForInference('never.onnx', outputs as never)).rejects.toThrow(
      /a list of names was expected/,
    )
  })

  it('are evaluated in float16, but not trained in it, since their gradients are made already', async () => {
    const { want } = caseOf<{ want: Wanted }>('prefix-and-outputs')
    const model = await open('prefix-and-outputs', { prefix: 'pebble_v2.' })
    await expect(trainerOn(model, want, { fp16: true }).train()).rejects.toThrow(
      /fp16 was given, but .* brings its own gradients.*bf16/s,
    )
    const loss = async (args: object): Promise<number> =>
      (await trainerOn(model, want, args).evaluate([{ batch: 0 }])).eval_loss!
    const [single, half] = [await loss({}), await loss({ fp16FullEval: true })]
    expect(half).not.toBe(single)
    expect(half / single).toBeCloseTo(1, 2)
  })

  it.each([
    [{ weightDecay: 0.1 }, 'weightDecay is 0.1'],
    [{ adamEpsilon: 1e-8 }, 'adamEpsilon is 1e-8'], // the argument's default, but given
    [{ adamBeta1: 0.9, adamBeta2: 0.99, adamEpsilon: 1e-6, weightDecay: 0 }, 'adamBeta2 is 0.99'],
  ])('refuse arguments that their optimizer decides otherwise: %o', async (args, problem) => {
    const { want } = caseOf<{ want: Wanted }>('prefix-and-outputs')
    const model = await open('prefix-and-outputs', { prefix: 'pebble_v2.' })
    const trained = trainerOn(model, want, args).train()
    await expect(trained).rejects.toThrow(/optimizer_model\.onnx decides the update rule/)
    await expect(trained).rejects.toThrow(new RegExp(`^${problem}, but `))
  })
})
