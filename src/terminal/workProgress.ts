import type { TextStream } from './TextStream'
import { type ProgressBar, ProgressBars, progressLabel } from './progressBar'

/** How far long work on data is. */
export interface WorkProgress {
  readonly description: string
  readonly done: number
  readonly total: number
  /** Milliseconds since it began. */
  readonly elapsed: number
}

/** Without a terminal, a line so often at most, in milliseconds. */
const plainInterval = 30_000

/**
 * Shows how far work is: on a terminal by a bar for each description, which stays when it is full; elsewhere by a line
 * twice a minute.
 * @param stream where to; standard error unless given.
 */
export function workReporter(stream: TextStream = process.stderr): (progress: WorkProgress) => void {
  const shown = new Map<string, ProgressBar>()
  let bars: ProgressBars | undefined
  let told = 0
  const tell = ({ description, done, total, elapsed }: WorkProgress): void => {
    if (elapsed < told) told = 0 // other work has begun
    if (elapsed - told < plainInterval) return
    told = elapsed
    stream.write(`${progressLabel({ done, total, before: 0, seconds: elapsed / 1000, comment: description })}\n`)
  }
  return progress => {
    const { description, done, total } = progress
    if (stream.isTTY !== true) return tell(progress)
    bars ??= new ProgressBars(stream)
    const bar = shown.get(description) ?? bars.add(total, done, description)
    shown.set(description, bar)
    bar.update(done)
    if (done < total) return
    shown.delete(description)
    if (shown.size > 0) return
    bars.stop()
    bars = undefined
  }
}
