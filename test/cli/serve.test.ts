import { once } from 'node:events'
import { request as ask } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type RunningServer, type ServerOptions, startServer } from '../../src/cli/inferenceServer'
import type { OpenedPipeline } from '../../src/cli/modelFlags'
import { pipeline, type Pipelines, setLogLevel } from '../../src/index'
import { runCli } from '../helpers/runCli'
import { savedFolder } from '../helpers/savedFolder'

setLogLevel('error')

let model: string
let opened: OpenedPipeline
let classify: Pipelines['text-classification']
let server: RunningServer
let port: number
const logged: string[] = []

const options: ServerOptions = {
  host: '127.0.0.1',
  port: 0,
  maxBody: 100_000,
  maxQueue: 64,
  maxConnections: 1000,
  apiKey: undefined,
  allowOrigins: [],
  about: { model: 'm', task: 'text-classification' },
  log: line => logged.push(line),
}

beforeAll(async () => {
  model = await savedFolder()
  classify = await pipeline('text-classification', model)
  opened = { task: 'text-classification', pipeline: classify }
  server = await startServer(opened, options)
  port = Number(new URL(server.url).port)
})

afterAll(async () => {
  await server.close()
  await classify.dispose()
})

const json = { 'Content-Type': 'application/json' }

async function post(
  body: unknown,
  {
    headers = json,
    path = '/',
    url = server.url,
  }: { headers?: Record<string, string>; path?: string; url?: string } = {},
): Promise<{ status: number; answer: unknown; headers: Headers }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(url + path, { method: 'POST', body: text, headers })
  return { status: response.status, answer: await response.json(), headers: response.headers }
}

/** A connection over which bytes are sent as they are, and what came back. */
async function raw(at = port): Promise<{ socket: Socket; answer: () => string; closed: Promise<unknown> }> {
  const socket = connect(at, '127.0.0.1')
  let text = ''
  socket.on('data', piece => (text += piece.toString()))
  socket.on('error', () => undefined)
  const closed = new Promise(resolve => socket.on('close', resolve))
  await once(socket, 'connect')
  return { socket, answer: () => text, closed }
}

