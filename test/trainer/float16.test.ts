// fp16: true on the processor, from the arguments to the checkpoint
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  AutoTokenizer,
  crossEntropy,
  DataCollatorWithPadding,
  loadDataset,
  type LossFunction,
  TrainingArguments,
  type TrainingArgumentsOptions,
} from '../../src/index'
import { hyperparameters } from '../../src/modelCard/hyperparameters'
import { smallConfig, smallModel } from '../helpers/classifier'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { broken, onlyStep } from './arguments/effects'
import { dataset, logged, run, type RunOptions, tinyModel, weights } from './support'

/** A loss so many times as large, whose gradients overflow at the loss scales that come first. */
const times =
  (factor: number): LossFunction =>
  ({ logits }, labels, _count, graph) => {
    const { sum, count } = crossEntropy(graph, logits, labels)
    return { sum: graph.mul(sum, factor), count }
  }

const steep: TrainingArgumentsOptions = { fp16: true, maxSteps: 10, learningRate: 1e-3 }
/** 130 words: a table whose gradient comes as rows. */
const overflowing = (): RunOptions => ({ model: tinyModel({ vocab_size: 130 }), computeLossFunc: times(20) })

const dropout = { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1 }

/** A hundred steps in float16 beside those in float32, and those beside the same with other masks of dropout. */
async function apartFromSingle(options: () => RunOptions): Promise<{ readonly half: number; readonly chance: number }> {
  const curve = async (args: TrainingArgumentsOptions): Promise<readonly number[]> =>
    (await run({ maxSteps: 100, learningRate: 3e-3, perDeviceTrainBatchSize: 8, ...args }, options())).losses
  const single = await curve({})
  expect(single).toHaveLength(100)
  const apart = (other: readonly number[]): number => Math.hypot(...other.map((loss, i) => loss - single[i]!)) / 10
  const [half, chance] = [await curve({ fp16: true }), await curve({ seed: 43, dataSeed: 42 })]
  expect(half).not.toEqual(single)
  return { half: apart(half), chance: apart(chance) }
}

it('a hundred steps make the losses of float32, as far as chance does not tell them apart', async () => {
  const options = (): RunOptions => ({ model: tinyModel(dropout), trainDataset: dataset(64) })
  const { half, chance } = await apartFromSingle(options)
  expect(half).toBeLessThan(chance / 100)
})

const mrpc = join(import.meta.dirname, '../../../shared/hub/datasets/nyu-mll/glue/mrpc')
const skipped = existsSync(mrpc) ? '' : ` (skipped: there is no ${mrpc})`

it.skipIf(skipped !== '')(`so do a hundred steps on MRPC's sentences${skipped}`, async () => {
  const processingClass = await AutoTokenizer.fromPretrained(join(import.meta.dirname, '../../examples/data/tokenizer'))
  const { train: pairs } = await loadDataset(join(mrpc, 'train-00000-of-00001.parquet'))
  const trainDataset = await pairs!.map(({ sentence1, sentence2 }) =>
    processingClass(String(sentence1), String(sentence2), { truncation: true, maxLength: 64 }),
  )
  const model = { ...smallConfig, hidden_size: 32, intermediate_size: 128, initializer_range: 0.02 }
  const { half, chance } = await apartFromSingle(() => ({
    model: smallModel(model),
    processingClass,
    dataCollator: new DataCollatorWithPadding({ tokenizer: processingClass }),
    trainDataset,
  }))
  expect(half).toBeLessThan(chance / 100)
})

