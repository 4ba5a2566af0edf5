import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type InstallOptions, type Installed, installWheel } from '../../src/install/install'
import { pin, zipOf } from '../helpers/wheels'
import { temporaryFolder } from '../helpers/temporaryFolder'

const library = Buffer.alloc(300_000, 'not really a library ')
const members = ['small/libsmall.so', 'small/empty.txt', 'small-1.0.dist-info/METADATA']
const metadata = Buffer.from('Metadata-Version: 2.4\r\nLicense: MIT\r\n\r\nLicense: not this one')
const contents = {
  'small/libsmall.so': library,
  '../escaped.txt': library,
  'small/empty.txt': Buffer.alloc(0),
  'small-1.0.dist-info/METADATA': metadata,
}
const bytes = zipOf(contents, name => name.endsWith('METADATA'))
const wheel = pin(bytes, members)

let root: string
let folder: string
let server: Server
let address: string
let answer: (request: IncomingMessage, response: ServerResponse) => void
let asked: string[]

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url!)
    answer(request, response)
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => {
  server.close()
})

beforeEach(() => {
  root = temporaryFolder()
  folder = join(root, 'cache', 'small-1.0')
  asked = []
  vi.stubEnv('PIP_CONFIG_FILE', '/dev/null')
  for (const name of [
    'PIP_NO_INDEX',
    'PIP_EXTRA_INDEX_URL',
    'PIP_PROXY',
    'PIP_CERT',
    'HTTPS_PROXY',
    'https_proxy',
    'HTTP_PROXY',
    'http_proxy',
    'ALL_PROXY',
    'all_proxy',
  ]) {
    vi.stubEnv(name, '')
  }
  vi.stubEnv('PIP_INDEX_URL', `${address}/simple`)
  answer = serve({})
})

afterEach(() => vi.unstubAllEnvs())

const html = `<!DOCTYPE html><html><body>\n<a data-requires-python="&gt;=3.10" href='../../files/other.whl'>other</a>
  <A class="x" HREF="../../files/${wheel.file}#sha256=0000">${wheel.file}</A></body></html>`

/** An index below /simple and the wheel below /files. */
function serve({ page = html, type = 'text/html; charset=utf-8', body = bytes as Uint8Array }): typeof answer {
  return (request, response) => {
    if (request.url === '/simple/small-plugin/') response.writeHead(200, { 'content-type': type }).end(page)
    else if (request.url === `/files/${wheel.file}`)
      response.writeHead(200, { 'content-length': body.length }).end(body)
    else response.writeHead(404).end()
  }
}

async function install(options: InstallOptions = {}): Promise<Installed> {
  return installWheel(wheel, folder, options)
}

async function failure(options: InstallOptions = {}, pinned = wheel): Promise<string> {
  const error: unknown = await installWheel(pinned, folder, options).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ name: 'TrainerError' })
  expect(
    readdirSync(root).flatMap(name => readdirSync(join(root, name)).filter(inside => inside.includes('small-1.0'))),
  ).toEqual([])
  return (error as Error).message
}

function expectInstalled(): void {
  expect(readdirSync(join(root, 'cache'))).toEqual(['small-1.0'])
  expect(readdirSync(folder).toSorted()).toEqual(['METADATA', 'empty.txt', 'libsmall.so'])
  expect(readFileSync(join(folder, 'libsmall.so')).equals(library)).toBe(true)
  expect(readFileSync(join(folder, 'METADATA')).equals(metadata)).toBe(true)
}

