import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine } from '../../src/engine/Engine'
import { Tensor } from '../../src/tensor'
import { handmadeModel } from '../helpers/handmadeModel'
import { float, update } from './cases/subject'
import { temporaryFolder } from '../helpers/temporaryFolder'

let engine: Engine
beforeAll(async () => {
  engine = await createEngine({ threads: 2 })
})
afterAll(() => engine.dispose())

describe('an engine of ONNX Runtime on the processor', () => {
  it('says what it is', () => {
    expect(engine.provider).toBe('cpu')
    expect(engine.reason).toBe("device 'cpu' was asked for")
    expect(engine.threads).toBe(2)
  })

  it('profiles', async () => {
    const model = handmadeModel(
      [{ op: 'Add', inputs: ['x', 'x'], outputs: ['y'], name: 'the_sum' }],
      [{ name: 'x', dims: ['n'] }],
      [{ name: 'y' }],
    )
    const folder = temporaryFolder()
    const program = await engine.load(model, { profile: join(folder, 'run') })
    expect(((await program.run({ x: float([1, 2]) }))['y'] as Tensor).tolist()).toEqual([2, 4])
    const file = program.endProfiling()!
    expect(file.startsWith(join(folder, 'run'))).toBe(true)
    const events = JSON.parse(readFileSync(file, 'utf8')) as { name: string }[]
    expect(events.some(event => event.name.startsWith('the_sum'))).toBe(true)
    program.dispose()
  })

  it('has no profile of a program that is not profiled', async () => {
    const program = await engine.load(update)
    expect(program.endProfiling()).toBeUndefined()
    program.dispose()
  })

  it('does not grow while shapes change and outputs come fresh', async () => {
    const program = await engine.load(update)
    const run = async (i: number): Promise<void> => {
      const n = 1000 + 997 * (i % 50)
      const weight = Tensor.zeros('float32', [n])
      const gradient = Tensor.zeros('float32', [n])
      await program.run({ weight, gradient, rate: float(1) })
    }
    for (let i = 0; i < 200; i++) await run(i)
    const before = process.memoryUsage().rss
    for (let i = 0; i < 600; i++) await run(i)
    // 600 runs of up to 0.8 MB; a leak of outputs alone would be 120 MB, of all 240
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * 2 ** 20)
    program.dispose()
  })
})

describe('no engine is made', () => {
  it.each([
    [
      'on an unknown provider',
      () => createEngine({ device: 'cudo' }),
      /'cudo' is not in this build .*has: cpu.*Did you mean 'cuda'\?/s,
    ],
    [
      'without a library',
      () => createEngine({ library: '/nowhere/libonnxruntime.so' }),
      /No ONNX Runtime library .*Looked at: .*nowhere/s,
    ],
    ['without threads', () => createEngine({ threads: 0 }), /threads must be a whole number of at least 1/],
    [
      'without its plug-in',
      () => createEngine({ device: 'openvino:cpu', pluginLibrary: '/nowhere/plugin.so' }),
      /provider .*plugin\.so does not load/,
    ],
  ])('%s', async (_, act, message) => {
    await expect(act()).rejects.toThrow(message)
    await expect(act()).rejects.toMatchObject({ name: 'TrainerError' })
  })
})

describe("device 'auto'", () => {
  it('takes what works and says why', async () => {
    const automatic = await createEngine({ device: 'auto' })
    expect(automatic.reason).toMatch(/^auto: '\w+' is/)
    if (automatic.provider === 'cpu') expect(automatic.reason).toMatch(/cuda: /)
    automatic.dispose()
  })
})
