// a small model whose gradients go into a store of any kind
import { afterAll, beforeAll } from 'vitest'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import type { Engine, Program } from '../../src/engine/Engine'
import type { Feed } from '../../src/feeds/FeedLayout'
import { withTrainable } from '../../src/models/freeze'
import type { GraphBuilder } from '../../src/onnx/builder'
import { encode } from '../../src/onnx/encode'
import type { Graph, Value } from '../../src/onnx/types'
import { adamw } from '../../src/optim/adamw'
import type { Optimizer } from '../../src/optim/Optimizer'
import type { ParameterStore, StoreContent, StoreOptions } from '../../src/parameters/ParameterStore'
import { trainingProgram } from '../../src/programs/training'
import { type Batch, Tensor } from '../../src/tensor'
import { classes, randomBatch } from '../helpers/batches'
import { definitionOf } from '../helpers/oracleModels'
import { tinyConfig } from '../helpers/tinyModel'

/** Where stores of one kind are made. */
export interface StoreHome {
  readonly engine: Engine
  /** Whether the same program gives the same bits each time. */
  readonly isExact: boolean
  create(options: StoreOptions): Promise<ParameterStore>
  dispose(): Promise<void>
}

export const config = { ...tinyConfig, vocab_size: 5000 }
/** The parameter whose gradient comes as rows. */
export const table = 'bert.embeddings.word_embeddings.weight'

/**
 * Micro-batches of several updates: words that come twice in a row, in both micro-batches, only once, only early, only
 * late; and padding.
 */
export const first = randomBatch([6, 3, 1, 4], classes(1, 0, 1, 1), { seed: 31, vocabulary: 40 })
const second = randomBatch([6, 3, 1, 4], classes(1, 0, 1, 1), { seed: 32, vocabulary: 40 })
export const third = randomBatch([6, 3, 1, 4], classes(1, 0, 1, 1), { seed: 33, vocabulary: 5000 })
const fourth = randomBatch([6, 3, 1, 4], classes(1, 0, 1, 1), { seed: 34, vocabulary: 5000 })
const updates: readonly (readonly Batch[])[] = [
  [first, second],
  [second],
  [third, fourth],
  [first, third],
  [fourth, first],
]

/** A small model whose gradients go into a store. */
export interface Rig {
  readonly store: ParameterStore
  /** Runs a micro-batch forward and backward, and adds its gradients. */
  run(batch: Batch, microBatch: number): Promise<void>
  dispose(): Promise<void>
}

export interface RigOptions {
  readonly optimizer?: Optimizer
  /** Of all parameters, or of each by its name. */
  readonly decay?: number | StoreOptions['weightDecay']
  /** Whether gradients of tables come as rows. */
  readonly rows?: boolean
  /** Parameters that are not trained. */
  readonly frozen?: RegExp
}

/** Makes rigs, and trains on them. */
export interface Workshop {
  /** Whether the same program gives the same bits each time. */
  isExact(): boolean
  createRig(options?: RigOptions): Promise<Rig>
  /** Trains for a few updates, resuming in a new store before one of them; returns all parameters and slots. */
  train(options: RigOptions, stopBefore?: number): Promise<Map<string, Float32Array>>
}

/** A workshop that is open while the tests around it run. */
export function openWorkshop(open: () => Promise<StoreHome>): Workshop {
  let home: StoreHome
  const programs = new Map<string, Promise<Program>>()
  beforeAll(async () => void (home = await open()))
  afterAll(() => home.dispose())
  const createRig = (options: RigOptions = {}): Promise<Rig> => rigIn(home, programs, options)
  return {
    isExact: () => home.isExact,
    createRig,
    train: (options, stopBefore) => trainOn(createRig, options, stopBefore),
  }
}

/** Stores whose gradients a graph of a few numbers x makes, while the tests around it run. */
export interface SmallWorkshop {
  create(options: StoreOptions): Promise<ParameterStore>
  /** Runs a micro-batch, and adds its gradients. */
  run(store: ParameterStore, x: readonly number[], microBatch: number): Promise<void>
}

export function openSmallWorkshop(open: () => Promise<StoreHome>, graph: Graph): SmallWorkshop {
  let home: StoreHome
  let program: Program
  beforeAll(async () => {
    home = await open()
    program = await home.engine.load(encode(graph).model)
  })
  afterAll(() => home.dispose())
  return {
    create: options => home.create(options),
    async run(store, x, microBatch) {
      const { into, keep } = store.targets({} as Feed, microBatch)
      await store.add(await program.run({ ...store.inputs, x: Tensor.from('float32', x) }, into, { keep }), microBatch)
    },
  }
}

/** How many numbers of x are not 0. */
export function countOf(graph: GraphBuilder, x: Value): Value {
  return graph.sum(graph.cast(graph.not(graph.equal(x, 0)), 'float32'))
}

async function rigIn(
  home: StoreHome,
  programs: Map<string, Promise<Program>>,
  { optimizer = adamw(), decay = 0, rows = true, frozen }: RigOptions,
): Promise<Rig> {
  const whole = definitionOf(config)
  const model = frozen === undefined ? whole : withTrainable(whole, frozen, false)
  const layout = model.layout({ rows: 1, fewShapes: false })
  const definition = trainingProgram(model, layout, layout.usualVariant, {}, { rows })
  const weights = modelFromConfig(config).parameters
  const weightDecay = typeof decay === 'number' ? (): number => decay : decay
  const options = { weights, loss: definition.loss, gradients: definition.gradients, optimizer, weightDecay }
  const store = await home.create(options)
  const key = String([rows, frozen])
  if (!programs.has(key)) programs.set(key, home.engine.load(encode(definition.graph).model, { name: 'training' }))
  const program = await programs.get(key)!
  return {
    store,
    async run(batch, microBatch) {
      const feed = layout.feed(batch, String)
      const given = { ...store.inputs, ...feed.inputs, ...model.head.feed(batch, feed.places, String)!.inputs }
      const inputs = Object.fromEntries(program.inputs.map(({ name }) => [name, given[name]!]))
      const { into, keep } = store.targets(feed, microBatch)
      await store.add(await program.run(inputs, into, { keep }), microBatch)
    },
    dispose: () => store.dispose(),
  }
}

async function trainOn(
  createRig: Workshop['createRig'],
  options: RigOptions,
  stopBefore?: number,
): Promise<Map<string, Float32Array>> {
  let rig = await createRig(options)
  for (const [step, microBatches] of updates.entries()) {
    if (step === stopBefore) {
      const weights = await contentOf(rig.store, 'parameters')
      const slots = await contentOf(rig.store, 'slots')
      await rig.dispose()
      rig = await createRig(options)
      await rig.store.write('parameters', weights)
      await rig.store.write('slots', slots)
    }
    for (const [index, batch] of microBatches.entries()) await rig.run(batch, index)
    await rig.store.update({ step: step + 1, rate: 0.01 })
  }
  const found = [...(await contentOf(rig.store, 'parameters')), ...(await contentOf(rig.store, 'slots'))]
  await rig.dispose()
  return new Map(found.map(([name, { data }]) => [name, data]))
}

/** What a store gives, copied. */
export async function contentOf(store: ParameterStore, content: StoreContent): Promise<Map<string, Tensor<'float32'>>> {
  const found = new Map<string, Tensor<'float32'>>()
  for await (const [name, { data, dims }] of store.read(content))
    found.set(name, new Tensor('float32', Float32Array.from(data as Float32Array), dims))
  return found
}
