import { MultiBar, type SingleBar } from 'cli-progress'
import type { TextStream } from './TextStream'

/** The progress of some work. */
export interface Progress {
  readonly done: number
  readonly total: number
  /** What was done when the clock started: the steps before a run was resumed. */
  readonly before: number
  readonly seconds: number
  readonly comment: string | undefined
  /** What is counted: steps by default; bytes, which are shown as megabytes. */
  readonly unit?: 'steps' | 'bytes' | undefined
}

/** `[ 100/1720 00:55<15:02, 1.81 it/s, Epoch 0.58/10]`; at the end `[1720/1720 15:51, Epoch 10/10]`; bytes `[12.5/90.9 MB 00:05<00:31, 2.50 MB/s, …]`. */
export function progressLabel({ done, total, before, seconds, comment, unit = 'steps' }: Progress): string {
  const [size, digits, suffixOfCount, each] = unit === 'bytes' ? [1e6, 1, ' MB', 'MB'] : [1, 0, '', 'it']
  const all = (total / size).toFixed(digits)
  const count = `${(done / size).toFixed(digits).padStart(all.length)}/${all}${suffixOfCount}`
  const elapsed = `${count} ${formatSeconds(seconds)}`
  const suffix = comment === undefined ? '' : `, ${comment}`
  if (done >= total) return `[${elapsed}${suffix}]`
  if (done <= before || seconds <= 0) return `[${elapsed}<?${suffix}]`
  const rate = (done - before) / seconds
  return `[${elapsed}<${formatSeconds((total - done) / rate)}, ${(rate / size).toFixed(2)} ${each}/s${suffix}]`
}

/** Seconds as `15:51`, `1:02:03`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.trunc(seconds))
  const two = (n: number): string => String(n).padStart(2, '0')
  const hours = Math.trunc(whole / 3600)
  const minutesAndSeconds = `${two(Math.trunc(whole / 60) % 60)}:${two(whole % 60)}`
  return hours > 0 ? `${hours}:${minutesAndSeconds}` : minutesAndSeconds
}

/** Columns of a bar for which a label gives up its comment. */
const narrowestBar = 10

/**
 * The bar and its label in a terminal of `columns` columns, of which it takes at most 110. Where there is no room for
 * both, the label has no comment.
 */
export function progressLine(progress: Progress, columns: number): string {
  const room = Math.min(columns - 1, 110)
  const labels = [progress, { ...progress, comment: undefined }].map(progressLabel)
  const label = labels.find(({ length }) => room - length - 1 >= narrowestBar) ?? labels[0]!
  const width = room - label.length - 1
  if (width < 5) return label.slice(0, Math.max(0, columns - 1))
  const full = Math.round(width * Math.min(1, progress.total === 0 ? 1 : progress.done / progress.total))
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${label}`
}

/** One of the {@link ProgressBars}. */
export interface ProgressBar {
  update(done: number, comment?: string): void
  /** Takes the bar off the screen. */
  remove(): void
}

/** Bars at the bottom of a terminal, with lines that scroll above them. They do not keep the process alive. */
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
    this.#releaseTimer()
    this.#bars.on('update-post', () => this.#releaseTimer())
  }

  /** Adds a bar at the bottom. */
  add(total: number, before = 0, comment?: string, unit?: Progress['unit']): ProgressBar {
    const payload = { before, start: performance.now(), comment, unit }
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

  /** Draws everything a last time, leaves it on the screen, and releases the terminal. */
  stop(): void {
    this.#bars.update()
    this.#bars.stop()
  }

  /** The bars draw themselves by a timer, which must not keep the process alive after training has thrown. */
  #releaseTimer(): void {
    const { timer } = this.#bars as unknown as { timer?: { unref?: () => void } }
    timer?.unref?.()
  }
}

interface Payload {
  readonly before: number
  readonly start: number
  readonly comment: string | undefined
  readonly unit: Progress['unit']
}

function formatBar(
  _options: unknown,
  { value, total, maxWidth }: { value: number; total: number; maxWidth: number },
  payload: Payload,
): string {
  const { start, ...rest } = payload
  return progressLine({ done: value, total, seconds: (performance.now() - start) / 1000, ...rest }, maxWidth)
}
