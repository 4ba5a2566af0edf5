import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { TrackedRun } from '../../../src/trackers/Tracker'
import { namesOf, newRunId, savedRunId, serverUrl } from '../../../src/trackers/wandb/settings'

beforeEach(() => void vi.stubEnv('WANDB_RUN_ID', undefined))
afterEach(() => vi.unstubAllEnvs())

const mark = '0a1b2c3d4e5f60718293a4b5c6d7e8f9'
const runOf = (resumed?: TrackedRun['resumed']): TrackedRun => ({ mark, resumed }) as TrackedRun

it('a checkpoint that was written before the run was open knows its id, of its mark or of WANDB_RUN_ID', () => {
  expect(savedRunId(runOf())).toBeUndefined()
  expect(savedRunId(runOf({ mark }))).toBe(newRunId(runOf()))
  expect(savedRunId(runOf({ id: 'other', mark }))).toBe('other')
  expect(savedRunId(runOf({ id: '../other' }))).toBeUndefined()
  expect(newRunId(runOf({ mark }))).not.toBe(newRunId(runOf()))
  vi.stubEnv('WANDB_RUN_ID', 'mine')
  expect([newRunId(runOf()), savedRunId(runOf({ mark })), savedRunId(runOf({ id: 'other' }))]).toEqual([
    ...['mine', 'mine', 'other'],
  ])
})

it('the trials of a search are one group: by its name, else by its folder', () => {
  const trial = { ...runOf(), trial: 'run-0', outputDir: 'out/run-0' }
  expect(namesOf({ ...trial, args: { run_name: 'search' } }, 'id').group).toBe('search')
  expect(namesOf({ ...trial, args: { run_name: null } }, 'id').group).toBe('out')
})

it('a server of your own has an address', () => {
  vi.stubEnv('WANDB_BASE_URL', 'http://127.0.0.1:8080/ ')
  expect(serverUrl()).toBe('http://127.0.0.1:8080')
  vi.stubEnv('WANDB_BASE_URL', 'wandb.example')
  expect(serverUrl).toThrow('WANDB_BASE_URL should be the address of a server, which begins with http:// or https://.')
})
