import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { runCommand } from '../../src/cli/commands'
import { setFirstWait } from '../../src/hub/connection'
import { login, logout, whoami } from '../../src/index'
import { type HubServer, startHub } from '../helpers/hubServer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { logged } from '../trainer/support'

const root = join(import.meta.dirname, '../..')

let hub: HubServer
let home: string

async function run(...words: string[]): Promise<{ status: number; out: string; error: string }> {
  const out: string[] = []
  const error: string[] = []
  const status = await runCommand(words, { out: text => out.push(text), error: text => error.push(text) })
  return { status, out: out.join('\n'), error: error.join('\n') }
}

/** The command as a program, with a text piped in. */
async function piped(text: string, ...words: string[]): Promise<{ status: number | null; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'src/cli/main.ts'), ...words], { cwd: root })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += String(chunk)))
  child.stdin.end(text)
  const status = await new Promise<number | null>(resolve => child.on('close', resolve))
  return { status, said }
}

const kept = (name = 'token'): string => readFileSync(join(home, name), 'utf8')
const modeOf = (path: string): number => statSync(path).mode & 0o777

beforeAll(async () => {
  const loopback = { name: 'loopback', orgs: ['acme', 'org2'] }
  hub = await startHub({
    tokens: { hf_one: loopback, hf_two: { ...loopback, role: 'read' }, hf_alone: { name: 'alone' } },
  })
  setFirstWait(1)
})

afterAll(async () => {
  vi.unstubAllEnvs()
  setFirstWait(1000)
  await hub.close()
})

beforeEach(() => {
  vi.unstubAllEnvs()
  home = join(temporaryFolder(), 'made')
  vi.stubEnv('HF_ENDPOINT', `${hub.url}/`)
  vi.stubEnv('HF_HOME', home)
  for (const name of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_TOKEN_PATH', 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'])
    vi.stubEnv(name, undefined)
})

describe('ts-trainer login', () => {
  it('keeps a token that the Hub knows, for the user alone, beside those that Python has stored', async () => {
    const { status, out, error } = await run('login', '--token', ' hf_one\n')
    expect({ status, out }).toEqual({ status: 0, out: 'Logged in as loopback (token: loopback, permission: write).' })
    expect(error).toContain("stands in the shell's history")
    expect(kept()).toBe('hf_one')
    expect(kept('stored_tokens')).toBe('[loopback]\nhf_token = hf_one\n\n')
    expect([home, join(home, 'token'), join(home, 'stored_tokens')].map(modeOf)).toEqual([0o700, 0o600, 0o600])

    const browser = '[oauth-me]\nhf_token = hf_oauth_a\nrefresh_token = hf_r%x\nexpires_at = 1\n'
    const stored = `; a comment\n[loopback]\nhf_token = hf_one\n\n${browser}\n[a [b]]\nhf_token: hf_b\n`
    writeFileSync(join(home, 'stored_tokens'), stored)
    writeFileSync(join(home, 'token'), 'hf_oauth_a')
    chmodSync(join(home, 'token'), 0o644)
    expect((await run('login', '--token', 'hf_two')).out).toContain('permission: read')
    expect(kept()).toBe('hf_two')
    expect(kept('stored_tokens')).toBe(`[a [b]]\nhf_token: hf_b\n\n[loopback]\nhf_token = hf_two\n\n${browser}\n`)
    expect(modeOf(join(home, 'token'))).toBe(0o600)
    expect(readdirSync(home).toSorted()).toEqual(['stored_tokens', 'token'])
  })

  it('reads a token that is piped in', async () => {
    expect(await piped('hf_one\r\n\n', 'login')).toEqual({
      status: 0,
      said: 'Logged in as loopback (token: loopback, permission: write).\n',
    })
    expect(kept()).toBe('hf_one')
    expect(await piped('', 'login')).toEqual({
      status: 1,
      said: `ts-trainer: No token was given. Make one on ${hub.url}/settings/tokens, and type it or pipe it in.\n`,
    })
    expect(kept()).toBe('hf_one')
  })

  it('keeps nothing that the Hub does not know, and never repeats it', async () => {
    for (const words of [
      ['login', '--token', 'hf_secret'],
      ['login', '--token', 'hf_secret with blanks'],
      ['login', '--token', 'secret'],
      ['login', '--token', ''],
      ['login', '--token'],
      ['login', 'hf_secret'],
      ['login', '--hf_secret'],
      ['login', '--tokn=hf_secret'],
      ['logout', 'hf_secret'],
      ['logout', '--token', 'hf_secret'],
      ['whoami', '--token', 'hf_secret'],
      ['hf_secret'],
    ]) {
      const { status, out, error } = await run(...words)
      const isRead = words[0] === 'login' && words[1] === '--token' && words.length === 3
      expect({ status, out }, words.join(' ')).toEqual({ status: isRead ? 1 : 2, out: '' })
      expect(error, words.join(' ')).toMatch(/^(Note: .*\n)?ts-trainer: \w/)
      expect(error).not.toContain('secret')
    }
    expect(existsSync(home)).toBe(false)
    expect((await run('login', '--token', 'hf_secret')).error).toContain(
      `The Hub does not know the token that was given. It may have been revoked: make one on ${hub.url}/settings/tokens.`,
    )
  })

  it('says that HF_TOKEN wins', async () => {
    vi.stubEnv('HF_TOKEN', 'hf_two')
    const messages = logged()
    await run('login', '--token', 'hf_one')
    expect(messages).toEqual(['HF_TOKEN is set, and wins over the token that was kept: unset it to use that.'])
    expect((await run('logout')).out).toBe('')
    expect(messages).toHaveLength(2)
    expect(messages[1]).toMatch(/^The token that was kept is removed; HF_TOKEN .* is set, and is still used/)
    expect(readdirSync(home)).toEqual([])
  })

  it('says that HF_HOME is a file', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    vi.stubEnv('HF_HOME', file)
    const message = `HF_HOME (${file}) is not a folder, as was expected: set HF_HOME to another`
    expect((await run('whoami')).error).toContain(message)
    expect((await run('login', '--token', 'hf_one')).error).toContain(message)
    vi.stubEnv('HF_TOKEN_PATH', join(file, 'token'))
    expect((await run('whoami')).error).toMatch(/HF_TOKEN_PATH \(.*\) is not the path of a file/)
  })

  it('a word steers to the question and the pipe, not to the history', async () => {
    expect((await run('login', 'hf_one')).error).toMatch(
      /Run npx ts-trainer login, which asks .* login < token\.txt\.$/,
    )
  })

  it('follows a link, and says where it cannot write', async () => {
    const other = join(temporaryFolder(), 'mine')
    writeFileSync(other, 'old')
    mkdirSync(home)
    symlinkSync(other, join(home, 'token'))
    await run('login', '--token', 'hf_one')
    expect(readFileSync(other, 'utf8')).toBe('hf_one')
    expect(modeOf(other)).toBe(0o600)
    vi.stubEnv('HF_TOKEN_PATH', join(other, 'token'))
    const { status, error } = await run('login', '--token', 'hf_one')
    expect(status).toBe(1)
    expect(error).toMatch(/Cannot (read|write) .*mine/)
    expect(error).not.toContain('hf_one')
  })

  it('helps in 80 columns', async () => {
    for (const command of ['login', 'logout', 'whoami']) {
      const { status, out } = await run(command, '--help')
      expect(status).toBe(0)
      expect(out).toMatch(new RegExp(`^Usage: npx ts-trainer ${command}\\b`))
      expect(out.split('\n').filter(line => line.length > 80)).toEqual([])
    }
  })
})

