import { roundTo } from '../callbacks/format'
import type { LogEntry, TrainerState } from '../callbacks/TrainerState'
import type { Loader } from '../data/loader'
import { TrainerError } from '../errors'
import { log } from '../logging'
import { clipCoefficient } from '../optim/clip'
import type { Optimizer } from '../optim/Optimizer'
import type { Tensor } from '../tensor'
import type { TrainingArguments } from '../TrainingArguments'
import { type Resumed, restoreOptimizer } from './checkpoints'
import type { LoadedBatch } from './evaluation'
import type { Plan } from './plan'
import type { RateSource } from './rates'
import { reduceGradients } from './reduce'
import type { PreparedBatch, Runner } from './Runner'

/** The micro-batches of one update. */
export interface Window {
  readonly batches: readonly PreparedBatch[]
  /** Labels that count, in all of them. */
  readonly count: number
  /** Micro-batches of the epoch that are done with this update. */
  readonly done: number
  /** Elements of the main input, padding included, and real tokens: what `includeNumInputTokensSeen` counts. */
  readonly tokens: { readonly all: number; readonly real: number }
  readonly samples: number
}

/** What an update came to. */
export interface UpdateResult {
  readonly loss: number
  readonly gradNorm: number
  readonly rate: number
  /** Whether the update was left out because its loss or gradient was not finite. */
  readonly skipped: boolean
}

/** What a run is made of. */
export interface RunParts {
  readonly plan: Plan
  readonly runner: Runner
  readonly rates: RateSource
  readonly loader: Loader<LoadedBatch>
  readonly args: TrainingArguments
  readonly optimizer: Optimizer
  /** Whether weight decay applies to a parameter. */
  readonly decays: (name: string) => boolean
  readonly resumed: Resumed | undefined
  /** Weights that take part in products: what a token's floating-point operations are counted by. */
  readonly parameters: number
}

/** What one call of `train()` needs beside the Trainer's own state. */
export class TrainingRun {
  readonly plan: Plan
  readonly runner: Runner
  readonly rates: RateSource
  /** Updates that the optimizer has made: what bias correction counts. */
  optimizerSteps = 0
  /** Rows and updates of this call. */
  samples = 0
  updates = 0
  /**
   * The pass over the data that the last window was of, the micro-batches of that pass that are done with it, and
   * whether the pass has been ended.
   */
  position = { epoch: 0, batches: 0, ended: true }
  /** The update after which a checkpoint was last saved. */
  savedAt: number | undefined
  /** What the last update came to, of this call or of the one that is gone on with. */
  last: UpdateResult | undefined
  readonly optimizer: Optimizer
  readonly #parts: RunParts
  readonly #startedAt = performance.now()
  readonly #tokensBefore: number
  #begun = false
  #sums = { loss: 0, count: 0 }
  #lastFinite: number | undefined

  constructor(parts: RunParts) {
    this.plan = parts.plan
    this.runner = parts.runner
    this.rates = parts.rates
    this.optimizer = parts.optimizer
    this.#parts = parts
    this.#tokensBefore = parts.resumed?.state.numInputTokensSeen ?? 0
  }

  /** An epoch's updates, from a micro-batch on; the next one is collated while one runs. */
  async *windows(epoch: number, start: number): AsyncGenerator<Window> {
    const size = this.#parts.args.gradientAccumulationSteps
    let batches: PreparedBatch[] = []
    let [done, all, real, samples] = [start, 0, 0, 0]
    const window = (): Window => ({
      batches,
      count: batches.reduce((sum, b) => sum + b.count, 0),
      done,
      tokens: { all, real },
      samples,
    })
    for await (const { batch, rows } of this.#parts.loader.batches(epoch, start)) {
      if (batch.labels === undefined) {
        const columns = Object.keys(batch)
          .map(name => `"${name}"`)
          .join(', ')
        throw new TrainerError(
          'data',
          `The training dataset has no labels: the columns of its batches are ${columns}.`,
          {
            fix: 'Add a column "label", or name it with labelNames.',
          },
        )
      }
      await this.#begin(batch.labels)
      const prepared = this.runner.prepare(batch, row => `row ${rows[row]} of the training dataset`, 'training')
      batches.push(prepared)
      done++
      all += batch.input_ids!.size
      real += prepared.packed.realTokens
      samples += rows.length
      if (batches.length < size && done !== this.plan.batchesPerEpoch) continue
      this.position = { epoch, batches: done, ended: false }
      yield window()
      ;[batches, all, real, samples] = [[], 0, 0, 0]
    }
    this.position = { epoch, batches: done, ended: false }
    if (batches.length > 0) yield window()
  }

