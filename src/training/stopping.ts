import { log } from '../logging'

/** Whether a run has been asked to end. */
export interface StopRequest {
  /** Why, once it has been asked for. */
  readonly reason: string | undefined
  /** Stops listening. */
  dispose(): void
}

/**
 * Listens for Ctrl-C, for SIGTERM with `termination`, and for an abort signal: the run is to end after the current
 * update, with a checkpoint. A second Ctrl-C ends the process at once.
 */
export function listenForStop(signal: AbortSignal | undefined, termination: boolean): StopRequest {
  let reason = signal?.aborted === true ? 'the signal was aborted' : undefined
  let pressed = false
  const stop = (why: string): void => {
    reason = why
    log(
      'warning',
      `Stopping after this update, because ${why}: a checkpoint is written and train() returns. train({ resumeFromCheckpoint: true }) resumes it.`,
    )
  }
  const onAbort = (): void => stop('the signal was aborted')
  const onInterrupt = (): void => {
    if (pressed) process.exit(130)
    pressed = true
    stop('of Ctrl-C (once more ends at once)')
  }
  const onTerminate = (): void => stop('of SIGTERM')
  signal?.addEventListener('abort', onAbort)
  process.on('SIGINT', onInterrupt)
  if (termination) process.on('SIGTERM', onTerminate)
  return {
    get reason() {
      return reason
    },
    dispose() {
      signal?.removeEventListener('abort', onAbort)
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onTerminate)
    },
  }
}
