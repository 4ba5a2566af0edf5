// a model that answers over HTTP
import { packageVersion } from '../index'
import { exitCodes } from './exitCodes'
import { type CommandTable, type FlagTable, readFlags, UsageError } from './flags'
import { servedTasks } from './inference'
import { isLoopback, type ServerOptions, startServer } from './inferenceServer'
import { interruptible } from './interrupt'
import { modelFlags, modelWord, openPipeline } from './modelFlags'
import type { Streams } from './Streams'

const table = {
  name: 'serve',
  usage: 'MODEL [FLAGS]',
  about: [
    'Answers texts over HTTP with what pipeline() answers: POST / takes {"inputs": a text, a pair or a list of these, "parameters": {…}}, the shape of Hugging Face\'s inference API. GET /health says that it runs. Requests that come in together are computed together. Ctrl-C ends it when what is under way is answered, with status 0.',
    '',
    '  npx ts-trainer serve out/model',
    '  curl 127.0.0.1:8080 -H "Content-Type: application/json" \\',
    '    -d \'{"inputs": ["Not bad."], "parameters": {"top_k": 2}}\'',
  ],
  words: 1,
  flags: {
    port: {
      type: 'count',
      value: 'PORT',
      least: 0,
      most: 65_535,
      help: 'Where it listens; 0 for any that is free.',
      default: 8080,
    },
    host: {
      type: 'text',
      value: 'ADDRESS',
      help: 'Whom it listens to: this machine alone, or 0.0.0.0 for everybody who reaches it.',
      default: '127.0.0.1',
    },
    'api-key': {
      type: 'text',
      value: 'VARIABLE',
      help: 'The name of the environment variable with a key that requests have to bring: Authorization: Bearer KEY.',
    },
    'allow-origin': { type: 'texts', value: 'URL', help: 'A page that browsers let read the answers.' },
    'max-body': { type: 'count', value: 'BYTES', help: 'The longest request.', default: 1_000_000 },
    'max-queue': { type: 'count', value: 'N', help: 'The most texts that wait; more get status 503.', default: 1024 },
    'max-connections': { type: 'count', value: 'N', help: 'The most clients at a time.', default: 1000 },
    quiet: { type: 'switch', help: 'No line for each request.' },
    ...modelFlags,
  },
} as const satisfies CommandTable<FlagTable>

/** `ts-trainer serve`. */
export async function runServe(words: readonly string[], streams: Streams): Promise<number> {
  const given = readFlags(table, words, streams)
  if (given === undefined) return exitCodes.done
  const { values, rest } = given
  const model = modelWord('serve', rest[0])
  const numbers = {
    port: values.port,
    maxBody: values['max-body'],
    maxQueue: values['max-queue'],
    maxConnections: values['max-connections'],
  }
  const { host } = values
  const apiKey = values['api-key'] === undefined ? undefined : keyOf(values['api-key'])
  return interruptible(streams, async signal => {
    const opened = await openPipeline(model, values, servedTasks)
    try {
      if (signal.aborted) return exitCodes.interrupted
      const options: ServerOptions = {
        ...numbers,
        host,
        apiKey,
        allowOrigins: values['allow-origin'] ?? [],
        about: { model, task: opened.task, version: packageVersion() },
        log: line => (values.quiet ? undefined : streams.error(`${new Date().toISOString()} ${line}`)),
      }
      const server = await startServer(opened, options)
      if (!isLoopback(host))
        streams.error(
          `Everybody who reaches ${host} is answered${apiKey === undefined ? ', without a key: --api-key asks for one' : ''}.`,
        )
      streams.out(`${model} (${opened.task}) answers on ${server.url}`)
      await aborted(signal)
      streams.error('Ends when what is under way is answered; Ctrl-C once more ends at once.')
      await server.close()
      return exitCodes.done
    } finally {
      await opened.pipeline.dispose()
    }
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** The key that an environment variable holds. What was given is not repeated: it may be the key itself. */
function keyOf(variable: string): string {
  const key = process.env[variable]
  if (key !== undefined && key !== '') return key
  throw new UsageError('--api-key names an environment variable, and there is none of that name.', {
    fix: 'For instance: TS_TRAINER_KEY=… npx ts-trainer serve MODEL --api-key TS_TRAINER_KEY.',
  })
}
