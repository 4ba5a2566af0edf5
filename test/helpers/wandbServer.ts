// a server of Weights & Biases on the loopback address, as far as a run needs it; it keeps what it is sent
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { parseJson } from '../../src/json'

/** What is known of a run from before. */
export interface KnownRun {
  readonly summaryMetrics: string
  readonly historyLineCount: number
  readonly historyTail: string
  readonly config: string
}

type Sent = Readonly<Record<string, { readonly offset: number; readonly content: readonly string[] }>>

export interface WandbServer {
  readonly url: string
  /** The rows of each run, by their lines. */
  readonly rows: Map<string, unknown[]>
  readonly summaries: Map<string, Record<string, unknown>>
  readonly configs: Map<string, Record<string, { readonly value: unknown }>>
  readonly exitCodes: Map<string, number>
  /** The paths and the Authorization headers so far. */
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[]
  /** The variables of the requests that make or change a run. */
  readonly upserts: Record<string, unknown>[]
  /** Answers of a status, or silence, that stand for the next requests to a path. */
  readonly faults: { readonly path: RegExp; readonly status: number | 'silence'; left: number }[]
  close(): Promise<void>
}

export async function wandbServer(known: Readonly<Record<string, KnownRun>> = {}): Promise<WandbServer> {
  const kept: Omit<WandbServer, 'url' | 'close'> = {
    ...{ rows: new Map(), summaries: new Map(), configs: new Map(), exitCodes: new Map() },
    ...{ requests: [], upserts: [], faults: [] },
  }
  const server = createServer((request, response) => void answer(request, response, kept, known))
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  return {
    ...kept,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => void server.close(resolve))
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  kept: Omit<WandbServer, 'url' | 'close'>,
  known: Readonly<Record<string, KnownRun>>,
): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const path = request.url ?? ''
  kept.requests.push({ path, authorization: request.headers.authorization })
  const fault = kept.faults.find(one => one.left > 0 && one.path.test(path))
  if (fault !== undefined) {
    fault.left--
    if (fault.status !== 'silence') response.writeHead(fault.status).end('{}')
    return
  }
  const bytes = Buffer.concat(parts)
  const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString()
  const body = parseJson(text || '{}') as Record<string, never>
  const data = path === '/graphql' ? { data: graphql(body['query']!, body['variables']!, kept, known) } : {}
  const run = /^\/files\/[^/]+\/[^/]+\/([^/]+)\/file_stream$/.exec(path)?.[1]
  if (run !== undefined) keep(kept, run, body)
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(data))
}

function graphql(
  query: string,
  variables: Record<string, string>,
  kept: Omit<WandbServer, 'url' | 'close'>,
  known: Readonly<Record<string, KnownRun>>,
): object {
  const { name = '', project = '', entity, config } = variables
  if (query.includes('upsertBucket')) {
    kept.upserts.push(variables)
    if (config) kept.configs.set(name, JSON.parse(config) as never)
    const owner = { id: 'p', name: project, entity: { id: 'e', name: entity || 'team' } }
    const bucket = {
      id: 'b',
      name,
      displayName: variables['displayName'] || 'calm-sea-1',
      project: owner,
      config: '{}',
    }
    return { upsertBucket: { bucket, inserted: true } }
  }
  if (query.includes('historyLineCount')) return { model: { bucket: known[name] ?? null } }
  return { viewer: { id: 'u', entity: 'team', flags: '{}', teams: { edges: [] } } }
}

/** Lines of a file lie where they are said to: what is sent again takes the place of what was. */
function keep(kept: Omit<WandbServer, 'url' | 'close'>, run: string, body: Record<string, unknown>): void {
  const files = (body['files'] ?? {}) as Sent
  const rows = kept.rows.get(run) ?? []
  const history = files['wandb-history.jsonl']
  for (const [at, line] of (history?.content ?? []).entries()) rows[history!.offset + at] = parseJson(line)
  kept.rows.set(run, rows)
  const summary = files['wandb-summary.json']?.content.at(-1)
  if (summary !== undefined) kept.summaries.set(run, parseJson(summary) as never)
  if (body['complete'] === true) kept.exitCodes.set(run, body['exitcode'] as number)
}
