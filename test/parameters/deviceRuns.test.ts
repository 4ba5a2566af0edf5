// what a step costs on a device: how many programs run, and what memory they take
import { describe, expect, it } from 'vitest'
import type { Engine, EngineValues } from '../../src/engine/Engine'
import { adafactor } from '../../src/optim/adafactor'
import { adamw } from '../../src/optim/adamw'
import type { Optimizer } from '../../src/optim/Optimizer'
import { createDeviceStore } from '../../src/parameters/deviceStore'
import { pretendedDevice } from '../helpers/pretendedDevice'
import { first, openWorkshop, third } from './storeRig'

/** An engine that takes note of the programs that it runs, by name. */
function counting(engine: Engine, runs: string[]): Engine {
  const load = engine.load.bind(engine)
  const loadCounted: Engine['load'] = async (model, options) => {
    const program = await load(model, options)
    const run = program.run.bind(program)
    const runCounted: typeof run = (...given) => {
      runs.push(options?.name ?? 'program')
      return run(...given)
    }
    return Object.assign(program, { run: runCounted })
  }
  return Object.assign(engine, { load: loadCounted })
}

describe('an update of a device store with three micro-batches', () => {
  const runs: string[] = []
  const workshop = openWorkshop(async () => {
    const engine = counting(pretendedDevice(), runs)
    return {
      engine,
      isExact: true,
      create: options => createDeviceStore(options, engine),
      dispose: async () => engine.dispose(),
    }
  })
  const step = ['training', 'sums of rows', 'training', 'sums', 'training', 'sums', 'judging', 'updates']

  it.each<[string, Optimizer]>([
    ['adamw', adamw()],
    ['adafactor', adafactor()],
  ])('runs one program for all parameters each, and %s writes where the parameters lie', async (_, optimizer) => {
    runs.length = 0
    const rig = await workshop.createRig({ optimizer, decay: name => (name.includes('bias') ? 0 : 0.1) })
    const values: EngineValues[] = [rig.store.inputs]
    for (let number = 1; number <= 2; number++) {
      for (const [index, batch] of [first, third, first].entries()) await rig.run(batch, index)
      await rig.store.update({ step: number, rate: 0.01 })
      values.push(rig.store.inputs)
    }
    await rig.dispose()
    expect(runs).toEqual([...step, ...step])
    for (const after of values) for (const name in after) expect(after[name], name).toBe(values[0]![name])
  })
})
