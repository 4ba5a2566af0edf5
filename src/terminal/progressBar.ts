import { MultiBar, type SingleBar } from 'cli-progress'
import type { TextStream } from './TextStream'

/** How far something is. */
export interface Progress {
  readonly done: number
  readonly total: number
  /** What was done already when the clock started: a resumed run's steps. */
  readonly before: number
  readonly seconds: number
  readonly comment: string | undefined
}

/** `[ 100/1720 00:55<15:02, 1.81 it/s, Epoch 0.58/10]`; at the end `[1720/1720 15:51, Epoch 10/10]`. */
export function progressLabel({ done, total, before, seconds, comment }: Progress): string {
  const count = `${String(done).padStart(String(total).length)}/${total}`
  const [fresh, suffix] = [done - before, comment === undefined ? '' : `, ${comment}`]
  if (done >= total) return `[${count} ${formatSeconds(seconds)}${suffix}]`
  if (fresh <= 0 || seconds <= 0) return `[${count} ${formatSeconds(seconds)}<?${suffix}]`
  const rate = fresh / seconds
  return `[${count} ${formatSeconds(seconds)}<${formatSeconds((total - done) / rate)}, ${rate.toFixed(2)} it/s${suffix}]`
}

/** Seconds as `15:51`, `1:02:03`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.trunc(seconds))
  const [hours, minutes, rest] = [Math.trunc(whole / 3600), Math.trunc(whole / 60) % 60, whole % 60]
  const two = (n: number): string => String(n).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${two(minutes)}:${two(rest)}`
}

/** The bar and its label in so many columns. */
export function progressLine(progress: Progress, columns: number): string {
  const label = progressLabel(progress)
  const width = Math.min(columns - 1, 110) - label.length - 1
  if (width < 5) return label.slice(0, Math.max(0, columns - 1))
  const full = Math.round(width * Math.min(1, progress.total === 0 ? 1 : progress.done / progress.total))
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${label}`
}

/** One bar among the {@link ProgressBars}. */
export interface ProgressBar {
  update(done: number, comment?: string): void
  /** Takes the bar off the screen. */
  remove(): void
}

/** Bars at the bottom of a terminal, and lines that scroll by above them. They keep nobody from ending the process. */
export class ProgressBars {
  readonly #bars: MultiBar

  constructor(stream: TextStream) {
    this.#bars = new MultiBar({
      stream: stream as NodeJS.WritableStream,
      format: formatBar,
      forceRedraw: true,
      linewrap: true,
      hideCursor: false,
      gracefulExit: false,
      fps: 5,
    })
    // The bars draw themselves by a timer, which must not hold the process when training has thrown.
    const { timer } = this.#bars as unknown as { timer?: { unref?: () => void } }
    timer?.unref?.()
    this.#bars.on('update-post', () => (this.#bars as unknown as { timer?: { unref?: () => void } }).timer?.unref?.())
  }

  /** Adds a bar at the bottom. */
  add(total: number, before = 0, comment?: string): ProgressBar {
    const payload = { before, start: performance.now(), comment }
    const bar: SingleBar = this.#bars.create(total, before, payload)
    return {
      update: (done, said) => bar.update(done, said === undefined ? {} : { comment: said }),
      remove: () => void this.#bars.remove(bar),
    }
  }

  /** Prints lines above the bars. */
  print(lines: readonly string[]): void {
    for (const line of lines) this.#bars.log(`${line}\n`)
    this.#bars.update()
  }

  /** Draws everything a last time, leaves it on the screen, and lets go of the terminal. */
  stop(): void {
    this.#bars.update()
    this.#bars.stop()
  }
}

interface Payload {
  readonly before: number
  readonly start: number
  readonly comment: string | undefined
}

function formatBar(
  _options: unknown,
  { value, total, maxWidth }: { value: number; total: number; maxWidth: number },
  payload: Payload,
): string {
  const { before, start, comment } = payload
  return progressLine({ done: value, total, before, seconds: (performance.now() - start) / 1000, comment }, maxWidth)
}