describe('gradients that overflow', () => {
  it('are left out, and the scale is halved until they fit; the rate waits meanwhile', async () => {
    const messages = logged('info')
    const { trainer, history } = await run(steep, overflowing())
    const updates = history.filter(({ loss }) => loss !== undefined)
    expect(updates).toHaveLength(10)
    const skipped = updates.filter(({ grad_norm }) => !Number.isFinite(grad_norm)).length
    expect(skipped).toBeGreaterThan(1)
    expect(skipped).toBeLessThan(8)
    expect(updates.slice(skipped).every(({ grad_norm }) => Number.isFinite(grad_norm))).toBe(true)
    expect(updates.every(({ loss }) => Number.isFinite(loss))).toBe(true)
    expect(updates.map(({ learning_rate }) => learning_rate)).toEqual(
      updates.map((_, step) => 1e-3 * (1 - Math.max(0, step - skipped) / 10)),
    )
    expect(updates.at(-1)!.skipped_updates).toBe(skipped)
    const scales = messages.flatMap(message => /overflow at the loss scale (\d+)/.exec(message)?.[1] ?? [])
    expect(scales).toEqual(Array.from({ length: skipped }, (_, i) => String(65536 / 2 ** i)))
    expect(trainer.state.globalStep).toBe(10)
  })

  it('change no parameter', async () => {
    const { trainer } = await run({ ...steep, maxSteps: 1 }, overflowing())
    expect(weights(trainer.model)).toEqual(weights(tinyModel({ vocab_size: 130 })))
  })

  it('leave nothing behind: what follows are the updates of a run whose scale fitted from the start', async () => {
    const first = await run({ ...steep, learningRate: 0, maxSteps: 9 }, overflowing())
    const norms = first.history.flatMap(({ grad_norm: norm }) => (Number.isFinite(norm) ? [norm as number] : []))
    const single = await run({ learningRate: 0, maxSteps: 9 }, overflowing())
    const expected = single.history.flatMap(({ grad_norm: norm }) => (typeof norm === 'number' ? [norm] : []))
    expect(norms.length).toBeGreaterThan(2)
    norms.forEach((norm, i) => expect(norm / expected.slice(-norms.length)[i]!).toBeCloseTo(1, 2))
  })

  it('are a reason to stop where no scale can be to blame', async () => {
    const infinite = { ...overflowing(), computeLossFunc: times(1e9) }
    await expect(run({ ...steep, maxSteps: 40 }, infinite)).rejects.toThrow(/gradient norm is .* at step 17 /)
  })
})

it('a loss that is not finite stops the run as it does in float32', async () => {
  await expect(run({ ...onlyStep, fp16: true }, { model: broken() })).rejects.toThrow(/loss is NaN at step 1 /)
})

it.each<[string, TrainingArgumentsOptions]>([
  ['accumulation', { gradientAccumulationSteps: 2 }],
  ['a norm that clips', { maxGradNorm: 0.1 }],
  ['layers computed again', { gradientCheckpointing: true }],
  ['an update that is not elementwise', { optim: 'adafactor' }],
  ['evaluation', { fp16FullEval: true, evalStrategy: 'epoch' }],
])('trains as in float32 with %s', async (_, args) => {
  const options = (): RunOptions => ({ model: tinyModel({ vocab_size: 130 }) })
  const single = await run({ learningRate: 1e-3, ...args, fp16FullEval: false }, options())
  const half = await run({ learningRate: 1e-3, ...args, fp16: true }, options())
  half.losses.forEach((loss, i) => expect(Math.abs(loss / single.losses[i]! - 1)).toBeLessThan(2 ** -8))
  expect(half.losses).not.toEqual(single.losses)
  half.evaluations.forEach(({ eval_loss: loss }, i) =>
    expect(Math.abs((loss as number) / (single.evaluations[i]!.eval_loss as number) - 1)).toBeLessThan(2 ** -8),
  )
})

it.each([1, 2, 3, 7])('resumes bit for bit after step %i, with the scale and the rate where they stood', async step => {
  const outputDir = temporaryFolder()
  const args: TrainingArgumentsOptions = { ...steep, saveStrategy: 'steps', saveSteps: 1, outputDir }
  const whole = await run(args, overflowing())
  const resumed = await run(args, { ...overflowing(), resumeFromCheckpoint: `${outputDir}/checkpoint-${step}` })
  const logs = ({ history }: typeof whole): unknown =>
    history.slice(step, 10).map(({ loss, grad_norm: norm, learning_rate: rate }) => [loss, norm, rate])
  expect(logs(resumed)).toEqual(logs(whole))
  expect(weights(resumed.trainer.model)).toEqual(weights(whole.trainer.model))
})

it.each<[TrainingArgumentsOptions, RegExp]>([
  [{ fp16: true, bf16: true }, /fp16 and bf16 are both true.*Leave one of them out/s],
  [{ fp16FullEval: true, bf16FullEval: true }, /fp16FullEval and bf16FullEval are both true/],
  [{ bf16: true, device: 'webgpu' }, /bfloat16 on 'webgpu' cannot be had.*device 'cuda'/s],
])('refuses %o', (args, message) => {
  expect(() => new TrainingArguments(args)).toThrow(message)
})

it("is in the model's card as Python's Trainer writes it", () => {
  const line = '- mixed_precision_training: Native AMP'
  expect(hyperparameters(new TrainingArguments({ fp16: true }), undefined)).toContain(line)
  expect(hyperparameters(new TrainingArguments(), undefined)).not.toContain(line)
})

it('bfloat16 on a GPU of NVIDIA asks nothing of the processor', () => {
  expect(new TrainingArguments({ bf16: true, bf16FullEval: true, device: 'cuda' }).bf16).toBe(true)
})
