// which nodes a device leaves to the processor, and who is told
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Api } from '../../src/engine/capi'
import { createEngine, openLibrary } from '../../src/engine/Engine'
import { knowsPlacement, placementSetting, strayNodes } from '../../src/engine/placement'
import type { Engine, StrayNode } from '../../src/engine/types'
import { GraphBuilder } from '../../src/onnx/builder'
import { encode } from '../../src/onnx/encode'
import { readModel } from '../../src/onnx/readModel'
import type { Graph } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { deviceEngine } from '../helpers/deviceEngine'
import { logMessages } from '../helpers/logMessages'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { findWebgpuDriver } from '../helpers/webgpu'

/** Sums of int64, of as many rows as x has, and what is made of the length of x. */
function mixedGraph(): Graph {
  const g = new GraphBuilder('mixed')
  const x = g.input('x', 'float32', ['n', 4])
  const index = g.input('index', 'int64', ['n', 4])
  const doubled = g.mul(x, g.constant(2))
  const length = g.node('Shape', [doubled], {})[0]!
  const flat = g.reshape(doubled, g.concat([g.integers([1]), length], 0))
  return g.build({ flat: g.mul(flat, flat), sum: g.cast(g.add(index, index), 'float32') })
}

function wordsOf(strays: readonly StrayNode[] | undefined): string[] | undefined {
  return strays?.map(({ op }) => op)
}

describe('strays', () => {
  const { graph } = readModel(encode(mixedGraph()).model)
  const named = (...ops: string[]): StrayNode[] => graph.nodes.filter(({ op }) => ops.includes(op))

  it('are nodes on the processor that read what is not a shape', () => {
    expect(wordsOf(strayNodes(named('Concat', 'Add', 'Cast'), graph))).toEqual(['Add', 'Cast'])
  })

  it('are nodes that read a value of the device beside a shape, or to tell its shape', () => {
    expect(wordsOf(strayNodes(named('Concat', 'Reshape'), graph))).toEqual(['Reshape'])
    expect(wordsOf(strayNodes(named('Shape', 'Concat'), graph))).toEqual(['Shape'])
  })

  it('are not those that read shapes by a node which an optimization may have left out', () => {
    const g = new GraphBuilder('merged')
    const length = g.node('Shape', [g.input('x', 'float32', ['n', 4])], {})[0]!
    const y = g.concat([g.gather(length, g.integers([0])), g.integers([1])], 0)
    const { graph: merged } = readModel(encode(g.build({ y })).model)
    const concat = merged.nodes.filter(({ op }) => op === 'Concat')
    expect(concat).toHaveLength(1)
    expect(strayNodes(concat, merged)).toEqual([])
  })

  it('are not those that tell the shape of an input', () => {
    const g = new GraphBuilder('lengths')
    const y = g.node('Shape', [g.input('x', 'int64', ['n', 4])], {})[0]!
    const { graph: lengths } = readModel(encode(g.build({ y })).model)
    expect(strayNodes(lengths.nodes, lengths)).toEqual([])
  })

  it('are nodes that an optimization wrote, other than Gathers of lengths', () => {
    const written = ['Gather', 'Gather_token_40', 'Gather_7', 'fused'].map(name => ({ op: 'Gather', name }))
    expect(strayNodes(written, graph).map(({ name }) => name)).toEqual(['Gather_7', 'fused'])
  })
})

const hindrance = findWebgpuDriver()
if (hindrance !== undefined) process.stdout.write(`skipped: placement on webgpu: ${hindrance}\n`)

