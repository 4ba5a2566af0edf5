// the warnings of nodes that a device has left to the processor
import { setLogLevel, setLogSink } from '../../src/index'

/** Collects them from now on, in place of all messages. */
export function collectStrays(): string[] {
  const strays: string[] = []
  setLogLevel('warning')
  setLogSink((_level, message) => void (message.includes(' to the processor: ') && strays.push(message)))
  return strays
}
