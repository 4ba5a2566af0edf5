import { LossScale } from '../optim/lossScale'
import { isFiniteUpdate, meansOf, type UpdateSums } from '../optim/updateSums'
import type { TrainingArguments } from '../TrainingArguments'
import { type JudgedUpdate, judgeUpdate, leavesOutNonFinite } from './judging'
import { LossLog } from './LossLog'
import type { RateSource } from './rates'
import type { RunNumbers } from './RunSnapshot'

/** An update that has been made, or left out: which, its numbers tell. */
export interface MadeUpdate {
  /** What it came to, or how to read that once a device has computed it. */
  readonly result: UpdateSums | (() => Promise<UpdateSums>)
  /** The updates before it. */
  readonly step: number
  readonly rate: number
  /** What its loss was multiplied by before gradients were made of it. */
  readonly lossScale: number | undefined
  /** @throws TrainerError where the losses' counts are none that an update can be divided by. */
  check(count: number): void
  /** Takes it back out of the run's state. */
  undo(): void
}

/**
 * What the updates of a run have come to. A device is not waited for: its numbers are read, and judged, before the next
 * update begins, or when somebody asks for them.
 */
export class UpdateHistory {
  readonly losses = new LossLog()
  /** Of training in float16. */
  readonly lossScale: LossScale | undefined
  readonly #args: TrainingArguments
  readonly #rates: RateSource
  /** Updates that the optimizer has made: what bias correction counts. */
  #optimizerSteps = 0
  /** What the last settled update came to, of this call or of the one that it resumes. */
  #last: JudgedUpdate | undefined
  #lastFiniteLoss: number | undefined
  #pending: MadeUpdate | undefined

  /** @param resumed what a checkpoint kept. */
  constructor(args: TrainingArguments, rates: RateSource, resumed: RunNumbers | undefined) {
    this.#args = args
    this.#rates = rates
    this.lossScale = args.fp16 ? LossScale.from(resumed) : undefined
    if (resumed === undefined) return
    this.losses.restore(resumed)
    const { last_grad_norm: gradNorm, last_rate: rate } = resumed
    if (typeof rate === 'number')
      // a norm that was not finite is null in JSON
      this.#last = { loss: NaN, gradNorm: Number(gradNorm ?? NaN), rate, skipped: false, overflowed: false }
  }

  get last(): JudgedUpdate | undefined {
    return this.#last
  }

  get optimizerSteps(): number {
    return this.#optimizerSteps
  }

  /** Continues an optimizer that has made so many updates. */
  startAt(optimizerSteps: number): void {
    this.#optimizerSteps = optimizerSteps
  }

  /** How the next update is made. */
  begin(): { readonly step: number; readonly onlyFinite: boolean } {
    const judging = { onNonFinite: this.#args.onNonFinite, lossScale: this.lossScale }
    return { step: this.#optimizerSteps + 1, onlyFinite: leavesOutNonFinite(judging) }
  }

  /**
   * Takes an update, and settles it if its numbers are there.
   * @throws TrainerError as {@link settle}.
   */
  async add(update: MadeUpdate): Promise<void> {
    this.#optimizerSteps++
    this.#pending = update
    if (typeof update.result !== 'function') await this.settle()
  }

  /**
   * Reads what the last update came to, unless that has been done, and takes note of it.
   * @throws TrainerError ('training') where its loss or gradient is not finite and the arguments do not say otherwise.
   * Nothing is left of the update then.
   */
  async settle(): Promise<void> {
    const update = this.#pending
    if (update === undefined) return
    this.#pending = undefined
    const { result, step, rate, lossScale } = update
    const sums = typeof result === 'function' ? await result() : result
    update.check(sums.count)
    const means = meansOf(sums, lossScale)
    const judged = this.#judge({ ...means, rate }, update)
    if (judged.overflowed) this.#rates.repeat()
    if (isFiniteUpdate(means)) this.#lastFiniteLoss = means.loss
    this.#last = judged
    if (judged.skipped) {
      this.#optimizerSteps--
      this.losses.skip()
    }
    if (!judged.skipped || judged.overflowed) this.losses.add(judged.loss, step, this.#args.loggingNanInfFilter)
  }

  /** What a checkpoint keeps. */
  state(): RunNumbers {
    return {
      ...this.losses.state(),
      last_grad_norm: this.#last?.gradNorm,
      last_rate: this.#last?.rate,
      ...this.lossScale?.state(),
    }
  }

  #judge(means: Parameters<typeof judgeUpdate>[0], { step, undo }: MadeUpdate): JudgedUpdate {
    const { onNonFinite } = this.#args
    const { lossScale } = this
    try {
      return judgeUpdate(means, { step, onNonFinite, lastFiniteLoss: this.#lastFiniteLoss, lossScale })
    } catch (error) {
      this.#optimizerSteps--
      undo()
      throw error
    }
  }
}
