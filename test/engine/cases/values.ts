import { expect } from 'vitest'
import { identityModel } from '../../../src/engine/device'
import { Tensor } from '../../../src/tensor'
import { type EngineCases, fill, float, rate, update } from './subject'

/** What `upload`, `allocate`, `into` and `keep` give, wherever values live. */
export const valueCases: EngineCases = {
  async 'brings tensors there and back'({ engine }) {
    for (const dtype of ['float32', 'int32', 'int64', 'bool', 'uint8'] as const) {
      const tensor = Tensor.from(dtype, [
        [1, 0, 1],
        [0, 0, 1],
      ])
      const value = await engine.upload(tensor)
      expect(value instanceof Tensor).toBe(!engine.resident)
      expect(value).toMatchObject({ dtype, dims: [2, 3] })
      expect(await engine.download(value)).toEqual(tensor)
    }
    expect(await engine.download(await engine.allocate('float32', [2, 2]))).toEqual(Tensor.zeros('float32', [2, 2]))
    expect(await engine.download(await engine.allocate('float32', [0, 2]))).toEqual(Tensor.zeros('float32', [0, 2]))
  },

  async 'updates a value in place and leaves it there'({ engine }) {
    const program = await engine.load(update, { name: 'update' })
    const weight = await engine.upload(fill(2))
    const gradient = await engine.upload(fill(3))
    for (let step = 0; step < 5; step++) {
      const results = await program.run({ weight, gradient, rate }, { updated: weight })
      expect(results['updated']).toBe(weight)
      expect((results['step'] as Tensor).data[7]).toBe(0.375)
    }
    expect(await engine.download(weight)).toEqual(fill(2 - 5 * 0.375))
    program.dispose()
  },

  async 'keeps outputs of unknown shape, and feeds them to the next program'({ engine }) {
    const first = await engine.load(update)
    const next = await engine.load(identityModel('float32'))
    for (const size of [10, 300]) {
      const inputs = { weight: fill(2, size), gradient: fill(4, size), rate }
      const { updated, step } = await first.run(inputs, {}, { keep: ['updated'] })
      expect(updated instanceof Tensor).toBe(!engine.resident)
      expect(step).toEqual(fill(0.5, size))
      const { y } = await next.run({ x: updated! })
      expect(y).toEqual(fill(1.5, size))
    }
    const target = await engine.upload(fill(0))
    const inputs = { weight: fill(2), gradient: fill(4), rate }
    const kept = await first.run(inputs, { updated: target }, { keep: ['step'] })
    expect(kept['updated']).toBe(target)
    expect(await engine.download(target)).toEqual(fill(1.5))
    expect(await engine.download(kept['step']!)).toEqual(fill(0.5))
    first.dispose()
    next.dispose()
  },

  async 'tells a tensor from a copy of it'({ engine }) {
    const tensor = float([1, 2])
    const value = await engine.upload(tensor)
    tensor.data[0] = 7
    expect((await engine.download(value)).tolist()).toEqual([engine.resident ? 1 : 7, 2])
    expect(await engine.download(tensor)).toBe(tensor)
  },
}