describe('ts-trainer whoami', () => {
  it('says whose the token is, and that there is none', async () => {
    expect(await run('whoami')).toEqual({
      status: 1,
      out: '',
      error: 'ts-trainer: Not logged in to the Hub. Log in by npx ts-trainer login, or set HF_TOKEN.',
    })
    await run('login', '--token', 'hf_one')
    const organizations = `organizations: acme, org2\nendpoint: ${hub.url}/`
    expect(await run('whoami')).toEqual({ status: 0, out: `loopback\n${organizations}`, error: '' })
    vi.stubEnv('HF_TOKEN', 'hf_alone')
    expect((await run('whoami')).out).toBe(`alone\nendpoint: ${hub.url}/`)
    vi.stubEnv('HF_TOKEN', 'hf_gone')
    expect((await run('whoami')).error).toMatch(
      /does not know the token in HF_TOKEN\. .*Set HF_TOKEN to another, or unset it\.$/,
    )
  })

  it('tells a Hub that does not answer from one that does not know', async () => {
    vi.stubEnv('HF_TOKEN', 'hf_one')
    hub.fault({ status: 500, match: 'whoami' })
    expect((await run('whoami')).error).toMatch(/answered 500 when it was asked whose the token is/)
    hub.clearFaults()
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:1')
    expect((await run('whoami')).error).toMatch(/Cannot reach the Hub \(http:\/\/127\.0\.0\.1:1\): /)
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    expect((await run('whoami')).error).toContain('HF_HUB_OFFLINE is set. Unset it.')
  })
})

describe('login(), whoami() and logout()', () => {
  it('are functions too', async () => {
    await expect(login()).rejects.toThrow('Not logged in to the Hub.')
    const account = {
      type: 'user',
      name: 'loopback',
      fullname: 'loopback',
      orgs: [{ name: 'acme' }, { name: 'org2' }],
      auth: { type: 'access_token', accessToken: { displayName: 'loopback', role: 'write' } },
    }
    expect(await login({ token: 'hf_one' })).toEqual(account)
    expect(await login()).toEqual(account) // the one that is kept is checked
    expect((await whoami({ token: 'hf_alone' })).name).toBe('alone')
    expect(kept()).toBe('hf_one')
    expect(await logout()).toBe(true)
    expect(await logout()).toBe(false)
    await expect(login({ token: '' })).rejects.toThrow('The token that was given is empty.')
    await expect(login({ token: 1 as never })).rejects.toThrow('The token is a number, not a text.')
    await expect(login('hf_one' as never)).rejects.toThrow('login() takes its options as an object')
  })
})
