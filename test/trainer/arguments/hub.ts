import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect } from 'vitest'
import type { TrainingArgumentsOptions } from '../../../src/index'
import type { HubServer } from '../../helpers/hubServer'
import { temporaryFolder } from '../../helpers/temporaryFolder'
import { openHub } from '../../helpers/useHub'
import { logged, run } from '../support'
import type { Effects } from './effects'

const tokens = { hf_usual: { name: 'loopback', orgs: ['acme'] }, hf_planted: { name: 'other', orgs: ['acme'] } }

/** Trains into a folder `tiny` with a Hub, pushing after each second of six updates. */
async function withHub(
  args: TrainingArgumentsOptions,
  expectEffect: (hub: HubServer, outputDir: string) => void,
  faults: readonly Parameters<HubServer['fault']>[0][] = [],
): Promise<void> {
  const { hub, close } = await openHub({ tokens, token: 'hf_usual' })
  try {
    for (const fault of faults) hub.fault(fault)
    const outputDir = join(temporaryFolder(), 'tiny')
    const usual = { pushToHub: true, hubAlwaysPush: true, saveStrategy: 'steps', saveSteps: 2 } as const
    await run({ ...usual, outputDir, ...args })
    expectEffect(hub, outputDir)
  } finally {
    await close()
  }
}

const count = (hub: HubServer, id = 'loopback/tiny', revision?: string): number =>
  hub.commits('model', id, revision).length

export const pushes: Effects = {
  pushToHub: async () => {
    await withHub({}, hub => expect(count(hub)).toBe(4))
    await withHub({ pushToHub: false }, hub => expect(hub.requests).toEqual([]))
  },
  hubToken: async () => {
    const lines = logged('debug')
    await withHub(
      { hubToken: 'hf_planted' },
      (hub, outputDir) => {
        expect(count(hub, 'other/tiny')).toBe(1)
        const files = readdirSync(outputDir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
        const written = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
        expect(written.filter(text => text.includes('<HUB_TOKEN>'))).toHaveLength(3)
        const sent = hub.requests.map(({ path, body }) => path + Buffer.from(body).toString('latin1'))
        for (const text of [...written, ...sent, ...lines]) expect(text).not.toContain('hf_planted')
        const authorizations = new Set(hub.requests.map(({ authorization }) => authorization))
        expect([...authorizations]).toEqual(['Bearer hf_planted'])
        expect(lines.join('\n')).toContain('failed')
      },
      [{ status: 500, match: '/preupload/' }],
    )
    expect(inspect(await run({ hubToken: 'hf_planted' }), { depth: 10 })).not.toContain('hf_planted')
  },
  hubPrivateRepo: async () => {
    for (const hubPrivateRepo of [true, false])
      await withHub({ hubPrivateRepo }, hub => {
        expect(hub.repository('model', 'loopback/tiny')?.private).toBe(hubPrivateRepo)
      })
  },
  hubModelId: async () => {
    await withHub({ hubModelId: 'acme/mine' }, hub => expect(count(hub, 'acme/mine')).toBe(4))
    await withHub({ hubModelId: 'mine' }, hub => expect(count(hub, 'loopback/mine')).toBe(4))
    await expect(run({ hubModelId: 'a/b/c' })).rejects.toThrow('hubModelId should be NAME or ORGANIZATION/NAME, ')
  },
  hubStrategy: async () => {
    await withHub({ hubStrategy: 'end' }, hub => expect(count(hub)).toBe(1))
    await withHub({ hubStrategy: 'checkpoint' }, hub => expect(count(hub)).toBe(7))
    await expect(run({ hubStrategy: 'every_step' as never })).rejects.toThrow("Did you mean 'every_save'?")
  },
  hubAlwaysPush: async () => {
    const slow = [{ delay: 2000, match: '/revision/', times: 1 }] // longer than the run, on a busy machine too
    await withHub({ hubAlwaysPush: false }, hub => expect(count(hub)).toBeLessThan(4), slow)
    await withHub({ hubAlwaysPush: true }, hub => expect(count(hub)).toBe(4), slow)
  },
  hubRevision: async () =>
    withHub({ hubRevision: 'try' }, hub => {
      expect([count(hub), count(hub, 'loopback/tiny', 'try')]).toEqual([1, 4])
    }),
}
