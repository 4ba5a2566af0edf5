import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createRepository, fullId } from '../../src/hub/createRepository'
import { CountedBlob, uploadProgress } from '../../src/hub/progress'
import { hubEnvironment } from '../../src/hub/environment'
import { uploadFiles, uploadFolder } from '../../src/hub/upload'
import { rememberingStream } from '../helpers/rememberingStream'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { useHub } from '../helpers/useHub'

const tokens = {
  hf_loopback: { name: 'loopback', orgs: ['acme'], role: 'write' },
  hf_reader: { name: 'loopback', role: 'read' },
  hf_stranger: { name: 'stranger', role: 'write' },
} as const

const used = useHub({ tokens: structuredClone(tokens) as never, token: 'hf_loopback' })

const texts = (files: Readonly<Record<string, Uint8Array>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, data]) => [path, Buffer.from(data).toString()]))
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const messages = (id: string, revision?: string): string[] =>
  used.hub.commits('model', id, revision).map(({ message }) => message)

describe('a repository', () => {
  it('is made in the namespace of the token, once', async () => {
    expect(await createRepository('model', 'tiny', { private: true })).toBe('loopback/tiny')
    expect(used.hub.repository('model', 'loopback/tiny')?.private).toBe(true)
    expect(await createRepository('model', 'tiny', { private: false })).toBe('loopback/tiny')
    expect(used.hub.repository('model', 'loopback/tiny')?.private).toBe(true)
    expect(await createRepository('dataset', 'acme/rows')).toBe('acme/rows')
    expect(used.hub.repository('dataset', 'acme/rows')?.private).toBe(false)
    expect(await fullId('model', 'other', undefined)).toBe('loopback/other')
    expect(used.hub.repository('model', 'loopback/other')).toBeUndefined()
  })

  it.each([
    ['no token', { HF_TOKEN: '' }, 'tiny', /There is no token .*npx ts-trainer login, or set HF_TOKEN/],
    ['a token that nobody has', { HF_TOKEN: 'hf_nobody' }, 'tiny', /does not accept the token/],
    ['a token that may only read', { HF_TOKEN: 'hf_reader' }, 'tiny', /may not do this .*role "write"/],
    ['a foreign namespace', {}, 'google/tiny', /may not do this with model "google\/tiny".*namespace "google"/],
    ['no connection asked for', { HF_HUB_OFFLINE: '1' }, 'tiny', /HF_HUB_OFFLINE is set.*Unset it/],
    ['what is no name', {}, 'a/b/c', /cannot be the name of a repository/],
    ['a name with a blank', {}, 'my model', /cannot be the name of a repository/],
  ])('says what to do about %s', async (_, environment, id, message) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    const error = await createRepository('model', id).catch((thrown: unknown) => thrown)
    expect(error).toHaveProperty('name', 'TrainerError')
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toContain('hf_')
  })

  it('that is there is enough for a token that may write to it, though it may make none', async () => {
    used.hub.add('model', 'loopback/there', { 'config.json': '{}' })
    used.hub.fault({ status: 403, match: '/repos/create', times: 2 })
    expect(await createRepository('model', 'loopback/there')).toBe('loopback/there')
    await expect(createRepository('model', 'loopback/missing')).rejects.toThrow('may not do this')
    await expect(createRepository('model', 'loopback/there', { token: 'hf_reader' })).rejects.toThrow('may not do this')
    const readable = { token: 'hf_reader', readable: true }
    expect(await createRepository('model', 'loopback/there', readable)).toBe('loopback/there')
  })
})

