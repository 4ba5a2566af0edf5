import { afterEach, beforeEach } from 'vitest'
import { setLogLevel, setLogSink } from '../../src/logging'

/** What the test that runs has logged so far, from the level `info` on; emptied before each test of the file. */
export function logMessages(): string[] {
  const messages: string[] = []
  beforeEach(() => {
    messages.length = 0
    setLogLevel('info')
    setLogSink((_level, message) => void messages.push(message))
  })
  afterEach(() => setLogLevel('warning'))
  return messages
}
