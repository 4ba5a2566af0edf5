/** The cache of repositories: laid out as Python lays it out, and used without a connection. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RepositoryCache } from '../../src/hub/cache'
import { openRepository } from '../../src/hub/repository'
import { AutoConfig, loadDataset, setLogSink } from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { useHub } from '../helpers/useHub'

const id = 'acme/tiny'
const files = {
  'config.json': '{"model_type": "bert"}',
  'model.safetensors': new Uint8Array(5000).fill(7),
  'onnx/model.onnx': 'graph',
}
const used = useHub()
const messages: string[] = []

beforeEach(() => {
  messages.length = 0
  setLogSink((_level, message) => void messages.push(message))
})
afterEach(() => setLogSink((_level, message) => void process.stderr.write(`${message}\n`)))

const fetchAll = async (options = {}): Promise<string> => {
  const repository = await openRepository('model', id, options)
  return repository.fetch(repository.files.map(({ path }) => path))
}
const inCache = (...names: string[]): string => join(used.cache, 'models--acme--tiny', ...names)

describe('what is fetched', () => {
  it('lies as Python lays it out', async () => {
    const commit = used.hub.add('model', id, files)
    const folder = await fetchAll()
    expect(folder).toBe(inCache('snapshots', commit))
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe(files['config.json'])
    const sha256 = createHash('sha256').update(files['model.safetensors']).digest('hex')
    expect(readlinkSync(join(folder, 'model.safetensors'))).toBe(`../../blobs/${sha256}`)
    expect(readlinkSync(join(folder, 'onnx/model.onnx'))).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/)
    expect(readlinkSync(join(folder, 'config.json'))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/)
    expect(readFileSync(inCache('refs/main'), 'utf8')).toBe(commit)
    expect(readdirSync(inCache('blobs')).filter(name => name.includes('incomplete'))).toEqual([])
    const { files: kept } = JSON.parse(readFileSync(inCache('trees', `${commit}.json`), 'utf8')) as {
      files: Record<string, unknown>
    }
    expect(kept['model.safetensors']).toMatchObject({ size: 5000, lfs_sha256: sha256, lfs_size: 5000 })
  })

  it('is copied where links are not wanted', async () => {
    vi.stubEnv('HF_HUB_DISABLE_SYMLINKS', '1')
    used.hub.add('model', id, files)
    const folder = await fetchAll()
    expect(lstatSync(join(folder, 'config.json')).isSymbolicLink()).toBe(false)
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe(files['config.json'])
  })

  it('is not fetched again, in another commit either', async () => {
    used.hub.add('model', id, files)
    await fetchAll()
    const second = used.hub.add('model', id, { ...files, 'config.json': '{"model_type": "other"}' })
    const before = used.hub.requests.length
    expect(await fetchAll()).toBe(inCache('snapshots', second))
    const fetched = used.hub.requests.slice(before).filter(({ path }) => path.includes('/resolve/'))
    expect(fetched.map(({ path }) => path)).toEqual([`/${id}/resolve/${second}/config.json`])
  })

  it('of a commit needs no request at all when it is there', async () => {
    const commit = used.hub.add('model', id, files)
    await fetchAll({ revision: commit })
    expect(existsSync(inCache('refs'))).toBe(false)
    const before = used.hub.requests.length
    await fetchAll({ revision: commit })
    expect(used.hub.requests.length).toBe(before)
  })

  it('in part needs no request either, and leaves no list by which Python would refuse the part', async () => {
    const commit = used.hub.add('model', id, files)
    const fetchOne = async (): Promise<string> =>
      (await openRepository('model', id, { revision: commit })).fetch(['config.json'])
    await fetchOne()
    expect(existsSync(inCache('trees'))).toBe(false)
    const before = used.hub.requests.length
    await fetchOne()
    expect(used.hub.requests.length).toBe(before)
  })

  it('is of the branch that is asked for, slashes in its name too', async () => {
    used.hub.add('model', id, files)
    const commit = used.hub.add('model', id, { 'a.txt': 'a' }, { revision: 'refs/convert/parquet' })
    expect(await fetchAll({ revision: 'refs/convert/parquet' })).toBe(inCache('snapshots', commit))
    expect(readFileSync(inCache('refs/refs/convert/parquet'), 'utf8')).toBe(commit)
  })

  it('goes into the folder that is given', async () => {
    used.hub.add('model', id, files)
    const cacheDir = temporaryFolder()
    expect(await fetchAll({ cacheDir })).toContain(cacheDir)
    expect(existsSync(used.cache)).toBe(false)
  })

  it('replaces what has another length, and what a link to nothing stands for', async () => {
    used.hub.add('model', id, files)
    const folder = await fetchAll()
    writeFileSync(join(folder, 'config.json'), '{')
    rmSync(join(folder, 'model.safetensors'))
    symlinkSync('../../blobs/nothing', join(folder, 'model.safetensors'))
    await fetchAll()
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe(files['config.json'])
    expect(readFileSync(join(folder, 'model.safetensors'))).toHaveLength(5000)
  })

  it('of a dataset has a folder of its own kind', async () => {
    used.hub.add('dataset', id, { 'train.csv': 'a\n1\n' })
    const repository = await openRepository('dataset', id)
    expect(await repository.fetch(['train.csv'])).toContain(join(used.cache, 'datasets--acme--tiny', 'snapshots'))
  })
})

/** What a network's login page does to every question. */
function answerWithPages(): void {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('<html>', { headers: { 'Content-Type': 'text/html' } })))
}

