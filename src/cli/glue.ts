// `ts-trainer glue`: what the scripts of examples/glue do, by one command
import { fineTune, glueDefaults, glueFlags } from '../../examples/glue/run'
import { type GlueTaskName, glueTasks } from '../../examples/glue/tasks'
import { ownFlags, resumeOf } from '../../examples/flags'
import { nearest, type ParsedArguments, parseTrainingArguments, wrapWords } from '../index'
import { exitCodes } from './exitCodes'
import { readTextFile } from './files'
import { readingWords, shownWord, UsageError } from './flags'
import type { Streams } from './Streams'
import { noteLines, shellWords } from './train/notes'

const names = Object.keys(glueTasks)

const usage = `Usage: npx ts-trainer glue --task NAME [--model DIR_OR_ID] [ARGUMENTS]

Fine-tunes a model on a task of GLUE as run_glue.py does: ${names.join(', ')}. The evaluation goes to standard output as JSON, everything else to standard error.

  npx ts-trainer glue --task mrpc --model google-bert/bert-base-uncased`

const flags = {
  ...ownFlags,
  task: { type: 'text', required: true, help: `One of ${names.join(', ')}.` },
  ...glueFlags,
  model: { ...ownFlags.model, required: false, default: 'sentence-transformers/all-MiniLM-L6-v2' },
  data: { ...ownFlags.data, required: false, default: 'nyu-mll/glue' },
} as const

/** `ts-trainer glue`. @throws TrainerError that says what is wrong with the words, the rows or the model. */
export async function runGlueTask(words: readonly string[], { out, error, interrupt }: Streams): Promise<number> {
  const read = (outputDir: string): ParsedArguments<typeof flags> =>
    readingWords(() =>
      parseTrainingArguments(words, {
        ...{ usage, extra: flags, readText: readTextFile },
        defaults: { ...glueDefaults, outputDir },
      }),
    )
  const { help, extra, rest } = read('out/glue')
  if (help !== undefined) {
    out(help)
    return exitCodes.done
  }
  if (rest[0] !== undefined) throw new UsageError(`glue does not take '${shownWord(rest[0])}'.`)
  const task = taskOf(extra.task)
  const { args } = read(`out/${task}`)
  const { outputDir } = args
  const notes = [
    ['task', task],
    ['model', extra.model],
    ['data', extra.data],
    ['output', outputDir],
  ] as const
  error(noteLines(notes, wrapWords))
  const results = await fineTune(task, { ...extra, args, resume: resumeOf(extra), signal: interrupt })
  if (results === undefined) return exitCodes.interrupted
  out(JSON.stringify({ model: outputDir, ...results }))
  error(`The model is in ${outputDir}. Now it can predict:\n  ${predictCommand(task, outputDir)}`)
  return exitCodes.done
}

function predictCommand(task: GlueTaskName, model: string): string {
  const texts = glueTasks[task].columns.flatMap(name => (name === undefined ? [] : ['--text', name]))
  return `npx ts-trainer predict ${shellWords([model, 'FILE', ...texts])}`
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
