// operators on WebGPU that it has no kernel of, or one that is not everywhere right (docs/log.md)
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/types'
import { lower } from '../../src/lowering/lower'
import { GraphBuilder } from '../../src/onnx/builder'
import { encode } from '../../src/onnx/encode'
import type { Graph } from '../../src/onnx/types'
import type { Tensor } from '../../src/tensor'
import { deviceEngine } from '../helpers/deviceEngine'
import { expectNear } from '../helpers/expectNear'
import { findWebgpuDriver } from '../helpers/webgpu'
import { modelOf, targetIn } from './foreign'
import { type OneNode, runNode } from './oneNode'

const file = join(import.meta.dirname, '../fixtures/onnx/windows.json')
const nodes = (JSON.parse(readFileSync(file, 'utf8')) as OneNode[]).filter(({ op }) => op === 'ConvTranspose')

const hindrance = findWebgpuDriver()
if (hindrance !== undefined) process.stdout.write(`skipped: transposed convolutions on webgpu: ${hindrance}\n`)

let engine: Engine | undefined
afterAll(() => engine?.dispose())

/** One node of floats or truths, as its rule writes it. */
function lowered(op: string): Graph {
  const graph = new GraphBuilder(op, true)
  const dtype = ['Or', 'Xor'].includes(op) ? 'bool' : 'float32'
  const names = dtype === 'bool' ? ['a', 'b'] : ['a']
  const given = new Map(names.map(name => [name, graph.input(name, dtype, ['n', 3])]))
  const model = modelOf([{ op, inputs: names, outputs: ['y'], attributes: {} }], new Map(), 17)
  return graph.build(Object.fromEntries(lower(targetIn(graph), { model, file: 'one.onnx', given, wanted: ['y'] })))
}

async function onWebgpu(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  engine ??= await deviceEngine({ device: 'webgpu' })
  const program = await engine.load(encode(graph).model)
  const found = await program.run(feeds)
  program.dispose()
  return found as Record<string, Tensor>
}

/** Groups that lead from several channels to one. */
function joinsChannels({ inputs, attributes }: OneNode): boolean {
  const [channels, each] = inputs[1]!.shape
  const groups = Number(attributes['group'])
  return groups > 1 && each === 1 && channels! / groups > 1
}

describe.skipIf(hindrance !== undefined)('WebGPU computes transposed convolutions', () => {
  it('has a case of groups that lead from several channels to one', () => {
    expect(nodes.some(joinsChannels)).toBe(true)
  })

  it.each(nodes.map(node => [JSON.stringify(node.attributes), node] as const))('%s', async (_, node) => {
    const found = await runNode(node, (_input, _axis, length) => length, onWebgpu)
    expect(found.outputs[0]!.dims).toEqual(node.outputs[0]!.shape)
    expectNear(found.outputs[0]!.data, node.outputs[0]!.data, 'output', 1e-4)
    node.gradients.forEach((gradient, i) =>
      expectNear(found.gradients[i]!.data, gradient, `gradient of input ${i}`, 1e-4),
    )
  })
})

describe.skipIf(hindrance !== undefined)('WebGPU has kernels of what is written in place of', () => {
  it.each(['Sign', 'LogSoftmax', 'Or', 'Xor'])('%s', async op => {
    engine ??= await deviceEngine({ device: 'webgpu' })
    const program = await engine.load(encode(lowered(op)).model)
    expect(program.strays).toEqual([])
    program.dispose()
  })
})
