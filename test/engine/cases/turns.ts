import { setImmediate } from 'node:timers/promises'
import { expect } from 'vitest'
import { Tensor } from '../../../src/tensor'
import { type EngineCases, factor, fill, float, longRun, product, rate, update } from './subject'

/** What happens while a run is under way. */
export const turnCases: EngineCases = {
  async 'lets runs overlap, of one program and of several'({ engine }) {
    const [multiply, subtract] = await Promise.all([engine.load(product), engine.load(update)])
    const b = factor()
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        i % 2 === 0
          ? multiply.run({ a: float([[i, 0, 0]]), b })
          : subtract.run({ weight: float([i]), gradient: float([1]), rate: float(1) }),
      ),
    )
    results.forEach((result, i) => {
      const expected = i % 2 === 0 ? [[i, 2 * i]] : [i - 1]
      expect((Object.values(result)[0] as Tensor).tolist()).toEqual(expected)
    })
    multiply.dispose()
    subtract.dispose()
  },

  async 'uploads, allocates and downloads during a run, and all of it is right'({ engine }) {
    const { program, inputs } = await longRun(engine)
    const before = await engine.upload(fill(3))
    let done = false
    const running = program.run(inputs).finally(() => (done = true))
    const [uploaded, zeros, downloaded] = await Promise.all([
      engine.upload(fill(7)),
      engine.allocate('int32', [2, 2]),
      engine.download(before),
    ])
    await setImmediate() // what has been settled is known by then
    expect(done).toBe(engine.resident) // a device does one thing after another
    const y = (await running)['y'] as Tensor<'float32'>
    expect(new Set(y.data)).toEqual(new Set([2048]))
    expect(await engine.download(uploaded)).toEqual(fill(7))
    expect(await engine.download(zeros)).toEqual(Tensor.zeros('int32', [2, 2]))
    expect(downloaded).toEqual(fill(3))
    program.dispose()
  },

  async 'keeps many uploads and runs apart'({ engine }) {
    const program = await engine.load(update)
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const running = program.run({ weight: fill(i), gradient: fill(8), rate })
        const weight = await engine.upload(fill(100 + i))
        return [await running, await program.run({ weight, gradient: fill(16), rate })]
      }),
    )
    results.forEach(([of, later], i) => {
      expect(of!['updated']).toEqual(fill(i - 1))
      expect(later!['updated']).toEqual(fill(98 + i))
    })
    program.dispose()
  },

  async 'may be disposed during a run'({ open }) {
    const own = await open()
    const program = await own.load(product)
    const running = program.run({ a: float([[1, 2, 3]]), b: factor() })
    program.dispose()
    own.dispose()
    expect(((await running)['c'] as Tensor).tolist()).toEqual([[22, 28]])
    await expect(program.run({})).rejects.toThrow(/disposed/)
    await expect(own.load(product)).rejects.toThrow(/disposed/)
    await expect(own.upload(fill(1))).rejects.toThrow(/disposed/)
    await expect(own.allocate('float32', [2])).rejects.toThrow(/disposed/)
  },
}