  /** Makes gradients and slots, by the labels of a batch that is not trained on. */
  async beginAt(epoch: number, batch: number): Promise<void> {
    for await (const {
      batch: { labels },
    } of this.#parts.loader.batches(epoch, batch)) {
      if (labels !== undefined) await this.#begin(labels)
      return
    }
  }

  /** Forward and backward of one micro-batch, added to the update's sums. */
  async accumulate(window: Window, index: number, step: number): Promise<void> {
    if (index === 0) this.#sums = { loss: 0, count: 0 }
    const { loss, count } = await this.runner.train(window.batches[index]!, { step, index, count: window.count })
    this.#sums = { loss: this.#sums.loss + loss, count: this.#sums.count + count }
  }

  /** Divides the sums by the count, measures the norm of the mean's gradient, and decides how it is clipped. */
  async measure(step: number): Promise<UpdateResult & { readonly scale: number }> {
    const { count, scale } = await reduceGradients(this.runner.state, this.#divisor())
    const loss = this.#sums.loss / count
    const gradNorm = (await this.runner.state.norm()) * scale
    const rate = this.rates.rate(step)
    const skipped = this.#judge({ loss, gradNorm, rate }, step)
    this.last = { loss, gradNorm, rate, skipped }
    return { ...this.last, scale: scale * clipCoefficient(gradNorm, this.#parts.args.maxGradNorm) }
  }

  /** Updates the parameters, unless the update is to be skipped. */
  async update({ rate, scale, skipped }: { rate: number; scale: number; skipped: boolean }): Promise<void> {
    if (skipped) return this.runner.state.forget()
    this.optimizerSteps++
    await this.runner.state.update({ step: this.optimizerSteps, rate, scale })
  }

  /**
   * Adds an update's rows, tokens and operations to the state: 6 operations per token and weight, as Hugging Face
   * estimates.
   */
  count(state: TrainerState, { samples, tokens }: Window): void {
    this.samples += samples
    this.updates++
    state.totalFlos += 6 * tokens.all * this.#parts.parameters
    const counted = this.#parts.args.includeNumInputTokensSeen
    if (counted !== 'no') state.numInputTokensSeen += counted === 'all' ? tokens.all : tokens.real
  }

  /** What a log of the training loss says of the speed in tokens, if they are counted. */
  tokenSpeed(state: TrainerState): LogEntry {
    if (this.#parts.args.includeNumInputTokensSeen === 'no') return {}
    const seconds = (performance.now() - this.#startedAt) / 1000
    return {
      train_runtime: roundTo(seconds, 4),
      train_tokens_per_second: roundTo((state.numInputTokensSeen - this.#tokensBefore) / seconds, 3),
    }
  }

  /** Makes gradients and slots once the first labels say what the head predicts, and fills them from the checkpoint. */
  async #begin(labels: Tensor): Promise<void> {
    if (this.#begun) return
    this.#begun = true
    const { args, optimizer, decays, resumed } = this.#parts
    await this.runner.beginTraining(
      { optimizer, weightDecay: name => (decays(name) ? args.weightDecay : 0), seed: args.seed },
      labels,
    )
    if (resumed !== undefined) this.optimizerSteps = await restoreOptimizer(resumed, optimizer.name, this.runner.state)
  }

  /** A window whose labels are all -100 has nothing to learn from. */
  #divisor(): number {
    return this.#sums.count === 0 ? 1 : this.#sums.count
  }

  /**
   * Whether an update has to be skipped.
   * @throws TrainerError for a loss or gradient that is not finite, unless the arguments say otherwise.
   */
  #judge({ loss, gradNorm, rate }: { loss: number; gradNorm: number; rate: number }, step: number): boolean {
    if (Number.isFinite(loss) && Number.isFinite(gradNorm)) {
      this.#lastFinite = loss
      return false
    }
    const what = Number.isFinite(loss) ? `gradient norm is ${gradNorm}` : `loss is ${loss}`
    if (this.#parts.args.onNonFinite === 'error') {
      const before = this.#lastFinite === undefined ? '' : `, last finite loss ${this.#lastFinite}`
      throw new TrainerError('training', `The ${what} at step ${step + 1} (learning rate ${rate}${before}).`, {
        fix: 'Lower learningRate, add warmupSteps, check the labels; or set onNonFinite to "skip" to leave such updates out.',
      })
    }
    if (this.#parts.args.onNonFinite === 'skip') log('warning', `Step ${step + 1} is skipped: its ${what}.`)
    return this.#parts.args.onNonFinite === 'skip'
  }
}
