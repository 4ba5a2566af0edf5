import { describe, expect, it, vi } from 'vitest'
import type { Engine, EngineOptions } from '../../src/engine/types'
import type { Batch } from '../../src/tensor'
import type { Precisions, Use } from '../../src/training/engines'
import type { LabelledFeed } from '../../src/training/LabelledFeed'
import type { RunnerOptions } from '../../src/training/runnerOptions'
import { classes, randomBatch } from '../helpers/batches'
import { type Computed, differing, evaluateBatch, withRunner } from '../helpers/compute'
import { oracleModel } from '../helpers/oracleModels'

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
  /** Of one batch, for either use. */
  readonly feeds: Readonly<Record<Use, LabelledFeed>>
}

/** Some updates of a small BERT with dropout, the gradients of a last one, and logits. */
async function run(options: Partial<RunnerOptions>): Promise<Trained> {
  for (const names of Object.values(loaded)) names.length = 0
  const model = await oracleModel('bert', { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1 })
  return withRunner(model, { batchSize: 8, ...options }, batches[0]!, async (compute, runner) => {
    const losses: number[] = []
    let last: Computed | undefined
    for (const [step, batch] of batches.entries()) {
      last = await compute([batch], step)
      losses.push(last.loss)
      if (step < batches.length - 1) await runner.store.update({ step: step + 1, rate: 1e-3 })
    }
    const feeds = {
      training: runner.feed(batches[1]!, String),
      evaluation: runner.feed(batches[1]!, String, 'evaluation'),
    }
    const { logits } = await evaluateBatch(runner, batches[1]!)
    return { ...last!, losses, feeds, logits: [...logits.data] }
  })
}

describe('training on two engines', () => {
  it.each<[string, Pick<RunnerOptions, 'gradientCheckpointing'> & { precision: Precisions }]>([
    ['forward and backward', { precision: { training: 'bfloat16' } }],
    ['with layers computed again', { precision: { training: 'bfloat16' }, gradientCheckpointing: true }],
    ['evaluation as well', { precision: { training: 'bfloat16', evaluation: 'bfloat16' } }],
    ['evaluation only', { precision: { evaluation: 'bfloat16' } }],
  ])('%s: what rounding adds to shapes changes nothing', async (_what, options) => {
    const expected = await run({ gradientCheckpointing: options.gradientCheckpointing ?? false })
    expect(loaded.bfloat16).toEqual([])
    const given = await run(options)
    const { training, evaluation } = options.precision
    expect(loaded[training ? 'bfloat16' : 'float32'].filter(name => name.startsWith('training'))).not.toEqual([])
    expect(loaded[evaluation ? 'bfloat16' : 'float32'].filter(name => name.startsWith('evaluation'))).not.toEqual([])
    expect(loaded[training ? 'float32' : 'bfloat16'].filter(name => name.startsWith('training'))).toEqual([])
    for (const use of ['training', 'evaluation'] as const) {
      const { lengths, size, places } = given.feeds[use]
      const tokens = lengths.tokens!
      if (options.precision[use]) {
        expect([tokens % 64, tokens > size.realTokens, places.groups.length]).toEqual([0, true, 1])
        expect(places.groups[0]!.width % 16).toBe(0)
      } else expect([tokens, places.groups.length]).toEqual([size.realTokens, 2])
    }
    given.losses.forEach((loss, i) => expect(loss / expected.losses[i]!).toBeCloseTo(1, 5))
    given.logits.forEach((logit, i) => expect(logit).toBeCloseTo(expected.logits[i]!, 4))
    expect(differing(given, expected)).toEqual([])
  })
})
