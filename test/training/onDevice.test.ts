// parameters, gradients and slots as values of a device: nothing but a few numbers comes back
import { describe, expect, it } from 'vitest'
import { createEngine, type Engine, type EngineValue } from '../../src/engine/Engine'
import { adamw } from '../../src/optim/adamw'
import type { Optimizer } from '../../src/optim/Optimizer'
import { sgd } from '../../src/optim/sgd'
import { meansOf } from '../../src/optim/updateSums'
import type { UpdateResult } from '../../src/parameters/ParameterStore'
import type { TrainableModel } from '../../src/auto/TrainableModel'
import { alone } from '../../src/processes/ProcessGroup'
import { trainingProgram } from '../../src/programs/training'
import { type Batch, sizeOf } from '../../src/tensor'
import type { LabelledFeed } from '../../src/training/LabelledFeed'
import { placesInUpdate } from '../../src/training/updates'
import { classes, randomBatch } from '../helpers/batches'
import { runMicroBatches, withRunner } from '../helpers/compute'
import { deviceEngine } from '../helpers/deviceEngine'
import { expectClose } from '../helpers/expectClose'
import { hindranceOf } from '../helpers/hindrance'
import { pretendedDevice } from '../helpers/pretendedDevice'
import { enginesOn } from '../helpers/sharedEngines'
import { oracleModel } from '../helpers/oracleModels'

const steps = 20
const dropout = { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1, classifier_dropout: 0.1 }
/** The micro-batches of an update. */
function microBatches(step: number): Batch[] {
  return [
    randomBatch([9, 3, 1, 7, 2, 6, 5, 8], classes(2, 0, 1, 1, 0, 2, 2, 1), { seed: 2 * step }),
    randomBatch([4, 11, 2, 4, 9, 1, 3, 6], classes(0, 1, 1, 2, 0, 1, 2, 2), { seed: 2 * step + 1 }),
  ]
}

interface Run {
  readonly losses: number[]
  readonly norms: number[]
  /** Bytes that went to the device and came from it while it trained. */
  readonly up: number
  readonly down: number
  /** The bytes of all batches as they are fed, and of their masks. */
  readonly fed: number
  readonly weights: ReadonlyMap<string, Float32Array>
}

async function train(engine: Engine, optimizer: Optimizer): Promise<Run> {
  const model = await oracleModel('bert', dropout)
  const engines = enginesOn(engine)
  const run = await withRunner(model, { engines, optimizer }, microBatches(0)[0]!, async (_, runner) => {
    const losses: number[] = []
    const norms: number[] = []
    const before = engine.transfers
    let fed = 0
    let result: UpdateResult | undefined
    const settle = async (): Promise<void> => {
      if (result === undefined) return
      const { loss, gradNorm } = meansOf(typeof result === 'function' ? await result() : result)
      losses.push(loss)
      norms.push(gradNorm)
    }
    for (let step = 0; step < steps; step++) {
      const feeds = microBatches(step).map(batch => runner.feed(batch, String))
      fed += feeds.reduce((sum, feed) => sum + bytesOf(model, feed), 0)
      await settle() // a step late
      await runMicroBatches(runner, feeds, step)
      result = await runner.store.update({ step: step + 1, rate: 1e-3, maxNorm: 1 })
    }
    await settle()
    const { up, down } = engine.transfers
    return { losses, norms, up: up - before.up, down: down - before.down, fed }
  })
  return { ...run, weights: new Map([...model.parameters].map(([name, { data }]) => [name, data])) }
}

/** The bytes of a batch on its way to a device: its feed, its labels, and one byte for each element of a mask. */
function bytesOf({ definition }: TrainableModel, { variant, inputs, labels, lengths }: LabelledFeed): number {
  const layout = definition.layout({ rows: 8, fewShapes: false })
  const { graph, dropout } = trainingProgram(definition, layout, variant, {}, { byteMasks: true })
  const asked = new Set(graph.inputs.map(({ name }) => name))
  const given = Object.entries({ ...inputs, ...labels?.inputs }).filter(([name]) => asked.has(name))
  const masks = dropout.map(({ shape }) => sizeOf(shape.map(one => (typeof one === 'number' ? one : lengths[one]!))))
  return given.reduce((sum, [, { data }]) => sum + data.byteLength, 0) + masks.reduce((sum, size) => sum + size, 0)
}

