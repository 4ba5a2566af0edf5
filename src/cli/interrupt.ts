import { exitCodes } from './exitCodes'
import type { Streams } from './Streams'

/**
 * Does what Ctrl-C (or SIGTERM) should end well: it aborts the signal that `work` is given, and a second one ends the
 * program at once.
 */
export async function interruptible<T>(
  { interrupt }: Pick<Streams, 'interrupt'>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (interrupt !== undefined) return work(interrupt)
  const controller = new AbortController()
  const press = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted)
    controller.abort()
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const name of signals) process.on(name, press)
  try {
    return await work(controller.signal)
  } finally {
    for (const name of signals) process.off(name, press)
  }
}
