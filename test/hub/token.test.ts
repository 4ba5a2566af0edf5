// a token is planted; then every byte that a run leaves or sends anywhere is searched for it
import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, inflateSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type HubRequest, type HubServer, startHub } from '../helpers/hubServer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import type { TokenTask } from './tokenRun'

const token = 'hf_PlantedTokenThatIsNowhereElse0123'
const fixtures = join(import.meta.dirname, '../fixtures')
const filesOf = (folder: string, ...names: string[]): Record<string, Uint8Array> =>
  Object.fromEntries(names.map(name => [name, readFileSync(join(fixtures, folder, name))]))

/** How a token may be written: as it is, in other encodings, and within a text that base64 has cut anywhere. */
const disguises: readonly (readonly [string, Buffer])[] = [
  ['plain', Buffer.from(token)],
  ['UTF-16', Buffer.from(token, 'utf16le')],
  ['hexadecimal', Buffer.from(Buffer.from(token).toString('hex'))],
  ['percents', Buffer.from(Buffer.from(token).toString('hex').replace(/../g, '%$&'))],
  ['reversed', Buffer.from([...token].reverse().join(''))],
  ...[0, 1, 2].flatMap((shift): [string, Buffer][] => {
    // the digits that depend on nothing but the token
    const inner = Buffer.from(token).subarray((3 - shift) % 3)
    const digits = inner.subarray(0, inner.length - (inner.length % 3)).toString('base64')
    return [
      [`base64 ${shift}`, Buffer.from(digits)],
      [`base64url ${shift}`, Buffer.from(digits.replaceAll('+', '-').replaceAll('/', '_'))],
    ]
  }),
]

/** The disguises in which bytes have the token, unpacked if they are packed. */
function tokenIn(bytes: Uint8Array): string[] {
  const all = [Buffer.from(bytes)]
  for (const unpack of [gunzipSync, inflateSync]) {
    try {
      all.push(unpack(bytes))
    } catch {
      // not packed so
    }
  }
  return disguises.filter(([, needle]) => all.some(one => one.includes(needle))).map(([name]) => name)
}

interface Ran {
  readonly hub: HubServer
  /** The folder that everything of the process is in, and the file that the test has written the token to. */
  readonly root: string
  readonly tokenFile: string | undefined
  readonly printed: Buffer
  readonly status: number | null
  readonly signal: string | null
}

/** A Hub of private models, LFS on another host, and a name that leads to another host. */
async function hubOfModels(): Promise<HubServer> {
  const account = { name: 'loopback', orgs: ['acme'] }
  const hub = await startHub({ tokens: { [token]: account } })
  onTestFinished(() => hub.close())
  const model = filesOf('models/base-bert', 'config.json', 'model.safetensors')
  hub.add(
    'model',
    'acme/secret-model',
    { ...model, 'README.md': '---\nlicense: mit\n---\n' },
    { private: true, cdn: true },
  )
  const { 'config.json': config } = model
  const words = filesOf('data/bert-tiny', 'tokenizer_config.json', 'vocab.txt')
  hub.add('model', 'acme/old-words', { ...words, 'config.json': config! }, { cdn: true })
  hub.rename('model', 'acme/old-words', 'acme/words', { host: 'other' })
  return hub
}

