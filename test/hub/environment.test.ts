/** Where the Hub, its cache and the token are, by the environment: after cases of the field. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { connect } from '../../src/hub/connection'
import { hubEnvironment, type Variables } from '../../src/hub/environment'
import { openRepository } from '../../src/hub/repository'
import { useHub } from '../helpers/useHub'

const fixtures = join(import.meta.dirname, '../fixtures/hub')
const casesOf = <Case>(name: string): Case[] =>
  (JSON.parse(readFileSync(join(fixtures, name, 'case.json'), 'utf8')) as { want: Case[] }).want

interface FoldersCase {
  readonly environment: Variables
  readonly hub: string
  readonly token: string
}

interface TokenCase {
  readonly hf_home: string
  readonly environment: Variables
  readonly token: string | null
  readonly header: string | null
}

describe('the folders of', () => {
  it.each(casesOf<FoldersCase>('cache-home').map(one => [JSON.stringify(one.environment), one] as const))(
    '%s',
    (_, { environment, hub, token }) => {
      const { cacheDir, tokenPath } = hubEnvironment({ HOME: '/home/user', ...environment })
      expect({ cacheDir, tokenPath }).toEqual({ cacheDir: hub, tokenPath: token })
    },
  )
})

describe('the header of', () => {
  const used = useHub()

  it.each(casesOf<TokenCase>('token-file').map(one => [one.hf_home, JSON.stringify(one.environment), one] as const))(
    'a home of kind %s with %s',
    async (_home, _environment, { hf_home: home, environment, header }) => {
      vi.stubEnv('HF_HOME', join(fixtures, 'token-file', home))
      for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
      await openRepository('model', 'acme/none').catch(() => undefined)
      expect(used.hub.requests[0]!.authorization ?? null).toBe(header)
    },
  )

  it.each([
    ['', undefined],
    [false, undefined],
    ['hf_own', 'hf_own'],
    [' hf_own\n', 'hf_own'],
    [true, 'hf_kept'],
    [undefined, 'hf_kept'],
  ])('a given token %j: %j', async (token, sent) => {
    const environment = hubEnvironment({ HF_TOKEN: 'hf_kept' })
    expect((await connect({ token }, environment)).accessToken).toBe(sent)
  })

  it('token: true without a login says what to do', async () => {
    await expect(connect({ token: true }, hubEnvironment({ HF_HOME: '/nowhere' }))).rejects.toThrow(
      'token: true stands for the token of a login, and there is none. Log in: npx ts-trainer login',
    )
  })

  it('a token of an application, which has dots, is one', async () => {
    const { accessToken } = await connect({ token: 'hf_oauth_eyJhbGci.eyJzY29w.c2ln' }, hubEnvironment({}))
    expect(accessToken).toBe('hf_oauth_eyJhbGci.eyJzY29w.c2ln')
  })

  it.each(['huggingface.co', 'ftp://hub', 'https://'])('an address that is none is refused: %s', async HF_ENDPOINT => {
    await expect(connect({ token: false }, hubEnvironment({ HF_ENDPOINT }))).rejects.toMatchObject({
      code: 'argument',
      message: expect.stringMatching(/^HF_ENDPOINT is ".*", which is not the address of a Hub/) as string,
    })
  })

  it('what cannot be a token is refused, and not shown', async () => {
    const refused = connect({ token: 'secret words' }, hubEnvironment({}))
    await expect(refused).rejects.toThrow('This is not a token of the Hub')
    await expect(refused).rejects.not.toThrow('secret words')
  })
})

describe('further variables', () => {
  it.each([
    [{}, { offline: false, usesLinks: true, showsProgress: true, downloadTimeout: 10_000 }],
    [{ HF_HUB_OFFLINE: '1' }, { offline: true }],
    [{ HF_HUB_OFFLINE: '0' }, { offline: false }],
    [{ TRANSFORMERS_OFFLINE: 'yes' }, { offline: true }],
    [{ HF_HUB_DISABLE_SYMLINKS: '1' }, { usesLinks: false }],
    [{ HF_HUB_DISABLE_PROGRESS_BARS: 'true' }, { showsProgress: false }],
    [{ HF_HUB_DOWNLOAD_TIMEOUT: '2.5' }, { downloadTimeout: 2500 }],
    [{ HF_HUB_DOWNLOAD_TIMEOUT: 'soon' }, { downloadTimeout: 10_000 }],
    [{ HF_ENDPOINT: 'http://localhost:1/' }, { endpoint: 'http://localhost:1' }],
  ])('%j', (variables, said) => {
    expect(hubEnvironment({ HOME: '/home/user', ...variables })).toMatchObject(said)
  })
})
