import type { TextStream } from './TextStream'
import { type ProgressBar, ProgressBars, progressLabel } from './progressBar'

/** The progress of long work. */
export interface WorkProgress {
  readonly description: string
  /** What a bar says in place of the description, which may be too long for it. */
  readonly label?: string | undefined
  readonly done: number
  readonly total: number
  /** Milliseconds since it began. */
  readonly elapsed: number
  /** What is counted: rows by default; bytes are shown as megabytes. */
  readonly unit?: 'bytes' | undefined
  /** Whether it has stopped before its end: its bar stays as it is. */
  readonly stopped?: boolean | undefined
}

/** Milliseconds between two lines without a terminal. */
const lineInterval = 30_000

/**
 * A function that shows progress: on a terminal by a bar for each description, which stays when it is full; elsewhere
 * by a line twice a minute.
 * @param stream where it is shown; standard error by default.
 */
export function workReporter(stream: TextStream = process.stderr): (progress: WorkProgress) => void {
  const shown = new Map<string, ProgressBar>()
  let bars: ProgressBars | undefined
  let printedAt = 0
  const print = ({ description, done, total, elapsed, unit }: WorkProgress): void => {
    if (elapsed < printedAt) printedAt = 0 // other work has begun
    if (elapsed - printedAt < lineInterval) return
    printedAt = elapsed
    stream.write(`${progressLabel({ done, total, before: 0, seconds: elapsed / 1000, comment: description, unit })}\n`)
  }
  return progress => {
    const { description, label = description, done, total, unit, stopped = false } = progress
    if (stream.isTTY !== true) return print(progress)
    bars ??= new ProgressBars(stream)
    const bar = shown.get(description) ?? bars.add(total, done, label, unit)
    shown.set(description, bar)
    bar.update(done)
    if (done < total && !stopped) return
    shown.delete(description)
    if (shown.size > 0) return
    bars.stop()
    bars = undefined
  }
}
