// files that belong together, where writing them fails between two, or two writers write to one place
import { readdirSync, statSync } from 'node:fs'
import type * as promises from 'node:fs/promises'
import { join } from 'node:path'
import { Tensor } from 'ts-trainer'
import { expect, it, vi } from 'vitest'
import type { Checkpoint } from '../../src/artifacts/Checkpoint'
import { readCheckpointFile, writeCheckpointFile } from '../../src/artifacts/checkpointFile'
import { writeGraph } from '../../src/artifacts/writeGraph'
import { readOnnxGraph } from '../../src/auto/onnxFile'
import { writeFileWhole } from '../../src/files/writeFile'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Graph } from '../../src/onnx/types'
import { temporaryFolder } from '../helpers/temporaryFolder'

/** Which renaming fails: none, or the next whose destination ends so. */
const injected = vi.hoisted(() => ({ ending: '', failed: 0 }))

vi.mock(import('node:fs/promises'), async original => {
  const own = await original()
  const rename: typeof promises.rename = async (from, to) => {
    if (injected.ending !== '' && String(to).endsWith(injected.ending)) {
      injected.failed++
      throw Object.assign(new Error('EIO: i/o error, rename'), { code: 'EIO', syscall: 'rename' })
    }
    return own.rename(from, to)
  }
  return { ...own, default: { ...own, rename }, rename }
})

function checkpointOf(value: number): Checkpoint {
  const tensors = ['a', 'b'].map(name => [name, new Tensor('float32', new Float32Array(50).fill(value), [50])] as const)
  return {
    trained: new Map(tensors),
    frozen: new Map(),
    isNominal: false,
    properties: new Map([['value', BigInt(value)]]),
  }
}

/** All values of a checkpoint, its property among them. */
async function valuesOf(path: string): Promise<readonly number[]> {
  const { trained, properties } = await readCheckpointFile(path)
  return [
    ...new Set([
      Number(properties.get('value')),
      ...[...trained.values()].flatMap(({ data }) => [...data].map(Number)),
    ]),
  ]
}

it.each(['/checkpoint', '/checkpoint.data'])('a checkpoint and its data are of one save: %s fails', async ending => {
  const path = join(temporaryFolder(), 'checkpoint')
  const write = (value: number): Promise<void> => writeCheckpointFile(path, checkpointOf(value), { mostInside: 100 })
  await write(1)
  expect(readdirSync(join(path, '..')).toSorted()).toEqual(['checkpoint', 'checkpoint.data'])
  Object.assign(injected, { ending, failed: 0 })
  try {
    await expect(write(2)).rejects.toThrow(/Cannot write .*EIO/)
    expect(injected.failed).toBe(1)
  } finally {
    injected.ending = ''
  }
  const values = await valuesOf(path)
  expect(values).toHaveLength(1)
  expect([1, 2]).toContain(values[0])
  expect(readdirSync(join(path, '..')).toSorted()).toEqual(['checkpoint', 'checkpoint.data'])
  await write(3)
  expect(await valuesOf(path)).toEqual([3])
})

it('checkpoints that are written to one place at the same time do not mix', async () => {
  const path = join(temporaryFolder(), 'checkpoint')
  for (const mostInside of [100, 1e9]) {
    await Promise.all([1, 2, 3, 4].map(value => writeCheckpointFile(path, checkpointOf(value), { mostInside })))
    expect(await valuesOf(path)).toHaveLength(1)
  }
})

function graphOf(value: number): Graph {
  const graph = new GraphBuilder(`of ${value}`)
  const weight = graph.initializer('weight', new Tensor('float32', new Float32Array(600).fill(value), [2, 300]))
  const bias = graph.initializer('bias', new Tensor('float32', Float32Array.of(value), [1]))
  return graph.build({ y: graph.add(graph.matMul(graph.input('x', 'float32', ['rows', 2]), weight), bias) })
}

it('graphs with data beside them do not mix either', async () => {
  const path = join(temporaryFolder(), 'model.onnx')
  await Promise.all([1, 2, 3].map(value => writeGraph(path, graphOf(value), { externalThreshold: 1000 })))
  const { graph } = await readOnnxGraph(path)
  const values = [...graph.initializers.values()].flatMap(({ data }) => [...data].map(Number))
  expect(new Set(values).size).toBe(1)
  expect(readdirSync(join(path, '..')).toSorted()).toEqual(['model.onnx', 'model.onnx.data'])
})

it('a file that two write at the same time is one of the two', async () => {
  const path = join(temporaryFolder(), 'file')
  const sizes = [9_000_000, 5_000_000]
  await Promise.all(sizes.map((size, i) => writeFileWhole(path, new Uint8Array(size).fill(i))))
  expect(sizes).toContain(statSync(path).size)
  expect(readdirSync(join(path, '..'))).toEqual(['file'])
})
