// `ts-trainer glue`: what the scripts of examples/glue do, by one command
import { fineTune, glueDefaults, glueFlags } from '../../examples/glue/run'
import { type GlueTaskName, glueTasks } from '../../examples/glue/tasks'
import { type Flags, ownFlags, readFlags } from '../../examples/flags'
import { nearest } from '../index'
import { exitCodes } from './exitCodes'
import { readingWords, shownWord, UsageError } from './flags'
import type { Streams } from './Streams'

const names = Object.keys(glueTasks)

const usage = `Usage: npx ts-trainer glue --task NAME [--model DIR_OR_ID] [ARGUMENTS]

Fine-tunes a model on a task of GLUE as run_glue.py does: ${names.join(', ')}. The evaluation goes to standard output as JSON, everything else to standard error.

  npx ts-trainer glue --task mrpc --model google-bert/bert-base-uncased`

const flags = {
  task: { type: 'text', required: true, help: `One of ${names.join(', ')}.` },
  ...glueFlags,
  model: { ...ownFlags.model, required: false, default: 'sentence-transformers/all-MiniLM-L6-v2' },
  data: { ...ownFlags.data, required: false, default: 'nyu-mll/glue' },
} as const

/** `ts-trainer glue`. @throws TrainerError that says what is wrong with the words, the rows or the model. */
export async function runGlueTask(words: readonly string[], { out, interrupt }: Streams): Promise<number> {
  const read = (outputDir: string): Flags<typeof flags> | string =>
    readingWords(() => readFlags(words, usage, { ...glueDefaults, outputDir }, flags))
  const first = read('out/glue')
  if (typeof first === 'string') {
    out(first)
    return exitCodes.done
  }
  const task = taskOf(first.task)
  const results = await fineTune(task, { ...(read(`out/${task}`) as Flags<typeof flags>), signal: interrupt })
  if (results === undefined) return exitCodes.interrupted
  out(JSON.stringify(results))
  return exitCodes.done
}

function taskOf(word: string): GlueTaskName {
  const name = word.toLowerCase().replace(/[-_]/g, '')
  const task = names.find(one => one.replace('-', '') === name)
  if (task !== undefined) return task as GlueTaskName
  const near = nearest(word, names)
  throw new UsageError(`--task should be ${names.join(', ')}, but is '${shownWord(word)}'.`, {
    ...(near !== undefined && { fix: `Did you mean ${near}?` }),
  })
}
