import { afterAll, describe, expect, it } from 'vitest'
import { createEngine, openLibrary, type DeviceBuffer, type Engine } from '../../src/engine/Engine'
import { identityModel } from '../../src/engine/device'
import { OrtEngine } from '../../src/engine/ort'
import { Tensor } from '../../src/tensor'
import { tinyModel } from '../helpers/tinyModel'

const subtract = tinyModel(
  [
    { op: 'Mul', inputs: ['gradient', 'rate'], outputs: ['step'] },
    { op: 'Sub', inputs: ['weight', 'step'], outputs: ['updated'] },
  ],
  [
    { name: 'weight', dims: ['n'] },
    { name: 'gradient', dims: ['n'] },
    { name: 'rate', dims: [] },
  ],
  [{ name: 'updated' }, { name: 'step' }],
)
const fill = (value: number, size = 1000): Tensor => new Tensor('float32', new Float32Array(size).fill(value), [size])
const rate = Tensor.from('float32', 0.125)

/** An engine, or the reason why there is none on this machine. */
async function attempt(make: () => Promise<Engine> | Engine): Promise<Engine | string> {
  try {
    return await make()
  } catch (error) {
    return (error as Error).message
  }
}

/** The processor's memory handled as a device's is: the seam can be tested anywhere. */
function pretended(): Engine {
  const api = openLibrary()
  const provider = { name: 'cpu', append: () => undefined, memory: 'Cpu' }
  return new OrtEngine(api, { provider, threads: 1, spinning: undefined, deterministic: true }, 'a test')
}

const engines: readonly (readonly [string, Engine | string])[] = [
  ["the processor's memory as a device", await attempt(pretended)],
  ['webgpu', await attempt(() => createEngine({ device: 'webgpu' }))],
  ['cuda', await attempt(() => createEngine({ device: 'cuda' }))],
]
for (const [name, engine] of engines)
  if (typeof engine === 'string') process.stdout.write(`skipped: ${name}: ${engine}\n`)

describe.each(engines.filter((entry): entry is readonly [string, Engine] => typeof entry[1] !== 'string'))(
  '%s',
  (_, engine) => {
    afterAll(() => engine.dispose())

    it('brings tensors there and back', async () => {
      for (const dtype of ['float32', 'int32', 'int64', 'bool', 'uint8'] as const) {
        const tensor = Tensor.from(dtype, [
          [1, 0, 1],
          [0, 0, 1],
        ])
        const buffer = engine.upload(tensor)
        expect(buffer).not.toBeInstanceOf(Tensor)
        expect(buffer).toMatchObject({ dtype, dims: [2, 3] })
        expect(await engine.download(buffer)).toEqual(tensor)
      }
      expect(await engine.download(engine.allocate('float32', [2, 2]))).toEqual(Tensor.zeros('float32', [2, 2]))
      expect(await engine.download(engine.allocate('float32', [0, 2]))).toEqual(Tensor.zeros('float32', [0, 2]))
    })

    it('updates a buffer in place and leaves it there', async () => {
      const program = await engine.load(subtract, { name: 'update' })
      const [weight, gradient] = [engine.upload(fill(2)), engine.upload(fill(3))]
      for (let step = 0; step < 5; step++) {
        const results = await program.run({ weight, gradient, rate }, { updated: weight })
        expect(results['updated']).toBe(weight)
        expect((results['step'] as Tensor).data[7]).toBe(0.375)
      }
      expect(await engine.download(weight)).toEqual(fill(2 - 5 * 0.375))
    })

    it('keeps outputs of unknown shape on the device, and feeds them to the next program', async () => {
      const [update, copy] = [await engine.load(subtract), await engine.load(identityModel('float32'))]
      for (const size of [10, 300]) {
        const { updated, step } = await update.run(
          { weight: fill(2, size), gradient: fill(4, size), rate },
          {},
          { keep: ['updated'] },
        )
        expect(updated).not.toBeInstanceOf(Tensor)
        expect(step).toEqual(fill(0.5, size))
        const { y } = await copy.run({ x: updated! })
        expect(y).toEqual(fill(1.5, size))
      }
      const target = engine.upload(fill(0))
      const kept = await update.run(
        { weight: fill(2), gradient: fill(4), rate },
        { updated: target },
        { keep: ['step'] },
      )
      expect(kept['updated']).toBe(target)
      expect(await engine.download(target)).toEqual(fill(1.5))
      expect(await engine.download(kept['step']!)).toEqual(fill(0.5))
    })

    it('lets buffers be disposed while a run uses them, and refuses them afterwards', async () => {
      const program = await engine.load(subtract)
      const weight = engine.upload(fill(2)) as DeviceBuffer
      const running = [1, 2, 3].map(() => program.run({ weight, gradient: fill(4), rate }))
      const reading = engine.download(weight)
      weight.dispose()
      weight.dispose()
      for (const result of await Promise.all(running)) expect(result['updated']).toEqual(fill(1.5))
      expect(await reading).toEqual(fill(2))
      await expect(program.run({ weight, gradient: fill(4), rate })).rejects.toThrow(/used after it was disposed/)
      await expect(engine.download(weight)).rejects.toThrow(/used after it was disposed/)
    })

    it("refuses another engine's buffer, and an upload during a run", async () => {
      const other = pretended()
      const program = await engine.load(subtract, { name: 'update' })
      const foreign = other.upload(fill(1))
      await expect(program.run({ weight: foreign, gradient: fill(4), rate })).rejects.toThrow(
        /buffer of another engine/,
      )
      const processor = await createEngine()
      await expect(processor.download(foreign)).rejects.toThrow(/engine on 'cpu'/)
      const running = program.run({ weight: fill(2), gradient: fill(4), rate })
      expect(() => engine.upload(fill(1))).toThrow(/during a run/)
      await running
      processor.dispose()
      other.dispose()
    })
  },
)
