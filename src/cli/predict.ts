// rows in, the same rows with what a model answers out
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type RowFormat, streamRows, TrainerError, writeFileWhole, type WrittenRow } from '../index'
import { exitCodes } from './exitCodes'
import { unreadable } from './files'
import { type CommandTable, type FlagTable, readFlags, UsageError } from './flags'
import { inOrder } from './inOrder'
import { interruptible } from './interrupt'
import { modelFlags, modelWord, openPipeline } from './modelFlags'
import { type AnsweredRows, type AnswerOptions, RowAnswers, rowTasks } from './rowAnswers'
import { RowWriter } from './rowWriter'
import { collectGarbageEvery } from './steadyMemory'
import type { Input, Streams } from './Streams'

const formats = ['csv', 'tsv', 'jsonl'] as const

const table = {
  name: 'predict',
  usage: 'MODEL [FILE] [FLAGS]',
  about: [
    "Reads rows of CSV, TSV or JSON Lines from a file or a pipe, and writes each with the model's answer beside its columns: label and score of texts, entities of tokens, answer and score of questions, words for masks. Where a column has such a name already, predicted_ stands before it. Rows are answered as they come, in their order.",
    '',
    '  npx ts-trainer predict out/model reviews.csv --text review > answers.csv',
    '  cat rows.jsonl | npx ts-trainer predict out/model > answers.jsonl',
  ],
  words: 2,
  flags: {
    text: {
      type: 'texts',
      value: 'COLUMN',
      help: 'The column of the texts; a second one for pairs; of questions, question and context. By default text, or the only column.',
    },
    output: { type: 'text', value: 'FILE', help: 'Where to write. By default standard output.' },
    format: {
      type: 'text',
      value: 'FORMAT',
      choices: formats,
      help: 'Of what is read. By default as the name says; of a pipe, jsonl if it begins with a brace, else csv.',
    },
    'output-format': {
      type: 'text',
      value: 'FORMAT',
      choices: formats,
      help: 'Of what is written. By default as the name of --output says, else as what is read.',
    },
    'top-k': {
      type: 'text',
      value: 'N',
      help: 'So many labels of each text, the likeliest first, or all; words of masks.',
    },
    aggregation: {
      type: 'text',
      value: 'NAME',
      choices: ['none', 'simple', 'first', 'average', 'max'],
      help: 'How tokens become entities. By default simple.',
    },
    delimiter: {
      type: 'text',
      value: 'TEXT',
      help: 'What separates cells of CSV. By default what the first line has.',
    },
    ...modelFlags,
  },
} as const satisfies CommandTable<FlagTable>

/** `ts-trainer predict`. */
export async function runPredict(words: readonly string[], streams: Streams): Promise<number> {
  const given = readFlags(table, words, streams)
  if (given === undefined) return exitCodes.done
  const { values, rest } = given
  const model = modelWord('predict', rest[0])
  const reading = await sourceOf(rest[1], values.format, streams)
  await checkOutput(values.output)
  const output = values.output === undefined ? undefined : { path: values.output, format: formatOf(values.output) }
  const asked: AnswerOptions = { text: values.text, topK: topKOf(values['top-k']), aggregation: values.aggregation }
  return interruptible(streams, async signal => {
    const opened = await openPipeline(model, values, rowTasks)
    try {
      const answers = new RowAnswers(opened, asked, note => streams.error(note))
      const rows = streamRows(endingWith(signal, reading.open()), {
        name: reading.name,
        ...(reading.format !== undefined && { format: reading.format }),
        ...(values.delimiter !== undefined && { delimiter: values.delimiter }),
      })
      const format = values['output-format'] ?? output?.format
      const lines = answered(chunksOf(rows, 8 * values['batch-size']), answers, format)
      const count = await (output === undefined ? toStream(lines, streams) : toFile(lines, output.path, signal))
      if (signal.aborted) return exitCodes.interrupted
      const note = count === 0 ? noRows(reading) : answers.withoutTextNote
      if (note !== undefined) streams.error(note)
      if (output !== undefined)
        streams.error(`${count} ${count === 1 ? 'row with its answer' : 'rows with their answers'}: ${output.path}`)
      return exitCodes.done
    } catch (error) {
      if (signal.aborted) return exitCodes.interrupted
      throw error
    } finally {
      await opened.pipeline.dispose()
    }
  })
}

interface Source {
  readonly name: string
  readonly format: RowFormat | undefined
  open(): Input
}

function noRows({ name, format }: Source): string {
  return `${name} has no rows${format === 'jsonl' ? '' : ': of CSV and TSV the first line names the columns'}.`
}

