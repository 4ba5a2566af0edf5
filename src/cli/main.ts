#!/usr/bin/env node
// words → what the front door offers
import { runProgram } from './program'

await runProgram(process.argv.slice(2))