describe('a wheel', () => {
  it('is found in an HTML index by a relative link, and installed once', async () => {
    const lines: string[] = []
    expect(await install({ report: line => lines.push(line) })).toEqual({
      folder,
      version: '1.0',
      license: 'MIT',
      wasThere: false,
      files: [
        { name: 'libsmall.so', bytes: 300_000 },
        { name: 'empty.txt', bytes: 0 },
        { name: 'METADATA', bytes: metadata.length },
      ],
    })
    expectInstalled()
    expect(lines).toEqual([`Fetching ${address}/files/${wheel.file}: 0.0 MB`])
    const before = asked.length
    expect(await install()).toMatchObject({ wasThere: true, license: 'MIT' })
    expect(asked.length).toBe(before)
  })

  it('is found in a JSON index, which is the preferred kind', async () => {
    let accept: string | undefined
    const json = serve({
      type: 'application/vnd.pypi.simple.v1+json',
      page: JSON.stringify({ files: [{ filename: wheel.file, url: `/files/${wheel.file}` }] }),
    })
    answer = (request, response) => ((accept ??= request.headers.accept), json(request, response))
    await install()
    expectInstalled()
    expect(accept).toMatch(/^application\/vnd\.pypi\.simple\.v1\+json,/)
  })

  it('is found in an index of files', async () => {
    mkdirSync(join(root, 'index/simple/small-plugin'), { recursive: true })
    mkdirSync(join(root, 'index/files'))
    writeFileSync(join(root, 'index/simple/small-plugin/index.html'), html)
    writeFileSync(join(root, 'index/files', wheel.file), bytes)
    await install({ indexUrl: pathToFileURL(join(root, 'index/simple')).href })
    expectInstalled()
    expect(asked).toEqual([])
  })

  it('may be given as a file', async () => {
    const path = join(root, 'mine.whl')
    writeFileSync(path, bytes)
    await install({ wheel: path })
    expectInstalled()
    expect(asked).toEqual([])
    rmSync(folder, { recursive: true })
    writeFileSync(path, zipOf(contents))
    await expect(install({ wheel: path })).rejects.toThrow(
      /mine\.whl is not the expected wheel: its \d+ bytes have the sha256 \w{64}, not \w{64}\./,
    )
    await expect(install({ wheel: join(root, 'none.whl') })).rejects.toThrow(
      `There is no file ${join(root, 'none.whl')}.`,
    )
    expect(readdirSync(join(root, 'cache'))).toEqual([])
  })

  it('replaces an incomplete installation', async () => {
    await install()
    rmSync(join(folder, 'libsmall.so'))
    expect(await install()).toMatchObject({ wasThere: false })
    expectInstalled()
  })

  it('removes what a killed installation has left', async () => {
    const { pid: dead } = spawnSync(process.execPath, ['--version'])
    mkdirSync(join(root, 'cache', `.tmp-small-1.0-${dead}.0`), { recursive: true })
    await install()
    expectInstalled()
  })

  it('is looked for in one index after the other', async () => {
    vi.stubEnv('PIP_INDEX_URL', `${address}/none/`)
    vi.stubEnv('PIP_EXTRA_INDEX_URL', `file:///nowhere\n${address}/simple/`)
    await install()
    expectInstalled()
    expect(asked).toEqual(['/none/small-plugin/', '/simple/small-plugin/', `/files/${wheel.file}`])
  })
})

