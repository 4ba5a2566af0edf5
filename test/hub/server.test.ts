/** The loopback Hub of the tests, driven by the Hub's own client. */
import {
  createBranch,
  createRepo,
  datasetInfo,
  downloadFile,
  downloadFileToCacheDir,
  listFiles,
  modelInfo,
  uploadFiles,
  whoAmI,
} from '@huggingface/hub'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startHub, type HubServer } from '../helpers/hubServer'
import { temporaryFolder } from '../helpers/temporaryFolder'

const accessToken = 'hf_loopback'
const tokens = {
  hf_loopback: { name: 'loopback', orgs: ['acme'], granted: true },
  hf_reader: { name: 'loopback', role: 'read' as const },
  hf_stranger: { name: 'stranger' },
}
let hub: HubServer

beforeEach(async () => {
  hub = await startHub({ tokens })
})

afterEach(async () => {
  await hub.close()
})

async function listed(repo: string, revision = 'main', path?: string): Promise<string[]> {
  const paths: string[] = []
  const where = path === undefined ? {} : { path }
  for await (const entry of listFiles({ hubUrl: hub.url, repo, recursive: true, revision, ...where })) {
    paths.push(entry.path)
  }
  return paths
}

async function textOf(repo: string, path: string, options: { revision?: string; token?: string } = {}) {
  const token = options.token === undefined ? {} : { accessToken: options.token }
  const revision = options.revision ?? 'main'
  return (await downloadFile({ hubUrl: hub.url, repo, path, revision, ...token }))?.text()
}

/** Status and X-Error-Code of a GET. */
async function refusal(path: string, token?: string): Promise<[number, string | null]> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const response = await fetch(hub.url + path, { headers })
  await response.arrayBuffer()
  return [response.status, response.headers.get('X-Error-Code')]
}

/** A commit by hand: its status and the answer. */
async function push(id: string, path: string, content: string, parentCommit?: string, token = accessToken) {
  const lines = [
    { key: 'header', value: { summary: 'by hand', parentCommit } },
    { key: 'file', value: { path, content: Buffer.from(content).toString('base64'), encoding: 'base64' } },
  ]
  const body = lines.map(line => JSON.stringify(line)).join('\n')
  const headers = { Authorization: `Bearer ${token}` }
  return (await fetch(`${hub.url}/api/models/${id}/commit/main`, { method: 'POST', headers, body })).status
}

describe('pushing', () => {
  test('a small file, one of LFS and one in several parts', async () => {
    const repo = 'acme/tiny'
    const made = await createRepo({ hubUrl: hub.url, accessToken, repo, visibility: 'private' })
    expect(made).toEqual({ repoUrl: `${hub.url}/acme/tiny`, id: repo })
    await expect(createRepo({ hubUrl: hub.url, accessToken, repo })).rejects.toThrow('already created')
    const large = new Uint8Array(12_000_001).fill(7)
    const files = [
      { path: 'config.json', content: new Blob(['{}']) },
      { path: 'model.safetensors', content: new Blob(['small, but LFS']) },
      { path: 'large.bin', content: new Blob([large]) },
    ]
    const pushed = await uploadFiles({ hubUrl: hub.url, accessToken, repo, files, commitTitle: 'End of training' })
    const there = hub.files('model', repo)
    expect(Object.keys(there).sort()).toEqual(['.gitattributes', 'config.json', 'large.bin', 'model.safetensors'])
    expect(Buffer.compare(there['large.bin']!, large)).toBe(0)
    expect(hub.repository('model', repo)).toEqual({ private: true, branches: { main: pushed!.commit.oid } })
    const [last, first] = hub.commits('model', repo)
    const paths = ['config.json', 'large.bin', 'model.safetensors']
    expect(last).toMatchObject({ oid: pushed!.commit.oid, message: 'End of training', paths })
    expect(first!.message).toBe('initial commit')
    expect(hub.requests.filter(({ method }) => method === 'PUT')).toHaveLength(4)
  })

  test('branches and pull requests', async () => {
    const oid = hub.add('dataset', 'acme/rows', { 'a.csv': 'a' })
    const repo = 'datasets/acme/rows'
    await createBranch({ hubUrl: hub.url, accessToken, repo, branch: 'a/b' })
    await expect(createBranch({ hubUrl: hub.url, accessToken, repo, branch: 'a/b' })).rejects.toThrow('already exists')
    const files = [{ path: 'b.csv', content: new Blob(['b']) }]
    await uploadFiles({ hubUrl: hub.url, accessToken, repo, branch: 'a/b', files })
    expect(Object.keys(hub.files('dataset', 'acme/rows', 'a/b'))).toEqual(['a.csv', 'b.csv'])
    const request = await uploadFiles({ hubUrl: hub.url, accessToken, repo, isPullRequest: true, files })
    expect(request!.pullRequestUrl).toBe(`${hub.url}/datasets/acme/rows/discussions/1`)
    expect(Object.keys(hub.repository('dataset', 'acme/rows')!.branches)).toEqual(['main', 'a/b', 'refs/pr/1'])
    expect(hub.repository('dataset', 'acme/rows')!.branches.main).toBe(oid)
  })

  test('what the Hub refuses', async () => {
    const oid = hub.add('model', 'acme/tiny', { 'config.json': '{}' })
    expect(await push('acme/tiny', 'a', 'a', oid)).toBe(200)
    expect(await push('acme/tiny', 'a', 'b', oid)).toBe(412)
    expect(await push('acme/tiny', 'a', 'b', undefined, 'hf_reader')).toBe(403)
    expect(await push('acme/tiny', 'a', 'b', undefined, 'hf_stranger')).toBe(403)
    expect(await push('acme/tiny', 'a', 'b', undefined, 'hf_nobody')).toBe(401)
    expect(await push('acme/tiny', 'README.md', '---\nlicense: mit\n')).toBe(400)
    expect(await push('acme/tiny', 'README.md', '---\nlicense: 2\n---\n')).toBe(400)
    expect(await push('acme/tiny', 'README.md', '---\nlicense:\n- mit\n---\n')).toBe(400)
    expect(await push('acme/tiny', 'README.md', '---\nlicense: mit\ntags:\n- a\n---\n\n# Tiny\n')).toBe(200)
    expect(await push('acme/tiny', 'README.md', '# Tiny\n')).toBe(200)
  })
})

