import { expect } from 'vitest'
import type { Engine, Transfers } from '../../../src/engine/types'
import { Tensor } from '../../../src/tensor'
import { type EngineCases, fill, rate, update } from './subject'

/** What `transfers` grows by; on the processor nothing. */
async function transferred(engine: Engine, act: () => Promise<unknown>): Promise<Transfers> {
  const before = engine.transfers
  await act()
  const after = engine.transfers
  return { up: after.up - before.up, down: after.down - before.down }
}

/** Bytes between the caller's memory and the device's. */
export const transferCases: EngineCases = {
  async 'counts what is uploaded and downloaded'({ engine }) {
    const device = engine.resident ? 1 : 0
    const numbers = Tensor.from('int64', [1, 2, 3])
    expect(await transferred(engine, () => engine.upload(numbers))).toEqual({ up: 24 * device, down: 0 })
    expect(await transferred(engine, () => engine.allocate('float32', [5, 2]))).toEqual({ up: 40 * device, down: 0 })
    const value = await engine.upload(fill(1))
    expect(await transferred(engine, () => engine.download(value))).toEqual({ up: 0, down: 4000 * device })
    expect(await transferred(engine, () => engine.download(fill(1)))).toEqual({ up: 0, down: 0 })
  },

  async 'counts tensors that a run is given and returns, and no values that stay'({ engine }) {
    const device = engine.resident ? 1 : 0
    const program = await engine.load(update)
    const weight = await engine.upload(fill(2))
    const gradient = fill(4)
    expect(await transferred(engine, () => program.run({ weight, gradient, rate }))).toEqual({
      up: 4004 * device,
      down: 8000 * device,
    })
    const kept = (): Promise<unknown> =>
      program.run({ weight, gradient, rate }, { updated: weight }, { keep: ['step'] })
    expect(await transferred(engine, kept)).toEqual({ up: 4004 * device, down: 0 })
    const into = (): Promise<unknown> => program.run({ weight, gradient, rate }, { updated: fill(0), step: weight })
    expect(await transferred(engine, into)).toEqual({ up: 4004 * device, down: 4000 * device })
    program.dispose()
  },

  async 'counts no run that failed, and begins at 0'({ engine, open }) {
    const program = await engine.load(update)
    const failing = async (): Promise<void> => {
      await expect(program.run({ weight: fill(1, 3), gradient: fill(1, 5), rate })).rejects.toThrow(/failed/)
      await expect(program.run({ weight: fill(1), gradient: fill(1) })).rejects.toThrow(/missing/)
    }
    expect(await transferred(engine, failing)).toEqual({ up: 0, down: 0 })
    program.dispose()
    const other = await open()
    expect(other.transfers).toEqual({ up: 0, down: 0 })
    other.dispose()
  },
}
