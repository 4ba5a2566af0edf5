// training-only operators of images, against what ONNX Runtime Training computes by its own kernels:
// scripts/fixtures/trainingConvolution.py
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Plain, tensorOf } from '../../scripts/reference/plainTensor'
import { lower } from '../../src/lowering/lower'
import { createModelGraph } from '../../src/models/modelGraph'
import { GraphBuilder } from '../../src/onnx/builder'
import { readModel } from '../../src/onnx/readModel'
import { expectNear } from '../helpers/expectNear'
import { onRuntime } from '../helpers/onRuntime'

const folder = join(import.meta.dirname, '../fixtures/onnx/trainingConvolution')
const { inputs, outputs } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Readonly<
  Record<'inputs' | 'outputs', Readonly<Record<string, Plain>>>
>

it('a training graph with ConvGrad, MaxPoolGrad, AveragePoolGrad and BatchNormalizationGrad', async () => {
  const model = readModel(readFileSync(join(folder, 'training.onnx')))
  const builder = new GraphBuilder('training', true)
  const written = createModelGraph(builder, {
    parameter: (name, shape) => builder.input(name, 'float32', shape),
    training: true,
  })
  const values = Object.entries(inputs).map(([name, { shape, dtype }]) => {
    const isData = dtype === 'int64'
    const parameter = { shape, initialization: { kind: 'zeros' } } as const
    return [name, isData ? builder.input(name, dtype, shape) : written.parameter(name, parameter)] as const
  })
  const found = lower(written, { model, file: 'training.onnx', given: new Map(values), wanted: Object.keys(outputs) })
  expect([...written.moved.keys()]).toEqual(['m', 'v'])
  const results = Object.fromEntries([...found].map(([name, value], i) => [`y${i}`, [name, value] as const]))
  const graph = builder.build(Object.fromEntries(Object.entries(results).map(([y, [, value]]) => [y, value])))
  const feeds = Object.entries(inputs).map(([name, plain]) => [name, tensorOf(plain)] as const)
  const ran = await onRuntime(graph, Object.fromEntries(feeds))
  for (const [y, [name]] of Object.entries(results)) {
    expect(ran[y]!.dims, name).toEqual(outputs[name]!.shape)
    expectNear(ran[y]!.data, outputs[name]!.data, name)
  }
})
