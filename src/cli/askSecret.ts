import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { Input } from './Streams'

/**
 * Asks at the terminal for a line that is not shown. The question goes to standard error, where it is seen though
 * standard output is written to a file.
 * @returns undefined for Ctrl-C.
 */
export async function askSecret(question: string): Promise<string | undefined> {
  const nothing = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: process.stdin, output: nothing, terminal: true, historySize: 0 })
  process.stderr.write(question)
  try {
    return await new Promise<string | undefined>(resolve => {
      reader.once('line', resolve)
      reader.once('SIGINT', () => resolve(undefined))
      reader.once('close', () => resolve('')) // Ctrl-D
      reader.on('SIGCONT', () => {
        process.stderr.write(question) // after Ctrl-Z, and `fg`
        reader.resume()
      })
    })
  } finally {
    reader.close() // the terminal is as it was
    process.stderr.write('\n')
  }
}

/** What is no secret's length any more. */
const longestSecret = 10_000

/** The first line of what is piped in. */
export async function readSecret(input: Input): Promise<string> {
  let text = ''
  for await (const chunk of input) {
    text += chunk.toString()
    if (text.length > longestSecret) break
  }
  return text.trimStart().split(/\r?\n/, 1)[0]!.trim()
}
