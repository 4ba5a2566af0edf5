import type { EngineValue, EngineValues, Program } from '../engine/Engine'
import { TrainerError } from '../errors'
import type { Model } from '../models/Model'
import { encode } from '../onnx/encode'
import { createDeviceStore } from '../parameters/deviceStore'
import type { ParameterStore, StoreOptions } from '../parameters/ParameterStore'
import { createSharedStore } from '../parameters/sharedStore'
import { lossScaleInput } from '../programs/training'
import type { TrainingProgram } from '../programs/TrainingProgram'
import { Tensor } from '../tensor'
import { nextTurn } from '../turns'
import type { Engines } from './engines'
import { explaining } from './failedRun'
import { inputsOf, type LabelledFeed } from './LabelledFeed'
import { MaskSource } from './MaskSource'
import type { MicroBatch } from './MicroBatch'
import { type Profile, profiledStore, timed } from './profile'

/** What training needs beside. */
export interface BeginOptions extends Pick<StoreOptions, 'optimizer' | 'weightDecay' | 'rateFactor'> {
  /** What dropout is drawn from. */
  readonly seed: number
}

/** What a training is made of. */
export interface TrainingParts extends BeginOptions, Pick<StoreOptions, 'weights'> {
  readonly engines: Engines
  /** What is trained: what the model computed when training began, whatever is frozen or decided since. */
  readonly model: Model
  /** The variant of feeds that comes most often. */
  readonly usualVariant: string
  /** Makes the program for a variant of feeds. */
  define(variant: string): TrainingProgram
  isModelResized(): boolean
  readonly profile: Profile | undefined
}

/** The training program for one variant of feeds. */
interface Variant {
  readonly program: Promise<Program>
  readonly masks: MaskSource | undefined
}

/** A micro-batch, ready to run: on a device, what it is made of is there. */
export interface PreparedBatch {
  readonly feed: LabelledFeed
  readonly microBatch: MicroBatch
  /** What the program asks for beside parameters. */
  readonly inputs: EngineValues
  /** Called when its run has been given to the engine. */
  onRun?(): void
}

/** A model in training: where its parameters are, and its programs. */
export class Training {
  readonly model: Model
  readonly store: ParameterStore
  /** The parameters that are trained. */
  readonly trained: readonly string[]
  readonly #parts: TrainingParts
  readonly #variants = new Map<string, Variant>()

  private constructor(parts: TrainingParts, store: ParameterStore, usual: TrainingProgram) {
    this.#parts = parts
    this.model = parts.model
    this.store = store
    this.trained = [...usual.gradients.keys()]
    this.#add(parts.usualVariant, usual)
  }

  /** Makes gradients and slots, and moves the parameters to where they are trained. */
  static async begin(parts: TrainingParts): Promise<Training> {
    const { engines, profile, optimizer, weightDecay, rateFactor, weights } = parts
    const usual = parts.define(parts.usualVariant)
    await nextTurn()
    const options = { optimizer, weightDecay, rateFactor, weights, ...usual }
    const store = engines.training.resident
      ? await createDeviceStore(options, engines.training)
      : await createSharedStore(options, engines.float32, engines.workers())
    await nextTurn()
    return new Training(parts, profile === undefined ? store : profiledStore(store, profile), usual)
  }

