import { log } from '../logging'

/** Whether a run has been asked to end. */
export interface StopRequest {
  /** Why, once it has been asked for. */
  readonly reason: string | undefined
  /** Stops listening. */
  dispose(): void
}

/**
 * Signals that follow the first one within this time, in ms, are the same key press: a terminal sends Ctrl-C to every
 * process in it, and npm, npx and tsx send their child once more what they got.
 */
const onePress = 1000

/** When Ctrl-C was pressed last, as far as somebody listened: what follows within a second is the same press. */
let pressedAt = Number.NEGATIVE_INFINITY

/**
 * Listens for Ctrl-C, for SIGTERM with `termination`, and for an abort signal: the run is to end after the current
 * update, with a checkpoint. Another Ctrl-C, a second later or more, ends the process at once.
 */
export function listenForStop(signal: AbortSignal | undefined, termination: boolean): StopRequest {
  let reason = signal?.aborted === true ? 'the signal was aborted' : undefined
  let firstAt: number | undefined
  const stop = (why: string): void => {
    reason ??= why
    log(
      'warning',
      `Stopping after this update, because ${why}: a checkpoint is written and train() returns. train({ resumeFromCheckpoint: true }) resumes it.`,
    )
  }
  const onAbort = (): void => stop('the signal was aborted')
  const onProcessSignal = (name: NodeJS.Signals): void => {
    const isFirst = firstAt === undefined
    firstAt ??= performance.now()
    if (isFirst) pressedAt = firstAt
    if (isFirst) stop(name === 'SIGINT' ? 'of Ctrl-C (once more ends at once)' : `of ${name}`)
    else if (name === 'SIGINT' && performance.now() - firstAt >= onePress) process.exit(130)
  }
  const names: readonly NodeJS.Signals[] = termination ? ['SIGINT', 'SIGTERM'] : ['SIGINT']
  const leave = (): void => {
    for (const name of names) process.off(name, onProcessSignal)
  }
  signal?.addEventListener('abort', onAbort)
  for (const name of names) process.on(name, onProcessSignal)
  return {
    get reason() {
      return reason
    },
    dispose() {
      signal?.removeEventListener('abort', onAbort)
      // what is left of the press must not end a program that continues after train()
      const left = firstAt === undefined ? 0 : firstAt + onePress - performance.now()
      if (left > 0) setTimeout(leave, left).unref()
      else leave()
    },
  }
}

/**
 * Listens for Ctrl-C while something is waited for that ends by itself: the first one says what it is, another, a second
 * later or more, ends the process at once.
 */
export function listenForEnd(message: string): { dispose(): void } {
  let isSaid = false
  const onInterrupt = (): void => {
    const now = performance.now()
    if (now - pressedAt < onePress) return
    if (isSaid) process.exit(130)
    isSaid = true
    pressedAt = now
    log('warning', message)
  }
  process.on('SIGINT', onInterrupt)
  return { dispose: () => void process.off('SIGINT', onInterrupt) }
}