describe('anything but the pinned wheel leaves nothing behind', () => {
  it('a wheel with another hash', async () => {
    answer = serve({ body: zipOf(contents) })
    const message = await failure()
    expect(message).toMatch(/^Cannot fetch small_plugin.+: http.+\.whl is not the expected wheel: its /)
    expect(message).toMatch(/: its .+ Run `pip download small-plugin==1\.0 .+--wheel FILE\.$/)
  })

  it('a wheel cut short, whether its length says so or not', async () => {
    answer = serve({ body: bytes.subarray(0, -100) })
    expect(await failure()).toContain('is not the expected wheel')
    answer = (request, response) => {
      if (!request.url!.startsWith('/files')) return serve({})(request, response)
      response
        .writeHead(200, { 'content-length': bytes.length })
        .write(bytes.subarray(0, 500), () => response.destroy())
    }
    expect(await failure()).toContain('.whl broke off: ')
  })

  it('a wheel that is too large', async () => {
    answer = (request, response) => {
      if (!request.url!.startsWith('/files')) return serve({})(request, response)
      response.writeHead(200, { 'content-length': 200_000_001 }).write('x')
    }
    expect(await failure()).toContain(`has 200000001 bytes or more, and the expected wheel has ${bytes.length}.`)
  })

  it('a wheel without a member, or with a broken one', async () => {
    expect(await failure({}, { ...wheel, members: [...members, 'small/more.so'] })).toContain(
      '.whl has no small/more.so.',
    )
    for (const change of [
      (copy: Buffer) => copy.fill(0xff, 60, 90),
      (copy: Buffer) => copy.writeUInt32LE(299_999, copy.indexOf('PK\x01\x02') + 24),
    ]) {
      const broken = Buffer.from(bytes)
      change(broken)
      answer = serve({ body: broken })
      expect(await failure({}, pin(broken, members))).toContain('is broken: its entry libsmall.so does not hold')
    }
    answer = serve({ body: library })
    expect(await failure({}, pin(library, members))).toContain('is truncated: it has no directory. Download it again.')
  })

  it('an index without the wheel', async () => {
    answer = serve({ page: '<a href="../../files/other.whl">' })
    expect(await failure()).toContain(`${address}/simple/small-plugin/ has no ${wheel.file}.`)
    answer = serve({ page: `<a href="file:///etc/${wheel.file}">` })
    expect(await failure()).toContain('names a file of this machine')
    answer = serve({ page: '{', type: 'application/vnd.pypi.simple.v1+json' })
    expect(await failure()).toContain('is not the JSON of a package index')
    expect(await failure({ indexUrl: `${address}/wrong` })).toContain('/wrong/small-plugin/ answers 404 (Not Found).')
    vi.stubEnv('PIP_NO_INDEX', '1')
    expect(await failure()).toContain('no-index')
  })

  it('an index that cannot be reached, with what pip would do differently', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://me:secret@proxy')
    const message = await failure({ indexUrl: 'http://127.0.0.1:1/simple' })
    expect(message).toMatch(/Cannot reach http:\/\/127\.0\.0\.1:1\/simple\/small-plugin\/: ./)
    expect(message).toMatch(/\. Unlike pip, this command does not use a proxy\. Run `pip download/)
    expect(message).not.toContain('secret')
  })
})

describe('credentials of an index', () => {
  const expected = `Basic ${Buffer.from('me:s@cret').toString('base64')}`
  const withCredentials = (): string => `${address.replace('//', '//me:s%40cret@')}/simple`

  it('are sent to its host for the page and the file, and appear in no message', async () => {
    const lines: string[] = []
    answer = (request, response) =>
      request.headers.authorization === expected ? serve({})(request, response) : response.writeHead(401).end()
    await install({ indexUrl: withCredentials(), report: line => lines.push(line) })
    expectInstalled()
    expect(lines.join('\n')).not.toMatch(/me:|cret/)
    rmSync(folder, { recursive: true })
    answer = (_request, response) => response.writeHead(403).end()
    expect(await failure({ indexUrl: withCredentials() })).not.toMatch(/me:|cret/)
    expect(await failure({ indexUrl: 'nonsense://me:s@cret@[' })).not.toMatch(/me:|cret/)
    expect(await failure({ indexUrl: 'http://me:s@cret@[' })).toContain(
      "'http://[' is not the address of a package index.",
    )
  })

  it('are not sent elsewhere', async () => {
    let sent: string | undefined = 'nothing asked'
    const other = createServer((request, response) => {
      sent = request.headers.authorization
      response.end(bytes)
    })
    await new Promise<void>(resolve => {
      other.listen(0, '127.0.0.1', resolve)
    })
    answer = serve({ page: `<a href="http://127.0.0.1:${(other.address() as AddressInfo).port}/${wheel.file}">` })
    await install({ indexUrl: withCredentials() })
    other.close()
    expectInstalled()
    expect(sent).toBeUndefined()
  })
})