/** Where rows come from. @throws UsageError where nothing is piped in. */
async function sourceOf(
  file: string | undefined,
  format: RowFormat | undefined,
  { input = process.stdin }: Streams,
): Promise<Source> {
  if (file === undefined || file === '-') {
    if (input.isTTY === true)
      throw new UsageError('predict needs rows: a FILE, or a pipe.', {
        fix: 'cat rows.jsonl | npx ts-trainer predict MODEL',
      })
    return { name: 'The input', format, open: () => input }
  }
  const named = format ?? formatOf(file)
  if (named === undefined)
    throw new UsageError(`The name of ${file} does not say what it holds: .csv, .tsv or .jsonl was expected.`, {
      fix: 'Say it: --format csv. Compressed files go through a pipe: zcat FILE | npx ts-trainer predict MODEL.',
    })
  const found = await stat(file).catch((cause: unknown) => {
    throw unreadable(file, cause)
  })
  if (found.isDirectory())
    throw new TrainerError('file', `${file} is a folder; a file of rows was expected.`, { fix: 'Name a file in it.' })
  return { name: file, format: named, open: () => createReadStream(file) }
}

/** @throws TrainerError ('file') where no file can stand, before anything is computed. */
async function checkOutput(path: string | undefined): Promise<void> {
  const found = path === undefined ? undefined : await stat(path).catch(() => undefined)
  if (found === undefined || found.isFile()) return
  throw new TrainerError(
    'file',
    `${path} is ${found.isDirectory() ? 'a folder' : 'no file, but a device or a pipe'}.`,
    {
      fix: found.isDirectory()
        ? 'Name a file in it.'
        : 'Leave --output out: answers go to standard output, which > leads there.',
    },
  )
}

function formatOf(path: string): RowFormat | undefined {
  const extension = /\.(\w+)$/.exec(path)?.[1]?.toLowerCase()
  return extension === 'ndjson' ? 'jsonl' : formats.find(format => format === extension)
}

function topKOf(written: string | undefined): AnswerOptions['topK'] {
  if (written === undefined || written === 'all') return written
  if (/^[1-9]\d{0,8}$/.test(written)) return Number(written)
  throw new UsageError(`--top-k should be a whole number above 0, or all, but is '${written}'.`)
}

/** The bytes of a source until the signal is aborted. A stream is closed at the end: it would keep the process alive. */
async function* endingWith(signal: AbortSignal, source: Input): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  let end = (): void => undefined
  signal.addEventListener('abort', () => end(), { once: true })
  try {
    while (!signal.aborted) {
      // a race with one promise of the abort would keep all pieces: it remembers whom it has to tell
      const piece = await new Promise<IteratorResult<Uint8Array | string, unknown> | undefined>((resolve, reject) => {
        end = () => resolve(undefined)
        iterator.next().then(resolve, reject)
      })
      if (piece === undefined || piece.done === true) return
      yield typeof piece.value === 'string' ? encoder.encode(piece.value) : piece.value
    }
  } finally {
    if (source instanceof Readable) source.destroy()
  }
}

/** Rows that are answered together. */
interface Chunk {
  readonly format: RowFormat
  readonly rows: readonly WrittenRow[]
}

async function* chunksOf(pieces: AsyncIterable<Chunk>, most: number): AsyncGenerator<Chunk, void, undefined> {
  for await (const { format, rows } of pieces)
    for (let at = 0; at < rows.length; at += most) yield { format, rows: rows.slice(at, at + most) }
}

/** The lines of rows with their answers, and how many rows they are of. */
async function* answered(
  chunks: AsyncIterable<Chunk>,
  answers: RowAnswers,
  format: RowFormat | undefined,
): AsyncGenerator<{ readonly text: string; readonly rows: number }, void, undefined> {
  let writer: RowWriter | undefined
  const collect = collectGarbageEvery(4000)
  const answer = async ({ format: read, rows }: Chunk): Promise<AnsweredRows & Pick<Chunk, 'format'>> => ({
    format: read,
    ...(await answers.answer(rows)),
  })
  for await (const { format: read, rows, answers: found, failure } of inOrder(chunks, answer)) {
    writer ??= new RowWriter(format ?? read)
    if (rows.length > 0) yield { text: writer.lines(rows, found).join('\n'), rows: rows.length }
    if (failure !== undefined) throw failure
    collect(rows.length)
  }
}

type Lines = AsyncIterable<{ readonly text: string; readonly rows: number }>

async function toStream(lines: Lines, { out }: Streams): Promise<number> {
  let count = 0
  for await (const { text, rows } of lines) {
    await out(text)
    count += rows
  }
  return count
}

async function toFile(lines: Lines, path: string, signal: AbortSignal): Promise<number> {
  let count = 0
  const encoder = new TextEncoder()
  const bytes = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const { text, rows } of lines) {
      yield encoder.encode(`${text}\n`)
      count += rows
    }
    signal.throwIfAborted() // a part is not written
  }
  await writeFileWhole(path, bytes())
  return count
}
