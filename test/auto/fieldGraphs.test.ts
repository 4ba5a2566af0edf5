// graphs as people have them: other opsets, other outputs, tied weights, lengths of 1; values of PyTorch
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Plain, tensorOf } from '../../scripts/reference/plainTensor'
import { AutoModel, type Batch, type FromOnnxOptions, Tensor, type TrainableModel } from '../../src/index'
import { compute, withEvaluation, withRunner } from '../helpers/compute'
import { logMessages } from '../helpers/logMessages'
import { sharedEngines } from '../helpers/sharedEngines'
import { temporaryFolder } from '../helpers/temporaryFolder'

interface Run {
  readonly file: string
  readonly inputs?: Readonly<Record<string, Plain>>
  readonly target?: Plain
  readonly loss: number
  readonly outputs?: Readonly<Record<string, Plain>>
  readonly gradients: Readonly<Record<string, { readonly norm: number; readonly first: number[] }>>
  readonly refuse?: string
}

interface FieldCase {
  readonly inputs: Readonly<Record<string, Plain>>
  readonly target: Plain
  readonly runs: readonly Run[]
  readonly training: readonly {
    readonly kept: number[]
    readonly loss: number
    readonly w: number
    readonly v: number
  }[]
}

const folder = join(import.meta.dirname, '../fixtures/onnx/field')
const loss: FromOnnxOptions = { loss: 'cross_entropy' }
const messages = logMessages()
const shared = sharedEngines()

function fieldCase(name: string): FieldCase {
  return JSON.parse(readFileSync(join(folder, name, 'case.json'), 'utf8')) as FieldCase
}

function batchOf(given: FieldCase, run: Run): Batch {
  const inputs = Object.entries(run.inputs ?? given.inputs).map(([name, stored]) => [name, tensorOf(stored)] as const)
  return { ...Object.fromEntries(inputs), labels: tensorOf(run.target ?? given.target) }
}

/** Loss and gradients of a batch are PyTorch's; no other parameter has a gradient. */
async function expectGradients(model: TrainableModel, batch: Batch, run: Run): Promise<void> {
  const found = await compute(model, [batch], shared)
  expect(found.loss / found.count / run.loss).toBeCloseTo(1, 5)
  expect([...found.gradients.keys()].toSorted()).toEqual(Object.keys(run.gradients).toSorted())
  const largest = Math.max(...Object.values(run.gradients).map(({ norm }) => norm))
  for (const [name, { norm, first }] of Object.entries(run.gradients)) {
    const own = found.gradients.get(name)!.map(value => value / found.count)
    const slack = Math.max(1e-4 * norm, 2e-6 * largest)
    expect(Math.abs(Math.hypot(...own) - norm), name).toBeLessThanOrEqual(slack)
    first.forEach((value, i) => expect(Math.abs(own[i]! - value), `${name}[${i}]`).toBeLessThanOrEqual(slack))
  }
}

async function expectLogits(model: TrainableModel, batch: Batch, logits: Plain | undefined): Promise<void> {
  if (logits === undefined) return
  await withEvaluation(model, shared, async evaluate => {
    const found = await evaluate(batch)
    expect(found.logits.dims).toEqual(logits.shape)
    const largest = Math.max(...logits.data.map(Math.abs))
    logits.data.forEach((value, i) => {
      expect(Math.abs(found.logits.data[i]! - value), `logits[${i}]`).toBeLessThanOrEqual(2e-5 * largest)
    })
  })
}

describe.each([
  'softmax-before-13',
  'inputs-that-are-initializers',
  'outputs-that-are-not-logits',
  'tied-initializers',
  'dynamic-broadcasting',
  'opset-18-to-21',
  'fused-operators',
])('%s', name => {
  const given = fieldCase(name)
  it.each(given.runs.map((run, i) => [`${run.file} ${i}`, run] as const))('%s', async (_, run) => {
    const path = join(folder, name, run.file)
    if (run.refuse !== undefined) {
      await expect(AutoModel.fromOnnx(path, loss)).rejects.toThrow(
        /"hidden_states" is float32\[n, 2, 4\], "pooler_output" is float32\[n, 4\]; none is called "logits".*option output/s,
      )
      return
    }
    const batch = batchOf(given, run)
    await expectGradients(await AutoModel.fromOnnx(path, loss), batch, run)
    await expectLogits(await AutoModel.fromOnnx(path, loss), batch, run.outputs?.logits)
  })
})

it('trains batches of changing shapes in one program', async () => {
  const given = fieldCase('dynamic-broadcasting')
  const model = await AutoModel.fromOnnx(join(folder, 'dynamic-broadcasting/model.onnx'), loss)
  const first = batchOf(given, given.runs[0]!)
  await withRunner(model, shared, first, async run => {
    for (const other of given.runs) {
      const found = await run([batchOf(given, other)])
      expect(found.loss / found.count / other.loss).toBeCloseTo(1, 5)
    }
  })
})