async function run(place: 'environment' | 'file' | 'option', ending: TokenTask['ending']): Promise<Ran> {
  const hub = await hubOfModels()
  const root = temporaryFolder()
  const folders = Object.fromEntries(['work', 'home', 'temporary', 'hf'].map(name => [name, join(root, name)]))
  for (const folder of Object.values(folders)) mkdirSync(folder)
  const tokenFile = place === 'file' ? join(folders.hf!, 'token') : undefined
  if (tokenFile !== undefined) writeFileSync(tokenFile, token)
  const task: TokenTask = { ending, ...(place === 'option' && { token }) }
  const child = fork(join(import.meta.dirname, 'tokenRun.ts'), [JSON.stringify(task)], {
    cwd: folders.work,
    execArgv: ['--import', import.meta.resolve('tsx')],
    env: {
      PATH: process.env['PATH'],
      HOME: folders.home,
      TMPDIR: folders.temporary,
      HF_HOME: folders.hf,
      HF_ENDPOINT: hub.url,
      ...(place === 'environment' && { HF_TOKEN: token }),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  // one of the pushes while training fails, whatever is tried; so do those after all is pushed
  hub.fault({ status: 500, match: '/preupload/', times: 5 })
  child.on('message', message => {
    if (message === 'pushed') hub.fault({ status: 500, match: '/preupload/', times: 10 })
    if (message === 'failed' && ending === 'kill') killInCommit(child, hub)
  })
  const [status, signal] = await new Promise<[number | null, string | null]>(resolve => {
    child.on('close', (code, name) => resolve([code, name]))
  })
  return { hub, root, tokenFile, printed: Buffer.concat(chunks), status, signal }
}

/** Kills a process while it waits for the answer to a commit. */
function killInCommit(child: ChildProcess, hub: HubServer): void {
  const begun = hub.requests.length
  hub.fault({ delay: 20_000, match: '/commit/' })
  const wait = setInterval(() => {
    if (!hub.requests.some(({ path }, i) => i >= begun && path.includes('/commit/'))) return
    clearInterval(wait)
    child.kill('SIGKILL')
  }, 20)
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter(entry => !entry.isDirectory() && !entry.isSymbolicLink())
    .map(({ parentPath, name }) => join(parentPath, name))
}

/** All of a request but the header that carries the token to the Hub: contents of commits as they are, too. */
function partsOf({ method, path, headers, body }: HubRequest, isToHub: boolean): Buffer[] {
  const sent = Object.entries(headers).filter(([name]) => !isToHub || name !== 'authorization')
  const contents = Buffer.from(body)
    .toString()
    .split('\n')
    .flatMap(line => {
      const content = /"content":"([\w+/=]+)"/.exec(line)?.[1]
      return content === undefined ? [] : [Buffer.from(content, 'base64')]
    })
  return [Buffer.from(`${method} ${path} ${JSON.stringify(sent)}`), Buffer.from(body), ...contents]
}

describe('a token', () => {
  it('would be found in any disguise', () => {
    for (const before of ['', 'a', 'ab']) {
      const whole = Buffer.from(`${before}${token}, and more`)
      for (const encoding of ['base64', 'base64url', 'latin1'] as const)
        expect(tokenIn(Buffer.from(whole.toString(encoding))), `${encoding} ${before}`).not.toEqual([])
    }
    expect(tokenIn(Buffer.from('hf_PlantedTokenThatIsNowhere'))).toEqual([])
  })

  it.each([
    ['environment', 'error'],
    ['file', 'kill'],
    ['option', 'error'],
    ['option', 'kill'],
  ] as const)(
    'in the %s is nowhere but in what the Hub is asked, to the end by %s',
    { timeout: 240_000 },
    async (place, ending) => {
      const { hub, root, tokenFile, printed, status, signal } = await run(place, ending)
      const text = printed.toString()
      expect([status, signal], text).toEqual(ending === 'error' ? [1, null] : [null, 'SIGKILL'])
      if (ending === 'error') expect(text).toContain('a callback of the user fails')
      expect(text).toMatch(/The push "Training in progress, step 2" to loopback\/run failed/)
      expect(text).toContain('500')
      // it has loaded, trained, pushed
      expect(Object.keys(hub.files('model', 'loopback/run')), text).toEqual(
        expect.arrayContaining(['README.md', 'checkpoint-6/optimizer.safetensors']),
      )
      expect(Object.keys(hub.files('model', 'loopback/model'))).toEqual(
        expect.arrayContaining(['model.safetensors', 'tokenizer.json']),
      )

      expect(tokenIn(printed)).toEqual([])
      const files = filesBelow(root)
      expect(files.some(file => file.endsWith('trainer_state.json'))).toBe(true)
      for (const file of files) {
        expect(file).not.toContain(token)
        if (file !== tokenFile) expect(tokenIn(readFileSync(file)), file).toEqual([])
      }
      const [toHub, toOthers] = [true, false].map(is =>
        hub.requests.filter(({ host }) => (`http://${host}` === hub.url) === is),
      )
      expect(toOthers!.length).toBeGreaterThan(1)
      expect(toHub!.some(({ authorization }) => authorization === `Bearer ${token}`)).toBe(true)
      for (const request of toHub!)
        for (const part of partsOf(request, true))
          expect(tokenIn(part), `${request.method} ${request.path}`).toEqual([])
      for (const request of toOthers!) {
        expect(request.authorization, request.path).toBeUndefined()
        for (const part of partsOf(request, false))
          expect(tokenIn(part), `${request.method} ${request.path}`).toEqual([])
      }
    },
  )
})
