import { roundTo, speedMetrics } from '../callbacks/format'
import type { LogEntry } from '../callbacks/TrainerState'
import type { Metrics } from '../metrics/Metrics'
import type { LoadedBatch } from './LoadedBatch'

/** How much one call of `train()` has trained on, and how fast. */
export class Throughput {
  readonly #startedAt = performance.now()
  readonly #tokensBefore: number
  #samples = 0
  #updates = 0

  /** @param tokensBefore the tokens that were counted before this call. */
  constructor(tokensBefore: number) {
    this.#tokensBefore = tokensBefore
  }

  /** Counts an update, by its micro-batches. */
  add(batches: readonly LoadedBatch[]): void {
    for (const { rows } of batches) this.#samples += rows.length
    this.#updates++
  }

  /** What a log of the training loss says of the speed in tokens. */
  tokenSpeed(tokensSeen: number): LogEntry {
    return {
      train_runtime: roundTo(this.#seconds, 4),
      train_tokens_per_second: roundTo((tokensSeen - this.#tokensBefore) / this.#seconds, 3),
    }
  }

  /** The speed of the whole call, as its last log says it. */
  metrics(): Metrics {
    return speedMetrics('train', this.#seconds, { numSamples: this.#samples, numSteps: this.#updates })
  }

  get #seconds(): number {
    return (performance.now() - this.#startedAt) / 1000
  }
}
