import { afterEach, beforeEach } from 'vitest'
import { type LogLevel, setLogLevel, setLogSink } from '../../src/logging'

/** What the test that runs has logged so far, from a level on; emptied before each test of the file. */
export function logMessages(level: LogLevel = 'info'): string[] {
  const messages: string[] = []
  beforeEach(() => {
    messages.length = 0
    setLogLevel(level)
    setLogSink((_level, message) => void messages.push(message))
  })
  afterEach(() => setLogLevel('warning'))
  return messages
}