describe('without a connection', () => {
  it.each(['HF_HUB_OFFLINE', 'localFilesOnly'])('the cache is used, and nothing asked: %s', async how => {
    const commit = used.hub.add('model', id, files)
    await (await openRepository('model', id)).fetch(['config.json'])
    const before = used.hub.requests.length
    if (how === 'HF_HUB_OFFLINE') vi.stubEnv(how, '1')
    const repository = await openRepository('model', id, how === 'localFilesOnly' ? { localFilesOnly: true } : {})
    expect(repository.commit).toBe(commit)
    expect(repository.files).toEqual([{ path: 'config.json', size: 22 }])
    expect(await repository.fetch(['config.json'])).toBe(repository.folder)
    await expect(repository.fetch(['model.safetensors'])).rejects.toThrow(
      `model.safetensors of model "${id}" is not in the cache (${used.cache}), and nothing may be fetched. Load it once`,
    )
    await expect(openRepository('model', 'acme/other', { localFilesOnly: true })).rejects.toThrow(
      `The model "acme/other" (revision "main") is not in the cache (${used.cache})`,
    )
    await expect(openRepository('model', id, { localFilesOnly: true, revision: 'v2' })).rejects.toThrow('"v2"')
    expect(used.hub.requests.length).toBe(before)
  })

  it('a blank around what a ref says is none, and a ref to nothing counts as absent', async () => {
    const commit = used.hub.add('model', id, files)
    await fetchAll()
    writeFileSync(inCache('refs/main'), `${commit}\n`)
    expect((await openRepository('model', id, { localFilesOnly: true })).commit).toBe(commit)
    writeFileSync(inCache('refs/main'), '0'.repeat(40))
    await expect(openRepository('model', id, { localFilesOnly: true })).rejects.toThrow('is not in the cache')
  })

  it('a Hub that cannot be reached gives way to the cache, with a warning', async () => {
    const commit = used.hub.add('model', id, files)
    const folder = await fetchAll()
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9')
    expect(await fetchAll()).toBe(folder)
    expect(messages).toHaveLength(1)
    expect(messages[0]).toMatch(new RegExp(`^Cannot reach the Hub for model "${id}": .*commit ${commit}`))
    await expect(openRepository('model', 'acme/other')).rejects.toThrow(/Cannot reach the Hub.*Check the connection/)
  })

  it('so does one that has a fault, but not one that has no such revision', async () => {
    used.hub.add('model', id, files)
    const folder = await fetchAll()
    used.hub.fault({ status: 503 })
    expect(await fetchAll()).toBe(folder)
    expect(messages[0]).toContain('The Hub answered 503')
    used.hub.clearFaults()
    await expect(fetchAll({ revision: 'gone' })).rejects.toThrow(`There is no revision "gone" of model "${id}"`)
  })

  it.each<[string, () => void, RegExp]>([
    ['404 and no code', () => used.hub.fault({ status: 404 }), /^The Hub has nothing there for model .* Check the id/],
    ['a page', answerWithPages, /^The answer for model .* cannot be read as JSON: .*Does HF_ENDPOINT name a Hub/],
  ])('a host that is no Hub is an error, or gives way to the cache: %s', async (_, become, message) => {
    used.hub.add('model', id, files)
    const folder = await fetchAll()
    become()
    try {
      await expect(openRepository('model', 'acme/other')).rejects.toMatchObject({
        code: 'hub',
        message: expect.stringMatching(message) as string,
      })
      expect(await fetchAll()).toBe(folder)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it('the cache tells which files it lacks', async () => {
    used.hub.add('model', id, files)
    await (await openRepository('model', id)).fetch(['config.json'])
    const repository = await openRepository('model', id, { localFilesOnly: true })
    expect(repository.files.map(({ path }) => path)).toEqual(['config.json'])
    expect(repository.absent).toEqual(Object.keys(files).filter(path => path !== 'config.json'))
    await expect(repository.fetch([...Array.from({ length: 7 }, (_, i) => `${i}.csv`), 'config.json'])).rejects.toThrow(
      /^0\.csv, 1\.csv, 2\.csv, 3\.csv, 4\.csv and 2 more files of model "acme\/tiny" are not in the cache/,
    )
  })

  it('a commit that Python has cached needs no request when it suffices', async () => {
    const commit = 'c0ffee'.repeat(7).slice(0, 40)
    mkdirSync(inCache('snapshots', commit), { recursive: true })
    mkdirSync(inCache('.no_exist', commit), { recursive: true })
    writeFileSync(inCache('snapshots', commit, 'config.json'), '{}')
    writeFileSync(inCache('.no_exist', commit, 'added_tokens.json'), '')
    const asked: unknown[] = []
    const repository = await openRepository('model', id, { revision: commit }, (known, folder) => {
      asked.push(...['config.json', 'added_tokens.json', 'vocab.txt'].map(known), folder)
      return Promise.resolve(true)
    })
    expect(asked).toEqual([true, false, undefined, repository.folder])
    expect(await repository.fetch(['config.json'])).toBe(inCache('snapshots', commit))
    expect(used.hub.requests).toHaveLength(0)
  })
})

describe('a name', () => {
  const cache = new RepositoryCache('/cache', 'model', id, true)

  it.each(['../evil', 'a/../../evil', '/etc/passwd', 'a\\..\\evil', 'C:/evil', 'a\0b', '', 'a//b', './a', 'a/'])(
    'that may lead out of the snapshot is refused: %j',
    name => {
      expect(() => cache.place('0'.repeat(40), name)).toThrow('has a name that may lead out of the cache')
    },
  )

  it('of the Hub that leads out is refused before anything is fetched', async () => {
    used.hub.add('model', id, { ...files, '../../../evil.txt': 'evil' })
    const repository = await openRepository('model', id)
    await expect(repository.fetch(['../../../evil.txt'])).rejects.toThrow(/may lead out .* trust its owner/)
    expect(used.hub.requests.some(({ path }) => path.includes('/resolve/'))).toBe(false)
    expect(existsSync(join(used.cache, 'evil.txt'))).toBe(false)
    expect(existsSync(await repository.fetch(['config.json']))).toBe(true)
  })

  it.each(['../../x', 'a\\b', ''])('of a revision that leads out is refused: %j', async revision => {
    await expect(openRepository('model', id, { revision })).rejects.toThrow('may lead out')
    expect(used.hub.requests).toHaveLength(0)
  })
})

it('a cache that cannot be written says which folder, and what to set', async () => {
  used.hub.add('model', id, files)
  writeFileSync(used.cache, 'a file where the folder should be')
  await expect(fetchAll()).rejects.toThrow(
    new RegExp(`Cannot write into the cache of the Hub, ${used.cache}: .*set HF_HUB_CACHE to another folder`),
  )
})

describe('forceDownload', () => {
  it('fetches each file once more, over what is damaged', async () => {
    const commit = used.hub.add('model', id, files)
    const folder = await fetchAll()
    writeFileSync(join(folder, 'model.safetensors'), new Uint8Array(5000)) // through the link, as long as it was
    expect(readFileSync(join(await fetchAll(), 'model.safetensors'))[0]).toBe(0)
    const before = used.hub.requests.length
    const repository = await openRepository('model', id, { forceDownload: true, revision: commit })
    await Promise.all([repository.fetch(['model.safetensors']), fetchAll({ forceDownload: true })])
    await repository.fetch(['model.safetensors', 'config.json'])
    expect(readFileSync(join(folder, 'model.safetensors'))[0]).toBe(7)
    const asked = used.hub.requests.slice(before).filter(({ path }) => path.includes('/resolve/'))
    expect(asked.filter(({ path }) => path.includes('model.safetensors')).length).toBeLessThanOrEqual(2)
    expect(asked.filter(({ path }) => path.includes('config.json'))).toHaveLength(2)
  })

  it('does not fall back to the cache, and is refused where nothing may be fetched', async () => {
    used.hub.add('model', id, files)
    await fetchAll()
    await expect(AutoConfig.fromPretrained(id, { forceDownload: true, localFilesOnly: true })).rejects.toThrow(
      'localFilesOnly and forceDownload exclude each other.',
    )
    await expect(AutoConfig.fromPretrained(id, { forceDownload: 'yes' as never })).rejects.toThrow(/forceDownload is/)
    used.hub.fault({ status: 503 })
    await expect(fetchAll({ forceDownload: true })).rejects.toThrow('The Hub answered 503')
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    await expect(fetchAll({ forceDownload: true })).rejects.toThrow(/Nothing may be fetched.*HF_HUB_OFFLINE/)
  })

  it('is honoured by datasets too', async () => {
    used.hub.add('dataset', 'acme/rows', { 'train.csv': 'text\na\n' })
    await loadDataset('acme/rows')
    const before = used.hub.requests.length
    await loadDataset('acme/rows', { forceDownload: true })
    expect(used.hub.requests.slice(before).filter(({ path }) => path.endsWith('/train.csv'))).toHaveLength(1)
  })
})
