/** Several processes and one cache: a killed one, and two at once. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, request as ask, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { openRepository } from '../../src/hub/repository'
import { ended, startFetching } from '../helpers/fetchElsewhere'
import { useHub } from '../helpers/useHub'

const id = 'acme/tiny'
const weights = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) >> 5)
const used = useHub()
const blobs = (): string => join(used.cache, 'models--acme--tiny/blobs')
const blobNames = (): string[] => (existsSync(blobs()) ? readdirSync(blobs()) : [])
let slow: Server | undefined

afterEach(() => void slow?.close())

/** The Hub behind a network that stops for ever after so many bytes of the weights. */
async function stopAfter(bytes: number): Promise<string> {
  slow = createServer((request, response) => {
    const { method, headers, url = '' } = request
    const onward = ask(`${used.hub.url}${url}`, { method, headers }, answer => {
      response.writeHead(answer.statusCode!, answer.headers)
      if (!url.includes('resolve')) return void answer.pipe(response)
      let left = bytes
      answer.on('data', (piece: Buffer) => {
        response.write(piece.subarray(0, left))
        left -= Math.min(left, piece.length)
      })
    })
    request.pipe(onward)
  })
  await new Promise<void>(resolve => slow!.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(slow.address() as AddressInfo).port}`
}

it('what a killed process has fetched is not fetched again', async () => {
  used.hub.add('model', id, { 'model.safetensors': weights })
  vi.stubEnv('HF_ENDPOINT', await stopAfter(1_000_000))
  const child = startFetching(id, ['model.safetensors'])
  const end = ended(child)
  const fetched = (): number => Math.max(0, ...blobNames().map(name => statSync(join(blobs(), name)).size))
  await vi.waitFor(() => expect(fetched()).toBe(1_000_000), { timeout: 20_000 })
  child.kill('SIGKILL')
  await end
  expect(blobNames()).toHaveLength(1)
  expect(blobNames()[0]).toMatch(/^[0-9a-f]{64}\.[0-9a-f]{8}-\d+\.incomplete$/)

  vi.stubEnv('HF_ENDPOINT', used.hub.url)
  const repository = await openRepository('model', id)
  const folder = await repository.fetch(['model.safetensors'])
  expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true)
  expect(used.hub.requests.at(-1)!.headers.range).toBe('bytes=1000000-')
  expect(blobNames()).toHaveLength(1) // what the dead process left is gone
}, 40_000)

it('two at once do not disturb each other', async () => {
  used.hub.add('model', id, { 'model.safetensors': weights, 'config.json': '{}' })
  used.hub.fault({ delay: 300, match: 'resolve' })
  const children = [1, 2].map(() => ended(startFetching(id, ['model.safetensors', 'config.json'])))
  for (const { code, errors } of await Promise.all(children)) expect(code, errors).toBe(0)
  expect(blobNames().filter(name => name.includes('incomplete'))).toEqual([])
  const { folder } = await openRepository('model', id, { localFilesOnly: true })
  expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true)
}, 40_000)
