#!/usr/bin/env node
// words → what the front door offers
import { runCommand } from './commands'

process.exitCode = await runCommand(process.argv.slice(2))