describe('serve', () => {
  it('answers what the pipeline answers', async () => {
    const texts = ['a stone', 'the river', 'a']
    expect((await post({ inputs: texts })).answer).toEqual(await classify(texts))
    expect((await post({ inputs: 'a stone' }, { path: '/predict' })).answer).toEqual(await classify('a stone'))
    const pair = { text: 'a', text_pair: 'river' }
    const all = await post({ inputs: [pair], parameters: { top_k: null, function_to_apply: 'none' } })
    expect(all.answer).toEqual(await classify([pair], { topK: null, functionToApply: 'none' }))
    expect((await post({ inputs: [] })).answer).toEqual([])
    const many = await Promise.all(Array.from({ length: 40 }, (_, at) => post({ inputs: texts[at % 3]! })))
    const each = await Promise.all(texts.map(text => classify(text)))
    for (const [at, { answer }] of many.entries()) {
      const [{ label, score }] = answer as [{ label: string; score: number }]
      expect(label).toBe(each[at % 3]![0]!.label)
      expect(score).toBeCloseTo(each[at % 3]![0]!.score, 6)
    }
  })

  it('says what it is, and that it runs', async () => {
    expect(await (await fetch(`${server.url}/health`)).json()).toEqual({
      status: 'ok',
      model: 'm',
      task: 'text-classification',
    })
    expect(await (await fetch(server.url)).json()).toMatchObject({ name: 'ts-trainer', model: 'm' })
    expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200)
  })

  it('refuses what it cannot answer, with a reason as JSON', async () => {
    const cases: [unknown, number, string][] = [
      ['{"inputs": ', 400, 'The body is not JSON'],
      ['', 400, 'The body is not JSON'],
      ['[]', 400, 'The body should be {"inputs": "a text"}'],
      [{ text: 'a' }, 400, 'The body should be {"inputs"'],
      [{ inputs: 'a', option: 1 }, 400, 'The body has "option"'],
      [{ inputs: 'a', parameters: 3 }, 400, '"parameters" should be an object'],
      [{ inputs: 'a', parameters: { topk: 3 } }, 400, 'Did you mean topK?'],
      [{ inputs: 3 }, 400, 'a text, a pair'],
      [{ inputs: Array(65).fill('a') }, 413, '65 texts at once; at most 64'],
      [{ inputs: 'a'.repeat(100_000) }, 413, 'larger than 100000 bytes'],
    ]
    for (const [body, status, message] of cases) {
      const { status: found, answer } = await post(body)
      expect({ body, found }).toEqual({ body, found: status })
      expect((answer as { error: string }).error).toContain(message)
    }
    expect((await post({ inputs: 'a' }, { headers: { 'Content-Type': 'text/plain' } })).status).toBe(415)
    expect((await post({ inputs: 'a' }, { path: '/other?token=hf_secret' })).status).toBe(404)
    const put = await fetch(server.url, { method: 'PUT', body: '{}', headers: json })
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
    expect((await fetch(`${server.url}/predict`)).status).toBe(405)
    expect(logged.join('\n')).not.toMatch(/hf_secret|stone/)
    expect(logged.some(line => /^POST \(another path\) 404 \d+ ms/.test(line))).toBe(true)
  })

  it('is asked under names of this machine alone, and lets pages of others read nothing', async () => {
    const status = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const sent = ask({ port, host: '127.0.0.1', path: '/health', headers: { host } }, response => {
          response.resume()
          resolve(response.statusCode)
        })
        sent.on('error', reject).end()
      })
    for (const host of ['localhost', `localhost:${port}`, '127.0.0.1', `[::1]:${port}`])
      expect(await status(host)).toBe(200)
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example'])
      expect(await status(host)).not.toBe(200)
    const { headers } = await post({ inputs: 'a' }, { headers: { ...json, Origin: 'https://evil.example' } })
    expect(headers.get('access-control-allow-origin')).toBeNull()
    const bytes = new TextEncoder().encode('{"inputs":"a"}') // a body without a type, which pages may send unasked
    const sent = (from: Record<string, string>): Promise<Response> =>
      fetch(server.url, { method: 'POST', body: bytes, headers: from })
    expect((await sent({ Origin: 'https://evil.example' })).status).toBe(415)
    expect((await sent({})).status).toBe(200)
    const open = await startServer(opened, { ...options, allowOrigins: ['https://good.example'] })
    const good = await post({ inputs: 'a' }, { url: open.url, headers: { ...json, Origin: 'https://good.example' } })
    expect(good.headers.get('access-control-allow-origin')).toBe('https://good.example')
    await open.close()
  })

  it('asks for a key, which is not logged', async () => {
    const own: string[] = []
    const locked = await startServer(opened, { ...options, apiKey: 'secret-key', log: line => own.push(line) })
    const { url } = locked
    const refused = await post({ inputs: 'a' }, { url })
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect((await post({ inputs: 'a' }, { url, headers: { ...json, Authorization: 'Bearer secret' } })).status).toBe(
      401,
    )
    const key = { ...json, Authorization: 'Bearer secret-key' }
    expect((await post({ inputs: 'a' }, { url, headers: key })).status).toBe(200)
    expect((await fetch(`${url}/health`)).status).toBe(200)
    await locked.close()
    expect(own.join('\n')).not.toContain('secret')
  })

  it('closes the connection of a body of 100 MB, of which it reads next to nothing', async () => {
    for (const head of ['Content-Length: 100000000', 'Transfer-Encoding: chunked']) {
      const { socket, answer, closed } = await raw()
      socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${head}\r\n\r\n`)
      let sent = 0
      const piece = head.startsWith('T') ? `10000\r\n${'a'.repeat(65_536)}\r\n` : 'a'.repeat(65_536)
      while (!socket.destroyed && sent < 100_000_000) {
        sent += piece.length
        if (!socket.write(piece)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed])
      }
      await closed
      expect(answer()).toMatch(/^HTTP\/1\.1 413 [^]*"error":"The body is larger/)
      expect(sent).toBeLessThan(20_000_000) // what the system keeps on the way
      expect((await post({ inputs: 'a' })).status).toBe(200)
    }
  })

  it('tells a client that asks first that its body is too large', async () => {
    const { socket, answer, closed } = await raw()
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 100000000\r\n\r\n')
    await closed
    expect(answer()).toMatch(/^HTTP\/1\.1 413 /)
    const small = await raw()
    small.socket.write(
      'POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 14\r\nConnection: close\r\n\r\n',
    )
    await vi.waitFor(() => expect(small.answer()).toMatch(/^HTTP\/1\.1 100 Continue/))
    small.socket.write('{"inputs":"a"}')
    await small.closed
    expect(small.answer()).toMatch(/HTTP\/1\.1 200 OK/)
  })

  it('answers while 1,000 clients hold connections, slow ones among them, and drops more', async () => {
    const clients = await Promise.all(Array.from({ length: 940 }, () => raw()))
    for (const [at, { socket }] of clients.entries())
      if (at % 3 === 0) socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Le')
      else if (at % 3 === 1) socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"inp')
    const answers = await Promise.all(Array.from({ length: 5 }, () => post({ inputs: 'a stone' })))
    const [expected] = await classify('a stone')
    for (const { status, answer } of answers) {
      expect(status).toBe(200)
      expect((answer as [{ score: number }])[0].score).toBeCloseTo(expected!.score, 6)
    }
    const more = await Promise.all(Array.from({ length: 100 }, () => raw()))
    await Promise.any(more.map(({ closed }) => closed)) // dropped
    for (const { socket } of [...clients, ...more]) socket.destroy()
    await vi.waitFor(async () => expect((await post({ inputs: 'a' })).status).toBe(200), 5000)
  })

  it('refuses what would wait too long, and goes on answering', async () => {
    const slow = Object.assign(
      async (texts: readonly string[]) => {
        await new Promise(resolve => setTimeout(resolve, 100))
        return texts.map(() => ({ label: 'bad', score: 1 }))
      },
      { task: 'text-classification', tokenizer: classify.tokenizer, dispose: () => Promise.resolve() },
    ) as unknown as Pipelines['text-classification']
    const busy = await startServer({ task: 'text-classification', pipeline: slow }, options)
    const { url } = busy
    const asked = await Promise.all(Array.from({ length: 10 }, () => post({ inputs: Array(20).fill('a') }, { url })))
    expect(asked.filter(({ status }) => status === 200)).toHaveLength(3)
    const refused = asked.filter(({ status }) => status === 503)
    expect(refused).toHaveLength(7)
    expect(refused[0]!.headers.get('retry-after')).toBe('1')
    expect((await post({ inputs: ['a'] }, { url })).status).toBe(200)
    const last = post({ inputs: ['a'] }, { url })
    await new Promise(resolve => setTimeout(resolve, 30))
    const lazy = await raw(Number(new URL(url).port))
    await busy.close() // in-flight answers finish
    expect((await last).status).toBe(200)
    await lazy.closed
  })

  it('runs as a command until Ctrl-C, on the loopback address', async () => {
    const controller = new AbortController()
    const out: string[] = []
    const run = runCli(['serve', model, '--port', '0', '--threads', '1'], {
      out: text => out.push(text),
      interrupt: controller.signal,
    })
    await vi.waitFor(() => expect(out).toHaveLength(1), 10_000)
    const [, url] = /answers on (http:\/\/127\.0\.0\.1:\d+)$/.exec(out[0]!)!
    expect((await post({ inputs: 'a stone' }, { url: url! })).answer).toEqual(await classify('a stone'))
    controller.abort()
    const { status, error } = await run
    expect(status).toBe(0)
    expect(error).toMatch(/POST \/ 200 \d+ ms, 1 texts/)
    expect(error).not.toContain('stone')
  })

  it('refuses wrong words, and a port that is taken', async () => {
    const cases: [string[], number, string][] = [
      [[], 2, 'serve needs a model'],
      [[model, '--prot', '1'], 2, 'Did you mean --port?'],
      [[model, '--port', '70000'], 2, '--port should be a whole number from 0 to 65535'],
      [[model, '--api-key', 'my-very-key'], 2, '--api-key names an environment variable'],
      [['./nowhere'], 1, 'There is no folder "./nowhere"'],
      [[model, '--port', String(port)], 1, `Cannot listen on 127.0.0.1, port ${port}`],
    ]
    for (const [words, expected, message] of cases) {
      const { status, error } = await runCli(['serve', ...words])
      expect({ words, status }).toEqual({ words, status: expected })
      expect(error).toContain(message)
      expect(error).not.toContain('very-key')
    }
  })
})