it('an output that a Softmax makes is predicted as what goes into it, and says so', async () => {
  const path = join(folder, 'outputs-that-are-not-logits/softmax.onnx')
  const model = await AutoModel.fromOnnx(path)
  expect(model.definition.head).toMatchObject({ problemType: 'single_label_classification' })
  expect(messages.join()).toContain(
    `The output "probabilities" of ${path} is made by a Softmax: the loss, cross_entropy,`,
  )
  const asNumbers = await AutoModel.fromOnnx(path, { loss: 'mean_squared_error' })
  const batch = { x: tensorOf(fieldCase('outputs-that-are-not-logits').inputs.x!) }
  await withEvaluation(asNumbers, shared, async evaluate => {
    const { logits } = await evaluate({ ...batch, labels: Tensor.zeros('float32', [4, 3]) })
    const rows = [0, 1, 2, 3].map(row => logits.data.slice(row * 3, row * 3 + 3).reduce((sum, v) => sum + v))
    for (const sum of rows) expect(sum).toBeCloseTo(1, 5)
  })
})

it.each([
  ['folded.onnx', '"E" and "onnx::MatMul_12" (transposed) of'],
  ['copied.onnx', '"E" and "head.weight" of'],
])('warns of a weight that was exported twice: %s', async (file, warning) => {
  await AutoModel.fromOnnx(join(folder, 'tied-initializers', file), loss)
  expect(messages.join()).toContain(warning)
})

describe('dropout', () => {
  const given = fieldCase('dropout-training-mode')
  const path = (file: string): string => join(folder, 'dropout-training-mode', file)

  it.each(given.runs.map(run => [run.file, run] as const))('is at rest in evaluation: %s', async (file, run) => {
    const model = await AutoModel.fromOnnx(path(file), loss)
    expect(model.inputNames).toEqual(['x'])
    expect([...model.parameters.keys()]).toEqual(['w', 'v'])
    const batch = batchOf(given, run)
    await expectLogits(model, batch, run.outputs?.logits)
    await withEvaluation(model, shared, async evaluate => {
      const { loss: sum } = await evaluate(batch)
      expect(sum!.loss / sum!.count / run.loss).toBeCloseTo(1, 5)
    })
  })

  it.each(given.runs.map(run => [run.file, run] as const))('drops in training, by the seed: %s', async (file, run) => {
    const batch = batchOf(given, run)
    const lossesOf = async (seed: number): Promise<number[]> => {
      const losses: number[] = []
      await withRunner(await AutoModel.fromOnnx(path(file), loss), { ...shared, seed }, batch, async train => {
        for (let step = 0; step < 12; step++) {
          const { loss: sum, gradients } = await train([batch], step)
          const [w, v] = ['w', 'v'].map(name => Math.hypot(...gradients.get(name)!))
          const fits = given.training.some(
            one =>
              Math.abs(sum - one.loss) < 1e-5 * one.loss && Math.abs(w! - one.w) < 1e-4 && Math.abs(v! - one.v) < 1e-4,
          )
          expect(fits, `the loss ${sum} with gradients of ${w} and ${v} is that of no mask`).toBe(true)
          losses.push(sum)
        }
      })
      return losses
    }
    const losses = await lossesOf(1)
    expect(new Set(losses).size).toBeGreaterThan(2)
    expect(await lossesOf(1)).toEqual(losses)
    expect(await lossesOf(2)).not.toEqual(losses)
  })
})

describe('is refused by name', () => {
  it('a pointer of Git LFS', async () => {
    const path = join(temporaryFolder(), 'model.onnx')
    writeFileSync(path, `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 7220\n`)
    await expect(AutoModel.fromOnnx(path)).rejects.toThrow(/model\.onnx is a pointer of Git LFS.*7220 bytes/s)
  })

  it('an output that there is not', async () => {
    const path = join(folder, 'outputs-that-are-not-logits/features.onnx')
    await expect(AutoModel.fromOnnx(path, { output: 'pooler' })).rejects.toThrow(
      /has no output "pooler": it has "hidden_states", "pooler_output"\./,
    )
    const pooled = await AutoModel.fromOnnx(path, { output: 'pooler_output' })
    expect(pooled.definition.head).toMatchObject({ width: 4, task: 'sequence-classification' })
    const hidden = await AutoModel.fromOnnx(path, { output: 'hidden_states', loss: 'mean-squared-error' })
    expect([...hidden.parameters.keys()]).toEqual(['w'])
  })

  it('a file that is cut off, by its name', async () => {
    const path = join(temporaryFolder(), 'model.onnx')
    copyFileSync(join(folder, 'tied-initializers/shared.onnx'), path)
    writeFileSync(path, readFileSync(path).subarray(0, 300))
    await expect(AutoModel.fromOnnx(path)).rejects.toThrow(/model\.onnx: /)
  })
})