const onCuda = { device: 'cuda', threads: 1, providerOptions: { use_tf32: '0' } }

describe.each([
  ['in memory of its own', undefined, () => Promise.resolve(pretendedDevice())],
  ['on webgpu', await hindranceOf('webgpu'), () => deviceEngine({ device: 'webgpu', threads: 1 })],
  ['on cuda', await hindranceOf('cuda'), () => deviceEngine(onCuda)],
])('a store %s', (_, hindrance, open) => {
  it.skipIf(hindrance !== undefined).each([
    ['adamw', adamw(), 5],
    ['sgd', sgd({ momentum: 0.9 }), 4],
  ])(
    'makes the losses of the shared store with %s; batches and masks go up, numbers come back',
    async (_name, optimizer, scalars) => {
      const shared = await train(await createEngine({ threads: 1 }), optimizer)
      const engine = await open()
      expect(engine.resident).toBe(true)
      const given = await train(engine, optimizer)
      expect(given.losses).toHaveLength(steps)
      given.losses.forEach((loss, i) => expect(Math.abs(loss / shared.losses[i]! - 1), `step ${i}`).toBeLessThan(1e-6))
      given.norms.forEach((norm, i) => expect(Math.abs(norm / shared.norms[i]! - 1), `step ${i}`).toBeLessThan(1e-5))
      // of every update, whatever its micro-batches: the loss, the count and the norm
      expect(given.down).toBe(steps * 3 * 4)
      expect(given.up).toBe(given.fed + steps * scalars * 4) // the numbers of each update are float32
      for (const [name, expected] of shared.weights)
        if (!name.includes('key.bias')) expectClose(given.weights.get(name)!, expected, 1e-4, name) // its gradient is noise
    },
  )
})

it.each([false, true])(
  'what was sent for micro-batches is freed where a step ends early; the first was run: %s',
  async isRun => {
    const model = await oracleModel('bert', dropout)
    const engine = pretendedDevice()
    const { upload } = engine
    const sent: EngineValue[] = []
    engine.upload = async tensor => {
      const value = await upload.call(engine, tensor)
      sent.push(value)
      return value
    }
    await withRunner(model, { engines: enginesOn(engine) }, microBatches(0)[0]!, async (_, runner) => {
      const { training } = runner
      const feeds = microBatches(0).map(batch => runner.feed(batch, String))
      const places = await placesInUpdate(feeds, alone, { microBatches: 2, rows: 8 })
      sent.length = 0
      for await (const batch of training.prepared(
        feeds,
        places.map((place, index) => ({ step: 0, index, ...place })),
      )) {
        if (isRun) await training.run(batch)
        break
      }
      expect(sent.length).toBeGreaterThan(0)
      for (const value of sent) await expect(engine.download(value)).rejects.toThrow(/after it was disposed/)
    })
  },
)

it('what was sent for a micro-batch is freed where the rest of it cannot be sent', async () => {
  const model = await oracleModel('bert', dropout)
  const engine = pretendedDevice()
  const { upload } = engine
  const sent: EngineValue[] = []
  let room = Infinity
  engine.upload = async tensor => {
    if (room-- <= 0) throw new Error('The device is full.')
    const value = await upload.call(engine, tensor)
    sent.push(value)
    return value
  }
  await withRunner(model, { engines: enginesOn(engine) }, microBatches(0)[0]!, async (_, runner) => {
    const { training } = runner
    const feeds = microBatches(0)
      .slice(0, 1)
      .map(batch => runner.feed(batch, String))
    const [place] = await placesInUpdate(feeds, alone, { microBatches: 1, rows: 8 })
    sent.length = 0
    room = 2
    await expect(training.prepared(feeds, [{ step: 0, index: 0, ...place! }]).next()).rejects.toThrow('is full')
    expect(sent).toHaveLength(2)
    for (const value of sent) await expect(engine.download(value)).rejects.toThrow(/after it was disposed/)
  })
})
