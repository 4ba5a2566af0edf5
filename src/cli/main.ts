#!/usr/bin/env node
// words → what the front door offers
import { runCommand } from './commands'
import { exitCodes } from './exitCodes'
import { showMessages, writeNote } from './messages'

// What nobody reads need not be written: `ts-trainer predict … | head` ends quietly, as other programs do.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.closedPipe)
    if (stream === process.stdout) writeNote(`ts-trainer: standard output cannot be written: ${error.message}.`)
    process.exit(exitCodes.failed)
  })
showMessages()

process.exitCode = await runCommand(process.argv.slice(2))