describe('reading', () => {
  test('files, folders and what is said of them', async () => {
    const oid = hub.add('model', 'acme/tiny', { 'config.json': '{}', 'onnx/model.onnx': 'weights' })
    expect(await listed('acme/tiny')).toEqual(['config.json', 'onnx', 'onnx/model.onnx'])
    expect(await listed('acme/tiny', 'main', 'onnx')).toEqual(['onnx/model.onnx'])
    expect(await textOf('acme/tiny', 'onnx/model.onnx')).toBe('weights')
    expect(await textOf('acme/tiny', 'none.json')).toBeUndefined()
    expect(await modelInfo({ hubUrl: hub.url, name: 'acme/tiny', additionalFields: ['sha'] })).toMatchObject({
      name: 'acme/tiny',
      sha: oid,
      gated: false,
    })
    expect(await whoAmI({ hubUrl: hub.url, accessToken })).toMatchObject({
      name: 'loopback',
      orgs: [{ name: 'acme' }],
      auth: { accessToken: { role: 'write' } },
    })
  })

  test('datasets without an organization, and their converted branch', async () => {
    hub.add('dataset', 'glue', { 'README.md': '# GLUE' })
    hub.add('dataset', 'glue', { 'cola/train/0000.parquet': 'PAR1' }, { revision: 'refs/convert/parquet' })
    expect(await datasetInfo({ hubUrl: hub.url, name: 'glue' })).toMatchObject({ name: 'glue', private: false })
    expect(await listed('datasets/glue')).toEqual(['README.md'])
    const converted = ['cola', 'cola/train', 'cola/train/0000.parquet']
    expect(await listed('datasets/glue', 'refs/convert/parquet')).toEqual(converted)
    expect(await listed('datasets/glue', 'refs%2Fconvert%2Fparquet')).toEqual(converted)
    const revision = 'refs/convert/parquet'
    expect(await textOf('datasets/glue', 'cola/train/0000.parquet', { revision })).toBe('PAR1')
  })

  test('pages', async () => {
    hub.add('model', 'acme/tiny', { a: 'a', b: 'b', c: 'c' })
    const first = await fetch(`${hub.url}/api/models/acme/tiny/tree/main?limit=2`)
    expect(await first.json()).toHaveLength(2)
    const next = /^<(.*)>; rel="next"$/.exec(first.headers.get('Link')!)![1]!
    const last = await fetch(next)
    expect(await last.json()).toMatchObject([{ path: 'c' }])
    expect(last.headers.get('Link')).toBeNull()
  })

  test('the cache of the client, by way of the second host', async () => {
    vi.spyOn(console, 'debug').mockImplementation(() => {})
    const oid = hub.add(
      'model',
      'acme/tiny',
      { 'config.json': '{}', 'a.onnx': 'weights' },
      { cdn: true, private: true },
    )
    const cacheDir = temporaryFolder()
    const common = { hubUrl: hub.url, accessToken, repo: 'acme/tiny', cacheDir }
    const config = await downloadFileToCacheDir({ ...common, path: 'config.json' })
    expect(config).toContain(oid)
    expect(readFileSync(config, 'utf8')).toBe('{}')
    expect(readFileSync(await downloadFileToCacheDir({ ...common, path: 'a.onnx' }), 'utf8')).toBe('weights')
    const others = hub.requests.filter(({ host }) => host.startsWith('localhost:'))
    expect(others.length).toBeGreaterThan(0)
    expect(others.every(({ path, authorization }) => path.startsWith('/cdn/') && authorization === undefined)).toBe(
      true,
    )
  })

  test('who may read what', async () => {
    hub.add('model', 'other/secret', { a: 'a' }, { private: true })
    hub.add('model', 'other/gated', { a: 'a' }, { gated: true })
    hub.add('model', 'acme/tiny', { a: 'a' })
    expect(await refusal('/api/models/other/secret')).toEqual([401, 'RepoNotFound'])
    expect(await refusal('/api/models/other/secret', 'hf_stranger')).toEqual([404, 'RepoNotFound'])
    expect(await refusal('/other/gated/resolve/main/a')).toEqual([401, 'GatedRepo'])
    expect(await refusal('/other/gated/resolve/main/a', 'hf_stranger')).toEqual([403, 'GatedRepo'])
    expect(await refusal('/other/gated/resolve/main/a', accessToken)).toEqual([200, null])
    expect(await refusal('/acme/tiny/resolve/main/a', 'hf_nobody')).toEqual([401, null])
    expect(await refusal('/acme/tiny/resolve/none/a')).toEqual([404, 'RevisionNotFound'])
    expect(await refusal('/acme/tiny/resolve/main/none')).toEqual([404, 'EntryNotFound'])
    expect(await refusal('/api/models/acme/none')).toEqual([401, 'RepoNotFound'])
  })
})

