import { expect } from 'vitest'
import type { Engine } from '../../../src/engine/types'
import { type DataType, Tensor } from '../../../src/tensor'
import { handmadeModel } from '../../helpers/handmadeModel'
import { type EngineCases, factor, float, longRun, product, rate, update } from './subject'

// TypeScript knows WebAssembly by the libraries of browsers only.
const { Memory: SharedMemory } = (
  globalThis as unknown as {
    WebAssembly: {
      Memory: new (limits: { initial: number; maximum: number; shared: true }) => { buffer: SharedArrayBuffer }
    }
  }
).WebAssembly

/** Programs, given tensors. */
export const runningCases: EngineCases = {
  async 'says what it is'({ engine }) {
    expect(engine.provider).toMatch(/^\w+$/)
    expect(engine.reason).not.toBe('')
    expect(engine.version).toMatch(/^1\.\d+\.\d+/)
    expect(engine.library).not.toBe('')
    expect(engine.threads).toBeGreaterThanOrEqual(1)
    expect(engine.preparesShapes).toBe(false)
  },

  async 'runs a program on changing shapes'({ engine }) {
    const program = await engine.load(product, { name: 'product' })
    expect(program.inputs).toEqual([
      { name: 'a', dtype: 'float32', dims: [-1, 3] },
      { name: 'b', dtype: 'float32', dims: [3, 2] },
    ])
    expect(program.outputs).toEqual(['c'])
    const b = factor()
    expect((await program.run({ a: float([[1, 2, 3]]), b }))['c']).toMatchObject({
      dtype: 'float32',
      dims: [1, 2],
      data: Float32Array.of(22, 28),
    })
    const a = float([
      [1, 0, 0],
      [0, 0, 1],
    ])
    const two = (await program.run({ a, b }))['c'] as Tensor
    expect(two.tolist()).toEqual([
      [1, 2],
      [5, 6],
    ])
    const none = (await program.run({ a: Tensor.zeros('float32', [0, 3]), b }))['c'] as Tensor
    expect(none.dims).toEqual([0, 2])
    program.dispose()
  },

  async 'sees what is written to a tensor between runs, and writes into the one it is given'({ engine }) {
    const program = await engine.load(product)
    const a = float([[1, 2, 3]])
    const b = factor()
    const c = Tensor.zeros('float32', [1, 2])
    const first = await program.run({ a, b }, { c })
    expect(first['c']).toBe(c)
    expect([...c.data]).toEqual([22, 28])
    a.data[0] = 11
    await program.run({ a, b }, { c })
    expect([...c.data]).toEqual([32, 48])
    program.dispose()
  },

  async 'updates a weight in place, in shared and in WebAssembly memory'({ engine }) {
    const program = await engine.load(update, { name: 'update' })
    const memory = new SharedMemory({ initial: 1, maximum: 4, shared: true })
    const places = [new SharedArrayBuffer(4096), memory.buffer, new ArrayBuffer(4096)]
    for (const buffer of places) {
      const weight = new Tensor('float32', new Float32Array(buffer, 256, 100).fill(2), [100])
      const gradient = new Tensor('float32', new Float32Array(100).fill(3), [100])
      for (let step = 0; step < 5; step++) await program.run({ weight, gradient, rate }, { updated: weight })
      expect([...weight.data]).toEqual(Array(100).fill(2 - 5 * 0.375))
    }
    program.dispose()
  },

  async 'keeps small tensors in place while the collector moves things'({ engine }) {
    const program = await engine.load(update)
    const weight = float([1, 2, 3]) // 12 bytes: V8 would keep it on its own heap
    const gradient = float([1, 1, 1])
    for (let step = 0; step < 20; step++) {
      const running = program.run({ weight, gradient, rate: float(0.5) }, { updated: weight })
      let litter: Float32Array[] = []
      for (let i = 0; i < 20_000; i++) litter.push(new Float32Array(3))
      litter = []
      await running
      expect(litter).toEqual([])
    }
    expect([...weight.data]).toEqual([-9, -8, -7])
    program.dispose()
  },

  async 'leaves the event loop free while it runs'({ engine }) {
    const { program, inputs } = await longRun(engine)
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    const start = performance.now()
    await program.run(inputs)
    const elapsed = performance.now() - start
    clearInterval(timer)
    expect(elapsed).toBeGreaterThan(10)
    expect(ticks).toBeGreaterThan(elapsed / 5 / 4)
    program.dispose()
  },

  async 'holds the thread for a blocking run, on the processor alone'({ engine }) {
    const program = await engine.load(product)
    const given = { a: float([[1, 2, 3]]), b: factor() }
    let ticked = false
    setImmediate(() => (ticked = true))
    const { c } = await program.run(given, {}, { blocking: true })
    expect(ticked).toBe(engine.resident)
    expect((c as Tensor).tolist()).toEqual([[22, 28]])
    const target = Tensor.zeros('float32', [1, 2])
    await program.run(given, { c: target }, { blocking: true })
    expect([...target.data]).toEqual([22, 28])
    program.dispose()
  },

  async 'takes weights from external data'({ engine }) {
    const model = handmadeModel(
      [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
      [{ name: 'x', dims: ['n'] }],
      [{ name: 'y' }],
      [{ name: 'w', dims: [2], file: 'weights.bin', length: 8 }],
    )
    const bytes = new Uint8Array(Float32Array.of(10, 20).buffer)
    const program = await engine.load(model, { externalData: { 'weights.bin': bytes } })
    expect(((await program.run({ x: float([1, 2]) }))['y'] as Tensor).tolist()).toEqual([11, 22])
    program.dispose()
  },
}

/** Every data type, with ONNX's number for it. */
const dataTypes = [
  ['float32', 1],
  ['uint8', 2],
  ['int8', 3],
  ['uint16', 4],
  ['int16', 5],
  ['int32', 6],
  ['int64', 7],
  ['bool', 9],
  ['float16', 10],
  ['float64', 11],
  ['uint32', 12],
  ['uint64', 13],
  ['bfloat16', 16],
] as const

/** A case for each of them. */
export const dataTypeCases: EngineCases = Object.fromEntries(
  dataTypes.map(([dtype, type]) => [`passes ${dtype} through`, ({ engine }) => passThrough(engine, dtype, type)]),
)

async function passThrough(engine: Engine, dtype: DataType, type: number): Promise<void> {
  const value = { type, dims: ['n'] }
  const model = handmadeModel(
    [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    [{ name: 'x', ...value }],
    [{ name: 'y', ...value }],
  )
  const program = await engine.load(model)
  const x = Tensor.from(dtype, [1, 0, 1])
  const { y } = await program.run({ x })
  expect(y).toEqual(x)
  expect(y).not.toBe(x)
  const target = Tensor.zeros(dtype, [3])
  await program.run({ x }, { y: target })
  expect(target).toEqual(x)
  program.dispose()
}