describe('an upload', () => {
  const message = 'Upload'

  beforeEach(() => void used.hub.add('model', 'loopback/tiny', { 'config.json': '{}' }))

  it('is one commit of bytes and of files, small and large', async () => {
    const folder = temporaryFolder()
    const large = Buffer.alloc(12_345_678, 'large')
    writeFileSync(join(folder, 'model.safetensors'), large)
    writeFileSync(join(folder, 'empty.txt'), '')
    const commit = await uploadFiles(
      'model',
      'loopback/tiny',
      {
        'README.md': bytes('# tiny\n'),
        'deep/er/model.safetensors': join(folder, 'model.safetensors'),
        'empty.txt': join(folder, 'empty.txt'),
      },
      { message, description: 'more' },
    )
    const [made] = used.hub.commits('model', 'loopback/tiny')
    expect(made).toMatchObject({ oid: commit.oid, message })
    expect(commit.url).toBe(`${used.hub.url}/loopback/tiny/commit/${commit.oid}`)
    const files = used.hub.files('model', 'loopback/tiny')
    expect(Object.keys(files).toSorted()).toEqual([
      'README.md',
      'config.json',
      'deep/er/model.safetensors',
      'empty.txt',
    ])
    const hash = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')
    expect(hash(files['deep/er/model.safetensors']!)).toBe(hash(large))
    expect(files['empty.txt']).toHaveLength(0)
    const parts = used.hub.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/lfs/'))
    expect(parts.length).toBeGreaterThan(1)
    for (const { authorization } of parts) expect(authorization).toBeUndefined()
  })

  it('of a folder leaves hidden and ignored files here', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'onnx'))
    for (const name of ['a.txt', '.env', '_b.txt', 'onnx/c.txt']) writeFileSync(join(folder, name), name)
    await uploadFolder('model', 'loopback/tiny', folder, { message, ignore: path => path.startsWith('_') })
    expect(used.hub.commits('model', 'loopback/tiny')[0]!.paths.toSorted()).toEqual(['a.txt', 'onnx/c.txt'])
  })

  it('replaces a folder of the repository where it is to', async () => {
    const files = {
      'last-checkpoint/old.bin': bytes('old'),
      'last-checkpoint/same.json': bytes('1'),
      'old.bin': bytes(''),
    }
    await uploadFiles('model', 'loopback/tiny', files, { message })
    const next = { 'last-checkpoint/same.json': bytes('2') }
    await uploadFiles('model', 'loopback/tiny', next, { message, replaces: 'last-checkpoint' })
    await uploadFiles('model', 'loopback/tiny', { 'checkpoint-1/a': bytes('') }, { message, replaces: 'checkpoint-1' })
    const { 'last-checkpoint/same.json': same, ...others } = texts(used.hub.files('model', 'loopback/tiny'))
    expect(same).toBe('2')
    expect(Object.keys(others).toSorted()).toEqual(['checkpoint-1/a', 'config.json', 'old.bin'])
  })

  it('makes a branch that is missing, and a pull request where one is asked for', async () => {
    await uploadFiles('model', 'loopback/tiny', { a: bytes('1') }, { message, revision: 'try/one' })
    expect(texts(used.hub.files('model', 'loopback/tiny', 'try/one'))).toEqual({ a: '1', 'config.json': '{}' })
    expect(texts(used.hub.files('model', 'loopback/tiny'))).toEqual({ 'config.json': '{}' })
    const asked = { message, createPr: true, token: 'hf_stranger' }
    const { pullRequestUrl } = await uploadFiles('model', 'loopback/tiny', { b: bytes('2') }, asked)
    expect(pullRequestUrl).toBe(`${used.hub.url}/loopback/tiny/discussions/1`)
    expect(texts(used.hub.files('model', 'loopback/tiny'))).toEqual({ 'config.json': '{}' })
  })

  it.each([
    ['is busy', { status: 429, retryAfter: 0, times: 2 }],
    ['has faults', { status: 500, times: 3 }],
    ['breaks off', { cut: 0, times: 1 }],
  ])('is tried again when the Hub %s, in every request of it', async (_, fault) => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'model.safetensors'), Buffer.alloc(2_000_000, 1))
    const files = { 'model.safetensors': join(folder, 'model.safetensors'), 'README.md': bytes('# x\n') }
    for (const match of ['/revision/', '/preupload/', '/lfs/objects/batch', /\/lfs\/objects\/[0-9a-f]+/, '/commit/'])
      used.hub.fault({ ...fault, match })
    const { oid } = await uploadFiles('model', 'loopback/tiny', files, { message })
    expect(used.hub.commits('model', 'loopback/tiny').map(commit => commit.oid)).toEqual([oid, expect.anything()])
    expect(used.hub.files('model', 'loopback/tiny')['model.safetensors']).toHaveLength(2_000_000)
  })

  it('makes one commit where its answer was lost', async () => {
    used.hub.fault({ cut: 5, times: 1, match: '/commit/' })
    const { oid, url } = await uploadFiles('model', 'loopback/tiny', { a: bytes('1') }, { message })
    expect(messages('loopback/tiny')).toEqual([message, expect.anything()])
    expect(used.hub.commits('model', 'loopback/tiny')[0]!.oid).toBe(oid)
    expect(url).toBe(`${used.hub.url}/loopback/tiny/commit/${oid}`)
  })

  it('is built on what somebody else has committed meanwhile, though they said the same', async () => {
    const real = globalThis.fetch
    let isLate = true
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      if (isLate && String(input).includes('/commit/')) {
        isLate = false
        await uploadFiles('model', 'loopback/tiny', { theirs: bytes('2') }, { message })
      }
      return real(input, init)
    })
    const { oid } = await uploadFiles('model', 'loopback/tiny', { ours: bytes('1') }, { message })
    vi.restoreAllMocks()
    expect(messages('loopback/tiny')).toEqual([message, message, expect.anything()])
    expect(used.hub.commits('model', 'loopback/tiny')[0]!.oid).toBe(oid)
    expect(texts(used.hub.files('model', 'loopback/tiny'))).toEqual({ 'config.json': '{}', ours: '1', theirs: '2' })
  })

  it.each([
    ['faults without end', { status: 503 }, /The Hub answered 503 for model "loopback\/tiny".*try again later/],
    ['a limit without end', { status: 429 }, /limits how often it is asked \(429\).*later/],
  ])('says so after %s', async (_, fault, expected) => {
    used.hub.fault({ ...fault, match: '/preupload/' })
    const error = await uploadFiles('model', 'loopback/tiny', { a: bytes('') }, { message }).catch((e: unknown) => e)
    expect((error as Error).message).toMatch(expected)
    expect(messages('loopback/tiny')).toHaveLength(1)
  })

  it.each<[string, Record<string, string | Uint8Array>, Partial<Parameters<typeof uploadFiles>[3]>, RegExp]>([
    [
      'a card that the Hub does not take',
      { 'README.md': bytes('---\nlicense: 12\n---\n') },
      {},
      /\(400\): Invalid metadata in README\.md\.\n- "license" must be a string Correct the metadata/,
    ],
    ['a token that may only read', { a: bytes('') }, { token: 'hf_reader' }, /may not do this.*role "write"/],
    ['a token of somebody else', { a: bytes('') }, { token: 'hf_stranger' }, /may not do this/],
    ['a file that is not there', { a: '/nowhere/a' }, {}, /There is no file \/nowhere\/a/],
    ['a path that leaves the repository', { '../a': bytes('') }, {}, /cannot be the path of a file/],
  ])('says what to do about %s', async (_, files, options, expected) => {
    const error = await uploadFiles('model', 'loopback/tiny', files, { message, ...options }).catch((e: unknown) => e)
    expect(error).toHaveProperty('name', 'TrainerError')
    expect((error as Error).message).toMatch(expected)
    expect(messages('loopback/tiny')).toHaveLength(1)
  })

  it('prints nothing', async () => {
    const kinds = ['log', 'info', 'debug', 'warn', 'error'] as const
    const spies = kinds.map(kind => vi.spyOn(console, kind).mockImplementation(() => undefined))
    await uploadFiles('model', 'loopback/tiny', { 'model.safetensors': bytes('1') }, { message })
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })
})

