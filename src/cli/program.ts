import { runCommand } from './commands'
import { exitCodes } from './exitCodes'
import { showMessages, writeNote } from './messages'

/**
 * `ts-trainer` as a program: runs a command on the process's streams, and sets the status that the process ends with.
 */
export async function runProgram(words: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => endWithout(stream, error))
  showMessages(words[0])
  process.exitCode = await runCommand(words)
}

/** What nobody reads need not be written: `ts-trainer predict … | head` ends quietly, as other programs do. */
function endWithout(stream: NodeJS.WriteStream, error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(exitCodes.closedPipe)
  if (stream === process.stdout) writeNote(`ts-trainer: standard output cannot be written: ${error.message}.`)
  process.exit(exitCodes.failed)
}
