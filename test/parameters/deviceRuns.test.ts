// what a step costs on a device: how many programs run, and what memory they take
import { describe, expect, it } from 'vitest'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import type { Engine, EngineValues } from '../../src/engine/Engine'
import { encode } from '../../src/onnx/encode'
import { adafactor } from '../../src/optim/adafactor'
import { adamw } from '../../src/optim/adamw'
import type { Optimizer } from '../../src/optim/Optimizer'
import { createDeviceStore } from '../../src/parameters/deviceStore'
import { trainingProgram } from '../../src/programs/training'
import { definitionOf } from '../helpers/oracleModels'
import { pretendedDevice } from '../helpers/pretendedDevice'
import { config, first, third } from './storeRig'

/** The programs that an engine has run, by name. */
function counted(engine: Engine): { engine: Engine; runs: string[] } {
  const runs: string[] = []
  const load: Engine['load'] = async (model, options) => {
    const program = await engine.load(model, options)
    const run: typeof program.run = (...given) => {
      runs.push(options?.name ?? 'program')
      return program.run(...given)
    }
    return {
      inputs: program.inputs,
      outputs: program.outputs,
      run,
      endProfiling: () => undefined,
      dispose: () => program.dispose(),
    }
  }
  const methods = ['upload', 'download', 'allocate', 'dispose'] as const
  const rest = Object.fromEntries(methods.map(name => [name, engine[name].bind(engine)]))
  return { engine: { ...rest, load, resident: true } as unknown as Engine, runs }
}

async function runsOf(optimizer: Optimizer): Promise<{ runs: string[]; values: EngineValues[] }> {
  const { engine, runs } = counted(pretendedDevice())
  const model = definitionOf(config)
  const layout = model.layout({ rows: 1, fewShapes: false })
  const definition = trainingProgram(model, layout, layout.usualVariant, {})
  const program = await engine.load(encode(definition.graph).model, { name: 'training' })
  const weights = modelFromConfig(config).parameters
  const store = await createDeviceStore(
    { weights, gradients: definition.gradients, optimizer, weightDecay: name => (name.includes('bias') ? 0 : 0.1) },
    engine,
  )
  const values = [store.inputs]
  for (let step = 1; step <= 2; step++) {
    for (const [index, batch] of [first, third, first].entries()) {
      const feed = layout.feed(batch, String)
      const given = { ...store.inputs, ...feed.inputs, ...model.head.feed(batch, feed.places, String)!.inputs }
      const inputs = Object.fromEntries(program.inputs.map(({ name }) => [name, given[name]!]))
      const { into, keep } = store.targets(feed, index)
      await store.add(await program.run(inputs, into, { keep }), index)
    }
    await store.squaredNorm()
    await store.update({ step, rate: 0.01, scale: 1 })
    values.push(store.inputs)
  }
  await store.dispose()
  engine.dispose()
  return { runs, values }
}

describe('an update of a device store with three micro-batches', () => {
  const step = ['training', 'sums of rows', 'training', 'sums', 'training', 'sums', 'norm', 'updates']
  it.each([
    ['adamw', adamw()],
    ['adafactor', adafactor()],
  ])('runs one program for all parameters each, and %s writes where the parameters lie', async (_, optimizer) => {
    const { runs, values } = await runsOf(optimizer)
    expect(runs).toEqual([...step, ...step])
    for (const after of values) for (const name in after) expect(after[name], name).toBe(values[0]![name])
  })
})
