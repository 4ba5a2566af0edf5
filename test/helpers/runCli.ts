import { runCommand } from '../../src/cli/commands'
import type { Streams } from '../../src/cli/Streams'

/** Runs a command of `ts-trainer` in this process; what it wrote, line after line. */
export async function runCli(
  words: readonly string[],
  streams: Partial<Streams> = {},
): Promise<{ status: number; out: string; error: string }> {
  const out: string[] = []
  const error: string[] = []
  const status = await runCommand(words, {
    out: text => out.push(text),
    error: text => error.push(text),
    ...streams,
  })
  return { status, out: out.join('\n'), error: error.join('\n') }
}
