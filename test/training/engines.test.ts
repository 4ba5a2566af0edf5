import { describe, expect, it, vi } from 'vitest'
import type { Engine, EngineOptions } from '../../src/engine/types'
import type { Batch, PackedBatch } from '../../src/models/packing'
import { adamw } from '../../src/optim/adamw'
import type { Use } from '../../src/training/engines'
import { Runner, type RunnerOptions } from '../../src/training/Runner'
import { classes, type Computed, differing, randomBatch, tinyModel } from '../models/support'

/** What was loaded where: by 'float32' and 'bfloat16'. */
const loaded = vi.hoisted(() => ({ float32: [] as string[], bfloat16: [] as string[] }))

// stands in for OpenVINO's engine, which needs AMX: the processor's own, which is given rounded shapes as that one is
vi.mock('../../src/engine/Engine', async importOriginal => {
  const original = await importOriginal<{ createEngine: (options: EngineOptions) => Promise<Engine> }>()
  const createEngine = async ({ precision, ...options }: EngineOptions): Promise<Engine> => {
    const engine = await original.createEngine(options)
    const note = loaded[precision ?? 'float32']
    return new Proxy(engine, {
      get(target, key) {
        if (key === 'preparesShapes') return precision === 'bfloat16'
        if (key === 'load')
          return (model: Uint8Array, given: { name?: string } = {}) => (
            note.push(given.name ?? ''),
            target.load(model, given)
          )
        const value: unknown = Reflect.get(target, key)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }
  return { ...original, createEngine }
})

const lengths = [
  [9, 3, 1, 7, 2, 6, 5, 8],
  [12, 11, 2, 4, 9, 1, 3, 6],
  [1, 2, 1, 3, 2, 1, 1, 2],
]
const batches: readonly Batch[] = lengths.map((rows, i) =>
  randomBatch(rows, classes(2, 0, 1, 1, 0, 2, 2, 1), { seed: i + 1 }),
)

interface Trained extends Computed {
  readonly losses: number[]
  readonly logits: number[]
  /** Of the batches that were trained on, and of the one that was evaluated. */
  readonly packed: Readonly<Record<Use, PackedBatch[]>>
}

/** Some updates of a small BERT with dropout, the gradients of a last one, and logits. */
async function run(options: Partial<RunnerOptions>): Promise<Trained> {
  for (const names of Object.values(loaded)) names.length = 0
  const model = await tinyModel('bert', { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1 })
  const runner = await Runner.create({ model, engine: { threads: 1 }, loss: {}, batchSize: 8, ...options })
  try {
    await runner.beginTraining({ optimizer: adamw(), weightDecay: () => 0.01, seed: 7 }, batches[0]!.labels!)
    const losses: number[] = []
    const packed: Record<Use, PackedBatch[]> = { training: [], evaluation: [] }
    for (const [step, batch] of batches.entries()) {
      const prepared = runner.prepare(batch, String)
      packed.training.push(prepared.packed)
      losses.push((await runner.train(prepared, { step, index: 0, count: prepared.count })).loss)
      if (step < batches.length - 1) await runner.state.update({ step: step + 1, rate: 1e-3, scale: 1 })
    }
    const gradients = await runner.state.gradients()
    const evaluated = runner.prepare(batches[1]!, String, 'evaluation')
    packed.evaluation.push(evaluated.packed)
    const { logits } = await runner.evaluate(evaluated)
    return {
      packed,
      losses,
      loss: losses.at(-1)!,
      count: batches.at(-1)!.labels!.size,
      gradients: new Map([...gradients].map(([name, { data }]) => [name, Float64Array.from(data as Float32Array)])),
      logits: [...logits.data],
    }
  } finally {
    await runner.dispose()
  }
}

describe('training on two engines', () => {
  it.each<
    [string, Pick<RunnerOptions, 'gradientCheckpointing'> & { bfloat16: NonNullable<RunnerOptions['bfloat16']> }]
  >([
    ['forward and backward', { bfloat16: { training: true, evaluation: false } }],
    ['with layers computed again', { bfloat16: { training: true, evaluation: false }, gradientCheckpointing: true }],
    ['evaluation as well', { bfloat16: { training: true, evaluation: true } }],
    ['evaluation only', { bfloat16: { training: false, evaluation: true } }],
  ])('%s: what rounding adds to shapes changes nothing', async (_what, options) => {
    const expected = await run({ gradientCheckpointing: options.gradientCheckpointing ?? false })
    expect(loaded.bfloat16).toEqual([])
    const given = await run(options)
    const { training, evaluation } = options.bfloat16
    expect(loaded[training ? 'bfloat16' : 'float32'].filter(name => name.startsWith('training'))).not.toEqual([])
    expect(loaded[evaluation ? 'bfloat16' : 'float32'].filter(name => name.startsWith('evaluation'))).not.toEqual([])
    expect(loaded[training ? 'float32' : 'bfloat16'].filter(name => name.startsWith('training'))).toEqual([])
    for (const use of ['training', 'evaluation'] as const) {
      for (const { tokens, realTokens, groups } of given.packed[use]) {
        if (options.bfloat16[use])
          expect([tokens % 64, tokens > realTokens, groups.length, groups[0]!.width % 16]).toEqual([0, true, 1, 0])
        else expect([tokens, groups.length]).toEqual([realTokens, 2])
      }
    }
    given.losses.forEach((loss, i) => expect(loss / expected.losses[i]!).toBeCloseTo(1, 5))
    given.logits.forEach((logit, i) => expect(logit).toBeCloseTo(expected.logits[i]!, 4))
    expect(differing(given, expected)).toEqual([])
  })
})
