import { afterEach, expect, it, vi } from 'vitest'
import { trackerCallbacks } from '../../../src/trackers/trackerCallbacks'
import { WandbCallback } from '../../../src/trackers/WandbCallback'
import { logMessages } from '../../helpers/logMessages'
import { temporaryFolder } from '../../helpers/temporaryFolder'
import { trackedTrainer } from '../../helpers/trackedTraining'

vi.mock('../../../src/trackers/wandb/sdk', async load => ({ ...(await load<object>()), sdkFile: () => undefined }))
const messages = logMessages('warning')
afterEach(() => vi.unstubAllEnvs())

it('a missing package is named, and does not stop a run', async () => {
  for (const name of ['WANDB_MODE', 'WANDB_DISABLED', 'WANDB_LOG_MODEL', 'WANDB_WATCH']) vi.stubEnv(name, undefined)
  const { globalStep } = await trackedTrainer(temporaryFolder()).train()
  expect(globalStep).toBe(4)
  expect(messages).toEqual([
    expect.stringMatching(
      /The package @wandb\/sdk is not installed\. npm install @wandb\/sdk, or set WANDB_MODE=offline/,
    ),
  ])
})

it("'all' means Weights & Biases where its package is installed or files are asked for", () => {
  const isMeant = (): boolean => trackerCallbacks(['all']).some(callback => callback instanceof WandbCallback)
  vi.stubEnv('WANDB_MODE', 'offline')
  expect(isMeant()).toBe(true)
  vi.stubEnv('WANDB_MODE', 'nonsense')
  expect(() => isMeant()).not.toThrow()
})
