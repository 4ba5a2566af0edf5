/** A repository that has another name now: after a case of the field, and with the loopback Hub. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { openRepository } from '../../src/hub/repository'
import { useHub } from '../helpers/useHub'

interface Exchange {
  readonly host: 'hub' | 'cdn'
  readonly path: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly body_json?: object
}
interface RenamedCase {
  readonly exchange: readonly Exchange[]
  readonly want: { readonly cache: readonly string[]; readonly blobs: Readonly<Record<string, string>> }
}

const fixture = join(import.meta.dirname, '../fixtures/hub/renamed-repository')
const { exchange, want } = JSON.parse(readFileSync(join(fixture, 'case.json'), 'utf8')) as RenamedCase
const commit = 'a76853cd911d9ef3f4dd8dbe1a0790b5355cb073'
const servers: Server[] = []
const used = useHub()

afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => new Promise(resolve => server.close(resolve))))
})

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What the case says, and what the client asks beside: the list, and files and facts by revision and commit. */
function asked(host: 'hub' | 'cdn', path: string): Exchange | undefined {
  const plain = path.replace(/\/revision\/main\?.*/, '').replace(`/resolve/${commit}/`, '/resolve/main/')
  const list = /^\/api\/models\/(.*)\/tree\//.exec(path)?.[1]
  if (list === undefined) return exchange.find(one => one.host === host && one.path === plain)
  if (list !== 'island-lab/bert-small')
    return { host, path, status: 307, headers: { Location: path.replace(list, 'island-lab/bert-small') } }
  const files = ['config.json', 'weights.bin'].map(name => {
    const { size } = statSync(join(fixture, name))
    const oid = want.blobs[name]!
    const large = oid.length === 64 ? { oid: '1'.repeat(40), lfs: { oid, size, pointerSize: 128 } } : { oid }
    return { type: 'file', path: name, size, ...large }
  })
  return { host, path, status: 200, headers: {}, body_json: files }
}

it('is followed with the token, which no other host gets; the cache has the name that was asked for', async () => {
  const seen: { host: string; authorization: string | undefined }[] = []
  let cdn = ''
  const answerAs =
    (host: 'hub' | 'cdn') =>
    ({ url = '', headers }: IncomingMessage, response: ServerResponse): void => {
      seen.push({ host, authorization: headers.authorization })
      const found = asked(host, url)
      if (host === 'hub' && headers.authorization === undefined) response.writeHead(401).end()
      else if (found === undefined) response.writeHead(404).end()
      else {
        const location = found.headers['Location']?.replace('CDN', cdn)
        response.writeHead(found.status, {
          ...found.headers,
          ...(location === undefined ? {} : { Location: location }),
        })
        response.end(
          found.body === undefined ? JSON.stringify(found.body_json) : readFileSync(join(fixture, found.body)),
        )
      }
    }
  cdn = await serve(answerAs('cdn'))
  vi.stubEnv('HF_ENDPOINT', `http://${await serve(answerAs('hub'))}`)
  vi.stubEnv('HF_TOKEN', 'hf_island')

  const repository = await openRepository('model', 'yarrow/bert-small')
  const folder = await repository.fetch(['config.json', 'weights.bin'])

  for (const [name, blob] of Object.entries(want.blobs)) {
    expect(basename(readlinkSync(join(folder, name)))).toBe(blob)
    expect(readFileSync(join(folder, name)).equals(readFileSync(join(fixture, name)))).toBe(true)
  }
  const there = readdirSync(used.cache, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory() && !entry.parentPath.endsWith('/trees'))
    .map(entry => join(entry.parentPath, entry.name).slice(used.cache.length + 1))
  expect(there.sort()).toEqual([...want.cache].sort())
  expect(seen.filter(({ host }) => host === 'cdn').map(({ authorization }) => authorization)).toEqual([undefined])
  expect(seen.every(({ host, authorization }) => host === 'cdn' || authorization === 'Bearer hf_island')).toBe(true)
})

it.each([
  ['on the same host', undefined, 'Bearer hf_loopback'],
  ['on another host', { host: 'other' as const }, undefined],
])('is found %s', async (_, options, authorization) => {
  vi.stubEnv('HF_TOKEN', 'hf_loopback')
  used.hub.add('dataset', 'nyu/glue', { 'train.csv': 'a\n1\n', 'large.parquet': new Uint8Array(1000) })
  used.hub.rename('dataset', 'nyu/glue', 'nyu-mll/glue', options)
  const repository = await openRepository('dataset', 'nyu/glue')
  expect(await repository.fetch(['train.csv', 'large.parquet'])).toContain('datasets--nyu--glue')
  const renamed = used.hub.requests.filter(({ path }) => path.includes('nyu-mll'))
  expect(renamed.length).toBeGreaterThanOrEqual(4)
  for (const request of renamed) expect(request.authorization).toBe(authorization)
})
