import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine, type Program } from '../../src/engine/Engine'
import { Tensor } from '../../src/tensor'
import { tinyModel } from '../helpers/tinyModel'

const matmul = tinyModel(
  [{ op: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }],
  [
    { name: 'a', dims: ['rows', 3] },
    { name: 'b', dims: [3, 2] },
  ],
  [{ name: 'c' }],
)
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
  [{ name: 'updated', dims: ['n'] }],
)
// TypeScript knows WebAssembly by the libraries of browsers only.
const { Memory: SharedMemory } = (
  globalThis as unknown as {
    WebAssembly: {
      Memory: new (limits: { initial: number; maximum: number; shared: true }) => { buffer: SharedArrayBuffer }
    }
  }
).WebAssembly
const float = (nested: Parameters<typeof Tensor.from>[1]): Tensor<'float32'> => Tensor.from('float32', nested)

let engine: Engine
beforeAll(async () => {
  engine = await createEngine({ threads: 2 })
})
afterAll(() => engine.dispose())

describe('an engine on the processor', () => {
  it('says what it is', () => {
    expect(engine.provider).toBe('cpu')
    expect(engine.version).toMatch(/^1\.\d+\.\d+/)
    expect(engine.threads).toBe(2)
    expect(engine.resident).toBe(false)
  })

  it('runs a program on changing shapes', async () => {
    const program = await engine.load(matmul, { name: 'product' })
    expect(program.inputs).toEqual([
      { name: 'a', dtype: 'float32', dims: [-1, 3] },
      { name: 'b', dtype: 'float32', dims: [3, 2] },
    ])
    expect(program.outputs).toEqual(['c'])
    const b = float([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
    expect((await program.run({ a: float([[1, 2, 3]]), b }))['c']).toMatchObject({
      dtype: 'float32',
      dims: [1, 2],
      data: Float32Array.of(22, 28),
    })
    const two = (
      await program.run({
        a: float([
          [1, 0, 0],
          [0, 0, 1],
        ]),
        b,
      })
    )['c'] as Tensor
    expect(two.tolist()).toEqual([
      [1, 2],
      [5, 6],
    ])
    const none = (await program.run({ a: Tensor.zeros('float32', [0, 3]), b }))['c'] as Tensor
    expect(none.dims).toEqual([0, 2])
    program.dispose()
  })

  it('sees what is written to a tensor between runs, and writes into the one it is given', async () => {
    const program = await engine.load(matmul)
    const [a, b, c] = [
      float([[1, 2, 3]]),
      float([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      Tensor.zeros('float32', [1, 2]),
    ]
    const first = await program.run({ a, b }, { c })
    expect(first['c']).toBe(c)
    expect([...c.data]).toEqual([22, 28])
    a.data[0] = 11
    await program.run({ a, b }, { c })
    expect([...c.data]).toEqual([32, 48])
    program.dispose()
  })

  it('updates a weight in place, in shared and in WebAssembly memory', async () => {
    const program = await engine.load(subtract, { name: 'update' })
    const memory = new SharedMemory({ initial: 1, maximum: 4, shared: true })
    const places = [new SharedArrayBuffer(4096), memory.buffer, new ArrayBuffer(4096)]
    for (const buffer of places) {
      const weight = new Tensor('float32', new Float32Array(buffer, 256, 100).fill(2), [100])
      const gradient = new Tensor('float32', new Float32Array(100).fill(3), [100])
      for (let step = 0; step < 5; step++)
        await program.run({ weight, gradient, rate: float(0.125) }, { updated: weight })
      expect([...weight.data]).toEqual(Array(100).fill(2 - 5 * 0.375))
    }
    program.dispose()
  })

  it('keeps small tensors in place while the collector moves things', async () => {
    const program = await engine.load(subtract)
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
  })

  it.each([
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
  ] as const)('passes %s through', async (dtype, type) => {
    const value = { type, dims: ['n'] }
    const model = tinyModel(
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
  })

  it('leaves the event loop free while it runs', async () => {
    const layers = 12
    const deep = tinyModel(
      Array.from({ length: layers }, (_, i) => ({
        op: 'MatMul',
        inputs: [i === 0 ? 'x' : `x${i}`, 'w'],
        outputs: [i === layers - 1 ? 'y' : `x${i + 1}`],
      })),
      [
        { name: 'x', dims: ['n', 1024] },
        { name: 'w', dims: [1024, 1024] },
      ],
      [{ name: 'y' }],
    )
    const program = await engine.load(deep)
    const [x, w] = [Tensor.zeros('float32', [512, 1024]), Tensor.zeros('float32', [1024, 1024])]
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    const start = performance.now()
    await program.run({ x, w })
    const elapsed = performance.now() - start
    clearInterval(timer)
    expect(elapsed).toBeGreaterThan(10)
    expect(ticks).toBeGreaterThan(elapsed / 5 / 4)
    program.dispose()
  })

  it('lets runs overlap, of one program and of several', async () => {
    const [product, update] = await Promise.all([engine.load(matmul), engine.load(subtract)])
    const b = float([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        i % 2 === 0
          ? product.run({ a: float([[i, 0, 0]]), b })
          : update.run({ weight: float([i]), gradient: float([1]), rate: float(1) }),
      ),
    )
    results.forEach((result, i) => {
      const expected = i % 2 === 0 ? [[i, 2 * i]] : [i - 1]
      expect((Object.values(result)[0] as Tensor).tolist()).toEqual(expected)
    })
    product.dispose()
    update.dispose()
  })

  it('may be disposed during a run', async () => {
    const own = await createEngine({ threads: 1 })
    const program = await own.load(matmul)
    const running = program.run({
      a: float([[1, 2, 3]]),
      b: float([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    })
    program.dispose()
    own.dispose()
    expect(((await running)['c'] as Tensor).tolist()).toEqual([[22, 28]])
    await expect(program.run({})).rejects.toThrow(/disposed/)
    await expect(own.load(matmul)).rejects.toThrow(/disposed/)
  })

  it('profiles, and takes weights from external data', async () => {
    const model = tinyModel(
      [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'], name: 'the_sum' }],
      [{ name: 'x', dims: ['n'] }],
      [{ name: 'y' }],
      [{ name: 'w', dims: [2], file: 'weights.bin', length: 8 }],
    )
    const { mkdtempSync, readFileSync, rmSync } = await import('node:fs')
    const { join } = await import('node:path')
    const { tmpdir } = await import('node:os')
    const folder = mkdtempSync(join(tmpdir(), 'engine-'))
    const bytes = new Uint8Array(Float32Array.of(10, 20).buffer)
    const program = await engine.load(model, { externalData: { 'weights.bin': bytes }, profile: join(folder, 'run') })
    expect(((await program.run({ x: float([1, 2]) }))['y'] as Tensor).tolist()).toEqual([11, 22])
    const file = program.endProfiling()!
    expect(file.startsWith(join(folder, 'run'))).toBe(true)
    const events = JSON.parse(readFileSync(file, 'utf8')) as { name: string }[]
    expect(events.some(event => event.name.startsWith('the_sum'))).toBe(true)
    program.dispose()
    rmSync(folder, { recursive: true })
  })

  it('does not grow while shapes change and outputs come fresh', async () => {
    const program = await engine.load(subtract)
    const run = async (i: number): Promise<void> => {
      const n = 1000 + 997 * (i % 50)
      const [weight, gradient] = [Tensor.zeros('float32', [n]), Tensor.zeros('float32', [n])]
      await program.run({ weight, gradient, rate: float(1) })
    }
    for (let i = 0; i < 200; i++) await run(i)
    const before = process.memoryUsage().rss
    for (let i = 0; i < 600; i++) await run(i)
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * 2 ** 20) // 600 runs of up to 0.6 MB; a leak of outputs alone were 60 MB, of all 180
    program.dispose()
  })
})

describe('what is wrong is said', () => {
  let program: Program
  beforeAll(async () => {
    program = await engine.load(matmul, { name: 'product' })
  })
  afterAll(() => program.dispose())
  const [a, b] = [
    float([[1, 2, 3]]),
    float([
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
  ]

  it.each([
    [
      'a missing input',
      () => program.run({ a, B: b }),
      /'product' needs input 'b', which is missing\. Did you mean 'B'\?/,
    ],
    ['an unknown input', () => program.run({ a, b, c: b }), /has no input 'c'/],
    [
      'a wrong type',
      () => program.run({ a: Tensor.from('int64', [[1, 2, 3]]), b }),
      /input 'a' must be float32, but int64 of shape \[1, 3\]/,
    ],
    [
      'a wrong shape',
      () => program.run({ a: float([[1, 2]]), b }),
      /Program 'product' failed: .*invalid dimensions for input: a/s,
    ],
    ['an unknown output', () => program.run({ a, b }, { d: a }), /has no output 'd'/],
    [
      'a target of the wrong shape',
      () => program.run({ a, b }, { c: Tensor.zeros('float32', [5, 5]) }),
      /Program 'product' failed/,
    ],
    [
      'bytes that are no model',
      () => engine.load(Uint8Array.of(1, 2, 3), { name: 'noise' }),
      /'noise' does not load: .*not an ONNX model/s,
    ],
    [
      'an operator that is none',
      () =>
        engine.load(
          tinyModel([{ op: 'Nope', inputs: ['x'], outputs: ['y'], name: 'layer7' }], [{ name: 'x' }], [{ name: 'y' }]),
        ),
      /layer7|Nope/,
    ],
    [
      'shapes that cannot be',
      () =>
        engine.load(
          tinyModel(
            [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'], name: 'layer7/query' }],
            [
              { name: 'x', dims: [2, 3] },
              { name: 'w', dims: [4, 5] },
            ],
            [{ name: 'y' }],
          ),
        ),
      /layer7\/query/,
    ],
    [
      'an unknown provider',
      () => createEngine({ device: 'cudo' }),
      /'cudo' is not in this build .*has: cpu.*Did you mean 'cuda'\?/s,
    ],
    [
      'no library',
      () => createEngine({ library: '/nowhere/libonnxruntime.so' }),
      /No ONNX Runtime library .*Looked at: .*nowhere/s,
    ],
    ['no threads', () => createEngine({ threads: 0 }), /threads must be a whole number of at least 1/],
    [
      'no plug-in',
      () => createEngine({ device: 'openvino:cpu', pluginLibrary: '/nowhere/plugin.so' }),
      /provider .*plugin\.so does not load/,
    ],
  ])('%s', async (_, act, message) => {
    await expect(act()).rejects.toThrow(message)
    await expect(act()).rejects.toMatchObject({ name: 'TrainerError' })
  })

  it('memory that runs out', async () => {
    const vast = await engine.load(
      tinyModel(
        [{ op: 'ConstantOfShape', inputs: ['shape'], outputs: ['y'] }],
        [{ name: 'shape', type: 7, dims: [2] }],
        [{ name: 'y' }],
      ),
    )
    const shape = Tensor.from('int64', [2 ** 22, 2 ** 22]) // 64 TiB
    await expect(vast.run({ shape })).rejects.toThrow(/Memory ran out.*smaller batch/s)
    vast.dispose()
  })

  it('a tensor whose memory has gone to another thread', async () => {
    const gone = float([[1, 2, 3]])
    await program.run({ a: gone, b })
    structuredClone(gone.data, { transfer: [gone.data.buffer as ArrayBuffer] })
    await expect(program.run({ a: gone, b })).rejects.toThrow(/has lost its memory/)
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
