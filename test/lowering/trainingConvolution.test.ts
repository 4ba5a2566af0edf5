// training-only operators of images, against what ONNX Runtime Training computes by its own kernels:
// scripts/fixtures/trainingConvolution.py
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { lower } from '../../src/lowering/lower'
import { createModelGraph } from '../../src/models/modelGraph'
import { GraphBuilder } from '../../src/onnx/builder'
import { readModel } from '../../src/onnx/readModel'
import type { DataType } from '../../src/tensor'
import { expectNear, runGraph } from './oneNode'

interface Stored {
  readonly dims: readonly number[]
  readonly data: readonly number[]
}

const folder = join(import.meta.dirname, '../fixtures/onnx/trainingConvolution')
const { inputs, outputs } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Readonly<
  Record<'inputs' | 'outputs', Readonly<Record<string, Stored>>>
>

it('a training graph with ConvGrad, MaxPoolGrad, AveragePoolGrad and BatchNormalizationGrad', async () => {
  const model = readModel(readFileSync(join(folder, 'training.onnx')))
  const builder = new GraphBuilder('training', true)
  const written = createModelGraph(builder, {
    parameter: (name, shape) => builder.input(name, 'float32', shape),
    training: true,
  })
  const typeOf = (name: string): DataType => (name === 'labels' ? 'int64' : 'float32')
  const values = Object.entries(inputs).map(
    ([name, { dims }]) =>
      [
        name,
        typeOf(name) === 'int64'
          ? builder.input(name, 'int64', dims)
          : written.parameter(name, { shape: dims, initialization: { kind: 'zeros' } }),
      ] as const,
  )
  const found = lower(written, { model, file: 'training.onnx', given: new Map(values), wanted: Object.keys(outputs) })
  expect([...written.moved.keys()]).toEqual(['m', 'v'])
  const results = Object.fromEntries([...found].map(([name, value], i) => [`y${i}`, [name, value] as const]))
  const graph = builder.build(Object.fromEntries(Object.entries(results).map(([y, [, value]]) => [y, value])))
  const ran = await runGraph(
    graph,
    Object.fromEntries(
      Object.entries(inputs).map(([name, stored]) => [name, { dtype: typeOf(name) as 'float32', ...stored }]),
    ),
  )
  for (const [y, [name]] of Object.entries(results)) {
    expect(ran[y]!.dims, name).toEqual(outputs[name]!.dims)
    expectNear(ran[y]!.data as Float32Array, outputs[name]!.data, name)
  }
})
