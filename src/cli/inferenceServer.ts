// a pipeline behind HTTP
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TrainerError } from '../index'
import { type Inference, readInference } from './inference'
import type { OpenedPipeline } from './modelFlags'
import { checkLength, readBody, RequestError } from './requestBody'

/** What a server allows, and whom it answers. */
export interface ServerOptions {
  readonly host: string
  readonly port: number
  /** The most bytes of a body. */
  readonly maxBody: number
  /** The most texts that wait. */
  readonly maxQueue: number
  readonly maxConnections: number
  /** What requests have to bring as a bearer's token. */
  readonly apiKey: string | undefined
  /** Pages of other origins that browsers let read the answers. */
  readonly allowOrigins: readonly string[]
  /** What is said of the model: its name and its task. */
  readonly about: Readonly<Record<string, string>>
  /** Told of each request when it is answered; never what it said. */
  readonly log: (line: string) => void
}

/** A server that answers. */
export interface RunningServer {
  readonly url: string
  /** Takes nothing new; answers what is under way; hangs up on who has not asked by then. */
  close(): Promise<void>
}

/** How long clients may take, in ms: for headers, for a whole request, and between two; and how long a stop waits. */
const times = { headers: 10_000, request: 30_000, idle: 5_000, silence: 120_000, check: 1_000, stop: 5_000 }

/** How long a refused client may take to read why, in ms, while nothing of its body is read any more. */
const refusalTime = 500

/** @throws TrainerError ('argument') where the address cannot be had. */
export async function startServer(opened: OpenedPipeline, options: ServerOptions): Promise<RunningServer> {
  const handler = new Handler(opened, options)
  const server = createServer(
    {
      headersTimeout: times.headers,
      requestTimeout: times.request,
      keepAliveTimeout: times.idle,
      connectionsCheckingInterval: times.check,
    },
    (request, response) => void handler.answer(request, response),
  )
  server.on('checkContinue', (request, response) => void handler.answer(request, response, true))
  server.on('clientError', ({ code }: NodeJS.ErrnoException, socket) => {
    const status = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'
    if (!socket.writable) return void socket.destroy()
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    setTimeout(() => socket.destroy(), refusalTime).unref()
  })
  server.setTimeout(times.silence)
  server.maxConnections = options.maxConnections
  await listening(server, options)
  server.on('error', ({ message }) => options.log(`error: ${message}`)) // of accepting a connection: others go on
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return { url: `http://${host}:${port}`, close: () => closed(server, handler) }
}

function listening(server: Server, { port, host }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException): void =>
      reject(
        new TrainerError('argument', `Cannot listen on ${host}, port ${port}: ${cause.message}.`, {
          ...(cause.code === 'EADDRINUSE' && { fix: 'Something else does: choose another port, or 0 for a free one.' }),
          cause,
        }),
      )
    server.once('error', refuse)
    server.listen(port, host, () => {
      server.off('error', refuse)
      resolve()
    })
  })
}

async function closed(server: Server, handler: Handler): Promise<void> {
  handler.isStopping = true
  const done = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeIdleConnections()
  const hangUp = setTimeout(() => server.closeAllConnections(), times.stop)
  await handler.finished()
  server.closeIdleConnections()
  await done
  clearTimeout(hangUp)
}

/** Answers requests. */
class Handler {
  isStopping = false
  readonly #opened: OpenedPipeline
  readonly #options: ServerOptions
  #waiting = 0
  #underWay = new Set<Promise<unknown>>()

  constructor(opened: OpenedPipeline, options: ServerOptions) {
    this.#opened = opened
    this.#options = options
  }

