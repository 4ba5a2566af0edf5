import { doctor, formatDoctor, nearest, packageVersion } from '../index'
import { runLogin, runLogout, runWhoami } from './account'
import { runArtifacts } from './artifacts'
import { runEvaluate } from './evaluate'
import { exitCodes } from './exitCodes'
import { runExport } from './export'
import { type CommandTable, type FlagTable, readFlags, shownWord, UsageError } from './flags'
import { runGlueTask } from './glue'
import { runInstall } from './install'
import { withoutOptions, writeNote } from './messages'
import { runPredict } from './predict'
import { runPush } from './push'
import { runServe } from './serve'
import type { Streams } from './Streams'
import { runTrain } from './train/train'

interface Command {
  readonly help: string
  /** Returns the exit status. */
  readonly run: (words: readonly string[], streams: Streams) => Promise<number> | number
}

const commands: Readonly<Record<string, Command>> = {
  train: { help: 'from a table of texts and labels to a model', run: runTrain },
  glue: { help: 'a model fine-tuned on a task of GLUE', run: runGlueTask },
  evaluate: { help: 'how good a model is on rows with labels', run: runEvaluate },
  predict: { help: 'rows of a file or a pipe, with what a model answers', run: runPredict },
  serve: { help: 'a model that answers over HTTP', run: runServe },
  export: { help: 'a model as an ONNX file: float32 or float16', run: runExport },
  push: { help: "a model's folder to the Hugging Face Hub", run: runPush },
  doctor: { help: 'what training runs on here (--json for programs)', run: runDoctor },
  install: { help: 'fetch libraries: install cuda, install openvino', run: runInstall },
  login: { help: 'keep a token of the Hugging Face Hub', run: runLogin },
  logout: { help: 'remove it', run: runLogout },
  whoami: { help: 'whose token is used', run: runWhoami },
  artifacts: { help: 'write a model as files that a runtime trains', run: runArtifacts },
  help: { help: 'this text; also --help', run: (_words, { out }) => print(helpText(), out) },
  version: {
    help: 'the version of ts-trainer; also --version',
    run: (_words, { out }) => print(packageVersion(), out),
  },
}

const flags: Readonly<Record<string, string>> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-v': 'version',
}

const terminal: Streams = {
  out: text => written(process.stdout, `${text}\n`),
  error: writeNote,
}

/** A promise where what was written before waits to be read. */
function written(stream: NodeJS.WriteStream, text: string): Promise<void> | undefined {
  if (stream.write(text)) return undefined
  return new Promise(resolve => stream.once('drain', resolve))
}

/**
 * Runs one command of `ts-trainer`.
 * @param words those after the program's name.
 * @returns the exit status, one of {@link exitCodes}. An error is printed as its message; with DEBUG set, with its
 * stack.
 */
export async function runCommand(words: readonly string[], streams: Streams = terminal): Promise<number> {
  try {
    const [word = 'help', ...rest] = words
    return await commandNamed(word).run(rest, streams)
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    streams.error(process.env['DEBUG'] ? (stack ?? message) : `ts-trainer: ${withoutOptions(message)}`)
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failed
  }
}

function commandNamed(word: string): Command {
  const name = flags[word] ?? word
  if (Object.hasOwn(commands, name)) return commands[name]!
  const near = nearest(word, [...Object.keys(commands), ...Object.keys(flags).filter(flag => flag.startsWith('--'))])
  throw new UsageError(`There is no command '${shownWord(word)}'.`, {
    fix: near === undefined ? `The commands are ${Object.keys(commands).join(', ')}.` : `Did you mean '${near}'?`,
  })
}

function print(text: string, out: Streams['out']): number {
  out(text)
  return exitCodes.done
}

const doctorTable = {
  name: 'doctor',
  usage: '[--json]',
  about: [
    'Says what training runs on here: the library, its devices, and what is missing. Exit status 1 where it cannot.',
  ],
  flags: { json: { type: 'switch', help: 'As JSON, for programs.' } },
} as const satisfies CommandTable<FlagTable>

/** Returns status 1 if training cannot run here. */
async function runDoctor(words: readonly string[], { out }: Streams): Promise<number> {
  const read = readFlags(doctorTable, words, { out })
  if (read === undefined) return exitCodes.done
  const report = await doctor()
  out(read.values.json ? JSON.stringify(report, undefined, 2) : formatDoctor(report))
  return report.library.problem === undefined ? exitCodes.done : exitCodes.failed
}

function helpText(): string {
  const rows = Object.entries(commands).map(([name, { help }]) => `  ${name.padEnd(11)}${help}`)
  return ['Usage: ts-trainer COMMAND', '', ...rows, '', 'npx ts-trainer COMMAND --help says more of each.'].join('\n')
}