  /**
   * Micro-batches, one after the other, ready to run. For a device the next one's masks are drawn and its inputs sent
   * while the one before runs; on the processor each is made when the one before is done, whose memory it takes. What was
   * sent for one is freed when the consumer comes back, or leaves.
   * @throws TrainerError when the model is no longer the one that is trained.
   */
  async *prepared(
    feeds: readonly LabelledFeed[],
    microBatches: readonly MicroBatch[],
  ): AsyncGenerator<PreparedBatch, void, undefined> {
    const { engines, isModelResized } = this.#parts
    if (isModelResized()) {
      throw new TrainerError('argument', 'The model was resized in the middle of its training.', {
        fix: 'Call resizeTokenEmbeddings() before train().',
      })
    }
    const { resident } = engines.training
    let next: Promise<PreparedBatch> | undefined
    const prepare = (index: number): Promise<PreparedBatch> | undefined => {
      const feed = feeds[index]
      if (next !== undefined || feed === undefined) return next
      next = this.#prepare(feed, microBatches[index]!)
      next.catch(() => undefined) // thrown where it is awaited
      return next
    }
    try {
      for (const index of feeds.keys()) {
        const ready = await prepare(index)!
        next = undefined
        try {
          yield { ...ready, onRun: () => void (resident && prepare(index + 1)) }
        } finally {
          freeInputs(ready)
        }
      }
    } finally {
      await next?.then(freeInputs, () => undefined) // the consumer has left
    }
  }

  /**
   * Forward and backward: adds the loss's sum and its gradients to the update's.
   * @param lossScale what the loss is multiplied by before gradients are made of it.
   */
  async run({ feed, microBatch, inputs, onRun }: PreparedBatch, lossScale = 1): Promise<void> {
    const program = await this.#variantOf(feed.variant).program
    const { into, keep } = this.store.targets(feed, microBatch.index)
    const given: EngineValues = {
      ...this.store.inputs,
      ...inputs,
      [lossScaleInput]: Tensor.from('float32', lossScale),
    }
    const asked = Object.fromEntries(program.inputs.map(({ name }) => [name, given[name]!]))
    const running = explaining(this.model, feed, () => program.run(asked, into, { keep }))
    onRun?.()
    await this.store.add(await running, microBatch.index)
  }

  async dispose(): Promise<void> {
    await this.store.dispose()
    for (const { program, masks } of this.#variants.values()) {
      masks?.dispose()
      ;(await program.catch(() => undefined))?.dispose()
    }
  }

  async #prepare(feed: LabelledFeed, microBatch: MicroBatch): Promise<PreparedBatch> {
    const { seed, profile } = this.#parts
    const variant = this.#variantOf(feed.variant)
    const program = await variant.program
    const key = { seed, step: microBatch.step }
    const masks = await timed(profile, 'masks', () => variant.masks?.draw(feed, microBatch.numbers, key))
    const later = { ...this.store.inputs, [lossScaleInput]: Tensor.from('float32', 1) } // what the run takes itself
    const given = Object.entries(inputsOf(program, feed, microBatch, { ...later, ...masks }))
    return { feed, microBatch, inputs: await this.#sent(given.filter(([name]) => !(name in later))) }
  }

  /** Values where the program takes them. Where one cannot be sent, those that were are freed. */
  async #sent(values: readonly (readonly [string, EngineValue])[]): Promise<EngineValues> {
    const { training } = this.#parts.engines
    const sending = values.map(async ([name, value]) => {
      return [name, value instanceof Tensor ? await training.upload(value) : value] as const
    })
    const ended = await Promise.allSettled(sending)
    const inputs = Object.fromEntries(ended.flatMap(end => (end.status === 'fulfilled' ? [end.value] : [])))
    const failed = ended.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined
    if (failed === undefined) return inputs
    freeInputs({ inputs })
    throw failed.reason
  }

  #variantOf(name: string): Variant {
    return this.#variants.get(name) ?? this.#add(name, this.#parts.define(name))
  }

  #add(name: string, { graph, dropout }: TrainingProgram): Variant {
    const { engines } = this.#parts
    const program = engines.training.load(encode(graph).model, { name: `training/${name}` })
    program.catch(() => undefined) // thrown where a batch is run by it
    const masks = dropout.length === 0 ? undefined : new MaskSource(dropout, engines.workers(), this.model.trial)
    const variant = { program, masks }
    this.#variants.set(name, variant)
    return variant
  }
}

/** Frees what was sent to a device for a micro-batch. */
function freeInputs({ inputs }: Pick<PreparedBatch, 'inputs'>): void {
  for (const value of Object.values(inputs)) if ('dispose' in value) value.dispose()
}