  /** When what is being computed is answered. */
  async finished(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  /** @param asks whether the client waits to be told that it may send the body. */
  async answer(request: IncomingMessage, response: ServerResponse, asks = false): Promise<void> {
    const start = performance.now()
    const path = pathOf(request)
    let texts = 0
    try {
      this.#admit(request, response)
      if (request.method === 'OPTIONS') respond(response, 204, undefined)
      else if (path === '/health') respond(response, 200, this.#get(request, { status: 'ok', ...this.#options.about }))
      else if (path === '/' && isReading(request)) respond(response, 200, this.#describe())
      else if (path === '/' || path === '/predict') {
        const inference = await this.#read(request, response, asks)
        texts = inference.texts
        respond(response, 200, await this.#compute(inference))
      } else throw new RequestError(404, 'There is nothing here. POST / answers, GET /health says how it is.')
    } catch (error) {
      this.#refuse(error, request, response)
    }
    const took = (performance.now() - start).toFixed(0)
    this.#options.log(
      `${method(request)} ${path ?? '(another path)'} ${response.statusCode} ${took} ms, ${texts} texts`,
    )
  }

  /** @throws RequestError for who may not ask. */
  #admit(request: IncomingMessage, response: ServerResponse): void {
    const { host, apiKey, allowOrigins } = this.#options
    if (this.isStopping) response.setHeader('Connection', 'close')
    const { origin, authorization } = request.headers
    if (origin !== undefined && allowOrigins.some(allowed => allowed === '*' || allowed === origin)) {
      response.setHeader('Access-Control-Allow-Origin', origin)
      response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type')
      response.setHeader('Vary', 'Origin')
    }
    if (isLoopback(host) && !isLoopback(hostOf(request)))
      throw new RequestError(403, 'This server answers under names of this machine: localhost, 127.0.0.1, [::1].')
    if (apiKey === undefined || pathOf(request) === '/health' || request.method === 'OPTIONS') return
    if (authorization !== undefined && isSame(authorization, `Bearer ${apiKey}`)) return
    throw new RequestError(401, 'A key is needed: Authorization: Bearer KEY.', { 'WWW-Authenticate': 'Bearer' })
  }

  #get<T>(request: IncomingMessage, answer: T): T {
    if (isReading(request)) return answer
    throw new RequestError(405, 'This path takes GET.', { Allow: 'GET, HEAD' })
  }

  #describe(): object {
    return {
      name: 'ts-trainer',
      ...this.#options.about,
      usage: `POST {"inputs": …, "parameters": {…}} as application/json to / or /predict`,
    }
  }

  async #read(request: IncomingMessage, response: ServerResponse, asks: boolean): Promise<Inference> {
    if (request.method !== 'POST')
      throw new RequestError(405, 'Ask with POST.', { Allow: pathOf(request) === '/' ? 'GET, HEAD, POST' : 'POST' })
    // a page of another site may send what has no type, or that of a form, without asking first
    const { origin, 'content-type': type = origin === undefined ? 'application/json' : '' } = request.headers
    if (!/^application\/(?:\w+\+)?json\s*(?:;|$)/i.test(type))
      throw new RequestError(415, "The body should be JSON: -H 'Content-Type: application/json'.")
    const { maxBody, maxQueue } = this.#options
    checkLength(request, maxBody)
    if (asks) response.writeContinue()
    const inference = readInference(await readBody(request, maxBody), this.#opened)
    if (inference.texts > maxQueue)
      throw new RequestError(413, `${inference.texts} texts at once; at most ${maxQueue} are taken (--max-queue).`)
    if (this.#waiting + inference.texts > maxQueue)
      throw new RequestError(503, 'Too many texts are waiting. Try again in a second.', { 'Retry-After': '1' })
    return inference
  }

  async #compute(inference: Inference): Promise<unknown> {
    this.#waiting += inference.texts
    const running = inference.run()
    this.#underWay.add(running)
    try {
      return await running
    } finally {
      this.#waiting -= inference.texts
      this.#underWay.delete(running)
    }
  }

  #refuse(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    const isOwn = error instanceof RequestError
    if (!isOwn) this.#options.log(`error: ${error instanceof Error ? error.message : String(error)}`)
    const { status, headers } = isOwn ? error : { status: 500, headers: {} }
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    const message = isOwn ? error.message : 'The model could not answer. The log of the server says why.'
    if (request.complete || !hasBody(request)) return respond(response, status, { error: message })
    // what has not been read of the body never will be: the connection is of no more use
    response.setHeader('Connection', 'close')
    request.pause()
    respond(response, status, { error: message })
    setTimeout(() => request.socket.destroy(), refusalTime).unref()
  }
}

function respond(response: ServerResponse, status: number, answer: unknown): void {
  if (response.headersSent || response.destroyed) return
  const body = answer === undefined ? '' : `${JSON.stringify(answer)}\n`
  response.writeHead(status, {
    ...(answer !== undefined && { 'Content-Type': 'application/json; charset=utf-8' }),
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  })
  response.end(body)
}

/** A path that there is; others are not repeated, for a token may be in them. */
function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  const path = url.split('?', 1)[0]!
  return ['/', '/predict', '/health'].find(known => known === path)
}

function method({ method: written = '' }: IncomingMessage): string {
  return (
    ['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'DELETE', 'PATCH'].find(known => known === written) ?? '(another method)'
  )
}

function isReading(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD'
}

function hasBody({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined
}

/** The name that a client has used, without a port. */
function hostOf({ headers }: IncomingMessage): string {
  return (headers.host ?? '').replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
}

/**
 * Whether a name or an address is of this machine alone. A page may have its own name lead here: its requests bring
 * that name.
 */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host)
}

/** Compares in a time that tells nothing. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
