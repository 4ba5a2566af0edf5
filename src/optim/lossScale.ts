// float16 holds no gradient below 6e-8: the loss is multiplied, and its gradients with it, before they are made

/** Numbers of PyTorch's GradScaler. */
const initialScale = 65536
const growthInterval = 2000
const growth = 2
const backoff = 0.5

/**
 * The dynamic loss scale of training in float16 (Micikevicius et al. 2018), as PyTorch's GradScaler has it: an update
 * whose gradients overflow is left out, and the scale halved; after 2000 updates that were made it is doubled.
 */
export class LossScale {
  #scale = initialScale
  /** Updates since it was last changed. */
  #goodUpdates = 0

  /** As a checkpoint kept it; at its start where it kept none. */
  static from(numbers: Readonly<Record<string, unknown>> = {}): LossScale {
    const made = new LossScale()
    const { loss_scale: scale, loss_scale_updates: goodUpdates } = numbers
    if (typeof scale === 'number') made.#scale = scale
    if (typeof goodUpdates === 'number') made.#goodUpdates = goodUpdates
    return made
  }

  /** What the mean of an update's losses is multiplied by. */
  get scale(): number {
    return this.#scale
  }

  /** Whether it is above 1, so that gradients that are not finite may be its fault. */
  get canShrink(): boolean {
    return this.#scale > 1
  }

  /**
   * What the sum of so many losses is multiplied by: the scale over their number, but a power of two at most that, which
   * rounds nothing.
   */
  factor(count: number): number {
    return 2 ** Math.floor(Math.log2(this.#scale / Math.max(count, 1)))
  }

  /** Takes note of an update: whether its gradients were finite. */
  update(isFinite: boolean): void {
    if (!isFinite) {
      this.#scale *= backoff
      this.#goodUpdates = 0
    } else if (++this.#goodUpdates === growthInterval) {
      if (Number.isFinite(Math.fround(this.#scale * growth))) this.#scale *= growth
      this.#goodUpdates = 0
    }
  }

  /** What a checkpoint keeps. */
  state(): { readonly loss_scale: number; readonly loss_scale_updates: number } {
    return { loss_scale: this.#scale, loss_scale_updates: this.#goodUpdates }
  }
}
