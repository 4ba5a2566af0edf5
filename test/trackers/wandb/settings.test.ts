import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { TrackedRun } from '../../../src/trackers/Tracker'
import { newRunId, savedRunId } from '../../../src/trackers/wandb/settings'

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
