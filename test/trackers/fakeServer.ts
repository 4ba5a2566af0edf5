import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A request that a server got. */
export interface Request {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what it expects
  readonly body: any
}

/** What a server answers; undefined for nothing, ever. */
export interface Answer {
  readonly status?: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A server on the loopback address that remembers its requests, for as long as a test lasts. */
export async function fakeServer(
  answer: (request: Request) => Answer | undefined,
): Promise<{ readonly url: string; readonly requests: Request[] }> {
  const requests: Request[] = []
  const server = createServer((message, response) => void take(message, response))
  const take = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = []
    for await (const part of message) parts.push(part as Buffer)
    const text = Buffer.concat(parts).toString()
    const { method = '', url = '', headers } = message
    const request = { method, path: url, headers, body: text === '' ? undefined : JSON.parse(text) }
    requests.push(request)
    const given = answer(request)
    if (given === undefined) return
    response.writeHead(given.status ?? 200, { 'content-type': 'application/json', ...given.headers })
    response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body ?? {}))
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}
