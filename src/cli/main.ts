#!/usr/bin/env node
// words → what the front door offers
import { runCommand } from './commands'
import { exitCodes } from './exitCodes'

// What nobody reads need not be written: `ts-trainer predict … | head` ends quietly, as other programs do.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(exitCodes.closedPipe)
  })

process.exitCode = await runCommand(process.argv.slice(2))
