import { setImmediate } from 'node:timers/promises'
import { expect } from 'vitest'
import { collectGarbage } from '../../../src/engine/outOfMemory'
import type { DeviceBuffer } from '../../../src/engine/types'
import type { Tensor } from '../../../src/tensor'
import { type EngineCases, fill, rate, update } from './subject'

/** How long buffers live, on engines that have them. */
export const bufferCases: EngineCases = {
  async 'lets buffers be disposed while a run uses them, and refuses them afterwards'({ engine }) {
    const program = await engine.load(update)
    const weight = (await engine.upload(fill(2))) as DeviceBuffer
    const running = [1, 2, 3].map(() => program.run({ weight, gradient: fill(4), rate }))
    const reading = engine.download(weight)
    weight.dispose()
    weight.dispose()
    for (const result of await Promise.all(running)) expect(result['updated']).toEqual(fill(1.5))
    expect(await reading).toEqual(fill(2))
    await expect(program.run({ weight, gradient: fill(4), rate })).rejects.toThrow(/used after it was disposed/)
    await expect(engine.download(weight)).rejects.toThrow(/used after it was disposed/)
    program.dispose()
  },

  async 'finishes an upload that is under way when it is disposed of'({ open }) {
    const own = await open()
    const uploading = own.upload(fill(1))
    own.dispose()
    expect(await uploading).toMatchObject({ dtype: 'float32', dims: [1000] })
    await expect(own.download(await uploading)).rejects.toThrow(/disposed/)
  },

  async 'keeps what a run left when its program is disposed of'({ engine }) {
    const program = await engine.load(update)
    const { updated } = await program.run({ weight: fill(2), gradient: fill(4), rate }, {}, { keep: ['updated'] })
    program.dispose()
    expect(await engine.download(updated!)).toEqual(fill(1.5))
    ;(updated as DeviceBuffer).dispose()
    await expect(engine.download(updated!)).rejects.toThrow(/used after it was disposed/)
  },

  async 'frees no other buffer when one that was disposed of is collected'({ engine }) {
    const first = fill(1)
    const second = fill(2)
    const upload = async (tensor: Tensor): Promise<DeviceBuffer> => (await engine.upload(tensor)) as DeviceBuffer
    for (let i = 0; i < 100; i++) (await upload(i % 2 === 0 ? first : second)).dispose()
    const others = [] // where those were
    for (let i = 0; i < 100; i++) others.push(await upload(second))
    await collect()
    const overwriting = []
    for (let i = 0; i < 100; i++) overwriting.push(await upload(first))
    for (const other of others) expect(await engine.download(other)).toEqual(second)
  },
}

async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await setImmediate()
    collectGarbage()
  }
  await setImmediate() // callbacks for what was collected have run
}