describe.skipIf(hindrance !== undefined)('a program on WebGPU', () => {
  const messages = logMessages('warning')
  let opened: Promise<Engine> | undefined
  const engine = (): Promise<Engine> => (opened ??= createEngine({ device: 'webgpu' }))
  afterAll(async () => (await opened)?.dispose())

  it('names the nodes that ran on the processor and read more than shapes, and warns of them once', async () => {
    const program = await (
      await engine()
    ).load(encode(mixedGraph()).model, { name: 'mixed', profile: join(temporaryFolder(), 'mixed') })
    expect(wordsOf(program.strays)).toEqual(['Add', 'Cast'])
    const inputs = { x: Tensor.zeros('float32', [3, 4]), index: Tensor.zeros('int64', [3, 4]) }
    await program.run(inputs)
    await program.run(inputs)
    expect(messages).toHaveLength(1)
    expect(messages[0]).toMatch(/^Program 'mixed' leaves 2 nodes to the processor: Add 'Add_\d+', Cast 'Cast_\d+'\. /)
    const file = program.endProfiling()!
    const events = JSON.parse(readFileSync(file, 'utf8')) as {
      name: string
      args?: { provider?: string; op_name?: string }
    }[]
    const onProcessor = events.filter(
      ({ name, args }) => name.endsWith('_kernel_time') && args?.provider === 'CPUExecutionProvider',
    )
    // the profile of two runs
    expect(new Set(onProcessor.map(({ args }) => args?.op_name))).toEqual(new Set(['Add', 'Cast', 'Concat']))
    program.dispose()
  })

  it('has none where every node runs there, and says nothing', async () => {
    const g = new GraphBuilder('plain')
    const x = g.input('x', 'float32', ['n', 4])
    const program = await (await engine()).load(encode(g.build({ y: g.mul(x, x) })).model)
    expect(program.strays).toEqual([])
    expect(messages).toEqual([])
    program.dispose()
  })

  it('is refused by the engine of tests', async () => {
    const strict = await deviceEngine({ device: 'webgpu' })
    await expect(strict.load(encode(mixedGraph()).model)).rejects.toThrow(/leaves nodes to the processor: Add 'Add_/)
    strict.dispose()
  })

  it.each([
    [
      'ConvTranspose',
      [2, 1, 3, 3, 3],
      [1, 1, 2, 2, 2],
      /ConvTranspose.* WebGPU transposes convolutions over one axis and two/s,
    ],
    ['MaxPool', [2, 1, 3, 3], undefined, /MaxPool.* does not tell the places/s],
  ] as const)('says what to do where %s is placed there and fails', async (op, shape, kernel, message) => {
    const g = new GraphBuilder('failing')
    const x = g.input('x', 'float32', shape)
    const outputs =
      op === 'MaxPool'
        ? g.node('MaxPool', [x], { kernel_shape: [2, 2] }, 2)
        : g.node('ConvTranspose', [x, g.input('w', 'float32', kernel!)], {})
    const program = await (
      await engine()
    ).load(encode(g.build(Object.fromEntries(outputs.map((y, i) => [`y${i}`, y])))).model)
    const inputs = { x: Tensor.zeros('float32', shape), ...(kernel && { w: Tensor.zeros('float32', kernel) }) }
    await expect(program.run(inputs)).rejects.toThrow(message)
    program.dispose()
  })
})

describe('placement is not known', () => {
  const messages = logMessages('debug')
  const device = { name: 'webgpu', append: () => undefined, memory: 'WebGPU_Buf' }

  it('on the processor', async () => {
    const engine = await createEngine({ threads: 1 })
    const program = await engine.load(encode(mixedGraph()).model)
    expect(program.strays).toBeUndefined()
    engine.dispose()
  })

  it('of a library before 1.24, as a message of level debug says', () => {
    const api = openLibrary()
    expect(api.has('Session_GetEpGraphAssignmentInfo')).toBe(Number(api.version.split('.')[1]) >= 24)
    const old = { version: '1.23.2', has: () => false } as unknown as Api
    expect(knowsPlacement(old, device, {})).toBe(false)
    expect(messages).toEqual([
      "ONNX Runtime 1.23.2 does not say which nodes 'webgpu' leaves to the processor: 1.24 does.",
    ])
  })

  it('of a program that was told not to keep it', () => {
    expect(knowsPlacement(openLibrary(), device, {})).toBe(true)
    expect(knowsPlacement(openLibrary(), device, { sessionConfig: { [placementSetting]: '0' } })).toBe(false)
  })
})
