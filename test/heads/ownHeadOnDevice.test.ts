// heads of the user's own on a device: nothing of them is left to the processor, and sums and counts come back
import { describe, expect, it } from 'vitest'
import type { PreTrainedModel } from '../../src/index'
import { meanLoss } from '../../src/training/lossSums'
import { rowsOf } from '../helpers/batches'
import { addUp, withRunner } from '../helpers/compute'
import { deviceEngine } from '../helpers/deviceEngine'
import { pretendedDevice } from '../helpers/pretendedDevice'
import { enginesOn } from '../helpers/sharedEngines'
import { findWebgpuDriver } from '../helpers/webgpu'
import { loadSlots, loadTriage, oracleOf } from './ownHeads'

const hindrance = findWebgpuDriver()
const skipped = hindrance === undefined ? '' : ` (skipped: ${hindrance})`

describe.each([
  ['in memory of its own', '', () => Promise.resolve(pretendedDevice())],
  ['on WebGPU', skipped, () => deviceEngine({ device: 'webgpu', threads: 1 })],
])('%s%s', (_, reason, open) => {
  it.skipIf(reason !== '').each([
    ['bert-triage', loadTriage as () => Promise<PreTrainedModel<unknown>>],
    ['distilbert-slots', loadSlots as () => Promise<PreTrainedModel<unknown>>],
  ] as const)('%s has the losses of PyTorch', async (name, load) => {
    const { batch, loss: expected } = oracleOf(name)
    const engines = enginesOn(await open())
    await withRunner(await load(), { engines }, batch, async (_compute, runner) => {
      const row = (index: number): string => `row ${index}`
      const parts = [rowsOf(batch, 0, 2), rowsOf(batch, 2, 6)].map(part => runner.feed(part, row))
      const { loss, count } = await addUp(runner, parts, 0)
      expect(Math.abs(loss / count - expected)).toBeLessThan(2e-5 * expected)
      const evaluated = await runner.forward(runner.feed(batch, row, 'evaluation'))
      expect(Math.abs(meanLoss(evaluated.loss!) - expected)).toBeLessThan(2e-5 * expected)
      expect(Object.keys(await evaluated.predictions())).toEqual(Object.keys(oracleOf(name).outputs))
    })
  })
})