describe('the bar of an upload', () => {
  const environment = hubEnvironment({})

  it('counts what is read of each file, from the beginning where it is read again', async () => {
    const counts: number[] = []
    const source = new Blob(['x'.repeat(70_000), 'y'.repeat(70_000)], { type: 'text/plain' })
    const blob = new CountedBlob(source, bytes => counts.push(bytes))
    expect([blob.size, blob.type]).toEqual([140_000, 'text/plain'])
    for (let reading = 0; reading < 2; reading++) {
      counts.length = 0
      expect(await new Response(blob).text()).toBe(await source.text())
      expect(counts.at(-1)).toBe(140_000)
    }
  })

  it('is full when the commit is made, and not before', async () => {
    const stream = rememberingStream(true)
    const progress = uploadProgress(
      environment,
      'loopback/tiny',
      [
        { path: 'a', size: 1e6 },
        { path: 'b', size: 3e6 },
      ],
      stream,
    )
    await new Promise(resolve => setTimeout(resolve, 250))
    progress.update('one', 1e6)
    await vi.waitFor(() => expect(stream.written.join('')).toContain('1.0/4.0 MB'))
    progress.end(true)
    expect(stream.written.join('')).toMatch(/4\.0\/4\.0 MB .*2 files/)
  })

  it('changes nothing in what is uploaded, breaks included', async () => {
    await createRepository('model', 'tiny')
    const files = { 'model.safetensors': new Uint8Array(3_000_000).fill(7), 'config.json': bytes('{}') }
    used.hub.fault({ status: 503, times: 1, method: 'PUT' })
    const { repoUrl } = await uploadFiles('model', 'loopback/tiny', files, { message: 'Upload', showsProgress: true })
    expect(repoUrl).toBe(`${used.hub.url}/loopback/tiny`)
    const there = used.hub.files('model', 'loopback/tiny')['model.safetensors']!
    expect(Buffer.compare(there, files['model.safetensors'])).toBe(0)
    const put = used.hub.requests.filter(({ method }) => method === 'PUT')
    expect(put.map(({ headers }) => headers['content-length'])).toEqual(['3000000', '3000000'])
  })
})
