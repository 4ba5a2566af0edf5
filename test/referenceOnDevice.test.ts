// the oracle's models and runs on WebGPU, and runs that go on where another device has saved
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkFolder } from '../scripts/reference/checkFolder'
import { oracleTrainer } from '../scripts/reference/oracleRun'
import { setLogLevel } from '../src/index'
import { temporaryFolder } from './helpers/temporaryFolder'
import { findWebgpuDriver } from './helpers/webgpu'

const oracle = join(import.meta.dirname, 'fixtures/reference')
const hindrance = findWebgpuDriver()
const skipped = hindrance === undefined ? '' : ` (skipped: ${hindrance})`

beforeAll(() => setLogLevel('error'))
afterAll(() => setLogLevel('warning'))

const stated = {
  max_steps: 6,
  logging_steps: 1,
  save_steps: 3,
  per_device_train_batch_size: 4,
  gradient_accumulation_steps: 2,
}

/** The losses of a run by step. */
async function losses(outputDir: string, device: string | undefined, resumeFromCheckpoint?: string): Promise<number[]> {
  const { trainer } = await oracleTrainer(join(oracle, 'trainer-runs'), stated, outputDir, [], { device })
  try {
    await trainer.train(resumeFromCheckpoint === undefined ? {} : { resumeFromCheckpoint })
    return trainer.state.logHistory.flatMap(({ loss }) => (loss === undefined ? [] : [Number(loss)]))
  } finally {
    await trainer.dispose()
  }
}

describe.skipIf(hindrance !== undefined)(`on WebGPU${skipped}`, () => {
  it('are what PyTorch computed: a model with every node there, and a run with the losses of the processor', async () => {
    const lines: string[] = []
    const only = 'bert-sequence|runs/(best-and-tokens|accumulation-smoothing)'
    await checkFolder(oracle, { only, device: 'webgpu', print: line => lines.push(line) })
    expect(lines.filter(line => !line.startsWith('passed '))).toEqual([])
    expect(lines).toHaveLength(3)
  }, 300_000)

  it('other kinds of case are skipped with the reason', async () => {
    const lines: string[] = []
    await checkFolder(oracle, { only: 'early-stop', device: 'webgpu', print: line => lines.push(line) })
    expect(lines).toEqual(['skipped trainer-events/early-stop: it is not computed on webgpu'])
  })

  it.each([
    ['the processor', undefined, 'webgpu'],
    ['WebGPU', 'webgpu', undefined],
  ])(
    'a run that %s has saved goes on with the same losses on the other',
    async (_, first, second) => {
      const folder = temporaryFolder()
      const whole = await losses(folder, first)
      const resumed = await losses(folder, second, join(folder, 'checkpoint-3'))
      expect(whole).toHaveLength(6)
      expect(resumed).toHaveLength(6)
      for (const [i, loss] of whole.entries()) expect(Math.abs(resumed[i]! / loss - 1), `step ${i}`).toBeLessThan(1e-5)
    },
    300_000,
  )
})