test.each([{}, { host: 'other' as const }])('a rename keeps the token on its own host only: %o', async options => {
  hub.add('model', 'acme/old', { 'config.json': '{}' })
  hub.rename('model', 'acme/old', 'acme/new', options)
  const other = 'host' in options
  expect(await textOf('acme/old', 'config.json', { token: accessToken })).toBe('{}')
  const followed = hub.requests.filter(({ path }) => path.startsWith('/acme/new/'))
  expect(followed.length).toBeGreaterThan(0)
  expect(followed.every(({ host }) => host.startsWith('localhost:') === other)).toBe(true)
  expect(followed.map(one => one.authorization)).toEqual(followed.map(() => (other ? undefined : 'Bearer hf_loopback')))
})

describe('faults', () => {
  const file = '/acme/tiny/resolve/main/config.json'

  async function text(): Promise<string> {
    return (await fetch(hub.url + file)).text()
  }

  beforeEach(() => {
    hub.add('model', 'acme/tiny', { 'config.json': '{ "a": 1 }' })
  })

  test('refusals, so many times and for some paths only', async () => {
    hub.fault({ status: 503, times: 1, match: 'config' })
    hub.fault({ retryAfter: 2, match: /\/api\//g })
    expect([(await refusal(file))[0], (await refusal(file))[0]]).toEqual([503, 200])
    const busy = await fetch(`${hub.url}/api/models/acme/tiny`)
    expect([busy.status, busy.headers.get('Retry-After')]).toEqual([429, '2'])
    hub.clearFaults()
    expect(await refusal('/api/models/acme/tiny')).toEqual([200, null])
  })

  test.each([{ cut: 4 }, { cut: 0 }, { lie: 10 }])('a body that ends early: %o', async fault => {
    hub.fault({ ...fault, times: 1 })
    await expect(text()).rejects.toThrow()
    expect(await text()).toBe('{ "a": 1 }')
  })

  test('a wrong byte, and an answer that comes late', async () => {
    hub.fault({ flip: true, times: 1, method: 'GET' })
    hub.fault({ delay: 50, times: 1 })
    const start = performance.now()
    const spoiled = await text()
    expect(performance.now() - start).toBeGreaterThan(45)
    expect([...spoiled].filter((letter, at) => letter !== '{ "a": 1 }'[at])).toHaveLength(1)
    expect(await text()).toBe('{ "a": 1 }')
  })
})
