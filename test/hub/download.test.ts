/** Downloads from a Hub and a network with faults: what arrives is whole, or an error says what is missing. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { openRepository } from '../../src/hub/repository'
import type { Fault } from '../helpers/hubServer'
import { useHub } from '../helpers/useHub'

const id = 'acme/tiny'
/** Not the same anywhere, so that a piece in the wrong place is seen. */
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 5)
const sha256 = createHash('sha256').update(weights).digest('hex')
const config = JSON.stringify({ model_type: 'bert', note: 'x'.repeat(2000) })
const files = { 'config.json': config, 'model.safetensors': weights }
const used = useHub()

const blobs = (): string => join(used.cache, 'models--acme--tiny/blobs')
const blobNames = (): string[] => (existsSync(blobs()) ? readdirSync(blobs()) : [])
async function fetchFile(path: string): Promise<Uint8Array> {
  const repository = await openRepository('model', id)
  return readFileSync(join(await repository.fetch([path]), path))
}
/** Ranges of the requests for the weights. */
const ranges = (): (string | undefined)[] =>
  used.hub.requests.filter(({ path }) => /resolve|cdn/.test(path)).map(({ headers }) => headers.range)

describe('a fault that passes', () => {
  it.each<[string, Fault, string]>([
    ['the answer 500, twice', { status: 500, times: 2, match: 'resolve' }, 'model.safetensors'],
    ['the answer 429', { status: 429, retryAfter: 0, times: 2, match: 'resolve' }, 'model.safetensors'],
    ['429 where the commit is asked for', { status: 429, retryAfter: 0, times: 2, match: 'revision' }, 'config.json'],
    ['503 where files are listed', { status: 503, times: 2, match: 'tree' }, 'config.json'],
    ['a list that breaks off', { cut: 20, times: 1, match: 'tree' }, 'config.json'],
    ['a commit that breaks off', { cut: 20, times: 1, match: 'revision' }, 'config.json'],
    ['a body that is cut', { cut: 1000, times: 2, match: 'resolve' }, 'model.safetensors'],
    ['a small body that is cut', { cut: 10, times: 2, match: 'resolve' }, 'config.json'],
    ['a length that is too long', { lie: 10, times: 2, match: 'resolve' }, 'model.safetensors'],
    ['a length that is too short', { lie: -10, times: 1, match: 'resolve' }, 'model.safetensors'],
    ['a wrong byte', { flip: true, times: 1, match: 'resolve' }, 'model.safetensors'],
    ['a wrong byte of a small file', { flip: true, times: 1, match: 'resolve' }, 'config.json'],
    ['a slow answer', { delay: 300, times: 1 }, 'config.json'],
  ])('is survived: %s', async (_, fault, path) => {
    used.hub.add('model', id, files)
    used.hub.fault(fault)
    const expected = path === 'config.json' ? Buffer.from(config) : Buffer.from(weights)
    expect(Buffer.from(await fetchFile(path)).equals(expected)).toBe(true)
    expect(blobNames()).toHaveLength(1)
  })

  it('a break goes on where it was', async () => {
    used.hub.add('model', id, files)
    used.hub.fault({ cut: 100_000, times: 1, match: 'resolve' })
    await fetchFile('model.safetensors')
    // How much of what was sent before the break has arrived is the system's affair.
    expect(ranges()).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)])
  })

  it('Retry-After is waited for', async () => {
    used.hub.add('model', id, files)
    used.hub.fault({ status: 429, retryAfter: 1, times: 1, match: 'resolve' })
    const start = performance.now()
    await fetchFile('config.json')
    expect(performance.now() - start).toBeGreaterThan(950)
  })

  it('a body that stands still is given up, and tried again', async () => {
    vi.stubEnv('HF_HUB_DOWNLOAD_TIMEOUT', '0.2')
    used.hub.add('model', id, files)
    const { fetch } = globalThis
    let stalled = 0
    vi.stubGlobal('fetch', async (input: URL, init: RequestInit) => {
      const answer = await fetch(input, init)
      if (!String(input).includes('resolve') || stalled++ > 0) return answer
      const bytes = new Uint8Array(await answer.arrayBuffer()).subarray(0, 5000)
      const body = new ReadableStream({ start: controller => controller.enqueue(bytes) }) // never closed
      return new Response(body, { headers: answer.headers })
    })
    try {
      expect(Buffer.from(await fetchFile('model.safetensors')).equals(weights)).toBe(true)
      expect(ranges()).toEqual([undefined, 'bytes=5000-'])
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

describe('a fault that stays', () => {
  it.each<[string, Fault, RegExp]>([
    [
      'a wrong byte',
      { flip: true, match: 'resolve' },
      /^model\.safetensors of model "acme\/tiny" does not arrive whole: expected 300000 bytes, received 300000 \(they have the SHA-256 [0-9a-f]{64} in place of [0-9a-f]{64}; 5 tries\)/,
    ],
    [
      'cut bodies',
      { cut: 1000, match: 'resolve' },
      /does not arrive whole: expected 300000 bytes, received 5000 \(the connection broke; 5 tries\)\. Try again later: what has arrived is kept/,
    ],
    [
      'a wrong length',
      { lie: 10, match: 'resolve' },
      /expected 300000 bytes, received 0 \(it announces 300010 bytes; 5/,
    ],
    ['the answer 500', { status: 500, match: 'resolve' }, /The Hub answered 500 for model "acme\/tiny"/],
    ['the answer 429', { status: 429, retryAfter: 0, match: 'resolve' }, /limits how often it is asked \(429\)/],
  ])('is never taken for whole: %s', async (_, fault, message) => {
    used.hub.add('model', id, files)
    used.hub.fault(fault)
    await expect(fetchFile('model.safetensors')).rejects.toThrow(message)
    expect(blobNames().filter(name => !name.endsWith('.incomplete'))).toEqual([])
    const commit = (await openRepository('model', id)).commit
    expect(existsSync(join(used.cache, 'models--acme--tiny/snapshots', commit, 'model.safetensors'))).toBe(false)
  })

  it('what has arrived is kept for the next run', async () => {
    used.hub.add('model', id, files)
    used.hub.fault({ cut: 20_000, match: 'resolve' })
    await expect(fetchFile('model.safetensors')).rejects.toThrow(/received [1-9]\d* /)
    used.hub.clearFaults()
    expect(Buffer.from(await fetchFile('model.safetensors')).equals(weights)).toBe(true)
    expect(ranges().at(-1)).toMatch(/^bytes=[1-9]\d*-$/)
    expect(blobNames()).toEqual([sha256])
  })
})

describe('a leftover', () => {
  const leave = (name: string, bytes: Uint8Array): void => {
    mkdirSync(blobs(), { recursive: true })
    writeFileSync(join(blobs(), `${sha256}${name}`), bytes)
  }
  const spoilt = weights.map((byte, i) => (i === 50 ? byte ^ 1 : byte))

  it.each([
    ["of Python's, that is a part", '.0a1b2c3d.incomplete', weights.subarray(0, 1234), ['bytes=1234-']],
    ["of an older Python's", '.incomplete', weights.subarray(0, 1234), ['bytes=1234-']],
    ['that is whole', '.0a1b2c3d.incomplete', weights, []],
    ['that is spoilt', '.0a1b2c3d.incomplete', spoilt.subarray(0, 1234), ['bytes=1234-', undefined]],
    ['that is whole and spoilt', '.0a1b2c3d.incomplete', spoilt, [undefined]],
    ['that is too long', '.0a1b2c3d.incomplete', new Uint8Array(400_000), [undefined]],
    ['of nothing', '.0a1b2c3d.incomplete', new Uint8Array(), [undefined]],
  ])('%s is not promoted unchecked', async (_, name, bytes, asked) => {
    used.hub.add('model', id, files)
    leave(name, bytes)
    expect(Buffer.from(await fetchFile('model.safetensors')).equals(weights)).toBe(true)
    expect(ranges()).toEqual(asked)
  })
})

describe('an LFS file on another host', () => {
  it('of more than 10 MB arrives, and the token goes to the Hub alone', async () => {
    vi.stubEnv('HF_TOKEN', 'hf_loopback')
    const large = Uint8Array.from({ length: 11_000_000 }, (_, i) => (i * 31) >> 7)
    used.hub.add('model', id, { 'model.safetensors': large }, { cdn: true, private: true })
    used.hub.fault({ cut: 6_000_000, times: 1, match: 'cdn' })
    expect(Buffer.from(await fetchFile('model.safetensors')).equals(large)).toBe(true)
    // a connection that breaks may take with it what had been sent and not been read
    const [first, redirected, again, ...rest] = ranges()
    expect([first, redirected, rest]).toEqual([undefined, undefined, [again]])
    const resumedAt = Number(/^bytes=(\d+)-$/.exec(again ?? '')?.[1])
    expect(resumedAt).toBeGreaterThan(0)
    expect(resumedAt).toBeLessThanOrEqual(6_000_000)
    const home = new URL(used.hub.url).host
    for (const { host, authorization } of used.hub.requests)
      expect(authorization, host).toBe(host === home ? 'Bearer hf_loopback' : undefined)
    expect(used.hub.requests.some(({ host }) => host !== home)).toBe(true)
  })

  it('whose address has expired is asked for again', async () => {
    used.hub.add('model', id, files, { cdn: true })
    used.hub.fault({ status: 403, times: 1, match: 'cdn' })
    expect(Buffer.from(await fetchFile('model.safetensors')).equals(weights)).toBe(true)
  })
})

it('the answers of the Hub each have their error', async () => {
  used.hub.add('model', 'acme/private', files, { private: true })
  used.hub.add('model', 'acme/gated', files, { gated: true })
  used.hub.add('model', id, files)
  const open = (asked: string, options = {}): Promise<unknown> =>
    openRepository('model', asked, options).then(repository => repository.fetch(['config.json']))
  await expect(open('acme/none')).rejects.toThrow(
    'There is no model "acme/none" on the Hub, or it is not visible. Check the id. If it is private, log in',
  )
  await expect(open('acme/private')).rejects.toThrow(/There is no model "acme\/private" .*If it is private, log in/)
  await expect(open('acme/gated')).rejects.toThrow('Access to model "acme/gated" is gated. Ask for access on its page')
  await expect(open(id, { revision: 'v9' })).rejects.toThrow(`There is no revision "v9" of model "${id}"`)
  await expect(open(id, { token: 'hf_wrong' })).rejects.toThrow(/does not accept the token.*Make a new one/)
  await expect(open(id, { token: 'hf_wrong' })).rejects.not.toThrow('hf_wrong')
  const repository = await openRepository('model', id)
  await expect(repository.fetch(['vocab.txt'])).rejects.toThrow(`model "${id}" has no file vocab.txt`)
  await expect(open('not/an/id')).rejects.toThrow('"not/an/id" cannot be the id of a model on the Hub')
})

it('several files are fetched at a time', async () => {
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`${i}.txt`, `text ${i}`]))
  used.hub.add('dataset', id, many)
  used.hub.fault({ delay: 200, match: 'resolve' })
  const repository = await openRepository('dataset', id)
  const start = performance.now()
  const folder = await repository.fetch(Object.keys(many))
  const seconds = (performance.now() - start) / 1000
  expect(seconds).toBeGreaterThan(0.55) // nine, four at a time: three rounds
  expect(seconds).toBeLessThan(1.5)
  for (const [name, text] of Object.entries(many)) expect(readFileSync(join(folder, name), 'utf8')).toBe(text)
})

it('what two callers ask for at once is fetched once', async () => {
  used.hub.add('model', id, files)
  const repository = await openRepository('model', id)
  await Promise.all([repository.fetch(['config.json']), repository.fetch(['config.json', 'model.safetensors'])])
  expect(ranges()).toHaveLength(2)
})

describe('parts of a file', () => {
  it('are read by ranges, without storing it', async () => {
    used.hub.add('dataset', id, { 'data.parquet': weights }, { cdn: true })
    used.hub.fault({ cut: 100, times: 1, match: 'cdn' })
    const file = await (await openRepository('dataset', id)).open('data.parquet')
    expect(file.byteLength).toBe(weights.length)
    expect(Buffer.from(await file.slice(1000, 3000)).equals(weights.subarray(1000, 3000))).toBe(true)
    expect(Buffer.from(await file.slice(299_990)).equals(weights.subarray(299_990))).toBe(true)
    expect(ranges().filter((_, i) => i % 2 === 0)).toEqual([
      'bytes=1000-2999',
      'bytes=1100-2999',
      'bytes=299990-299999',
    ])
    expect((await file.slice(5, 5)).byteLength).toBe(0)
    expect(existsSync(used.cache)).toBe(false)
  })

  it('come from the cache where that has the file', async () => {
    used.hub.add('dataset', id, { 'data.parquet': weights })
    const repository = await openRepository('dataset', id)
    await repository.fetch(['data.parquet'])
    const before = used.hub.requests.length
    const file = await repository.open('data.parquet')
    expect(Buffer.from(await file.slice(10, 20)).equals(weights.subarray(10, 20))).toBe(true)
    await file.close()
    expect(used.hub.requests.length).toBe(before)
  })

  it('that never come are an error', async () => {
    used.hub.add('dataset', id, { 'data.parquet': weights })
    const file = await (await openRepository('dataset', id)).open('data.parquet')
    used.hub.fault({ cut: 0, match: 'resolve' })
    await expect(file.slice(0, 10)).rejects.toThrow(/data\.parquet of dataset "acme\/tiny" cannot be read/)
  })
})
