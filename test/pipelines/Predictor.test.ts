// where a pipeline's batches are computed: short ones on the calling thread
import { expect, it, vi } from 'vitest'
import { createEngine, type Engine, type EngineValues, type Program } from '../../src/engine/Engine'
import { Predictor } from '../../src/pipelines/Predictor'
import { tinyModel } from '../helpers/tinyModel'

it('holds the thread for batches that are short by the run before, and for no others', async () => {
  const { engine, runs } = await delayedEngine()
  const predictor = await Predictor.create(tinyModel(), engine, { batchSize: 32, judges: 'all' })
  const ask = async (rows: number, milliseconds: number): Promise<boolean | undefined> => {
    runs.delay = milliseconds
    await predictor.predict(Array.from({ length: rows }, () => ({ name: 'the row', ids: [1, 2, 3, 4] })))
    return runs.blocking
  }
  expect(await ask(1, 0)).toBe(false) // nothing is known yet
  await ask(1, 1)
  expect(await ask(1, 2)).toBe(true)
  expect(await ask(32, 64)).toBe(false)
  expect(await ask(1, 40)).toBe(true) // 32 rows in 64 ms
  expect(await ask(1, 2)).toBe(false)
  expect(await ask(1, 2)).toBe(true)
  await predictor.dispose()
})

/** An engine on which every run takes as long as it is told, by a clock that moves for nothing else. */
async function delayedEngine(): Promise<{ engine: Engine; runs: { delay: number; blocking?: boolean | undefined } }> {
  const engine = await createEngine({ threads: 1 })
  const runs: { delay: number; blocking?: boolean | undefined } = { delay: 0 }
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  const load = engine.load.bind(engine)
  vi.spyOn(engine, 'load').mockImplementation(async (...given): Promise<Program> => {
    const program = await load(...given)
    const run: Program['run'] = (inputs: EngineValues, into, options) => {
      now += runs.delay
      runs.blocking = options?.blocking
      return program.run(inputs, into, options)
    }
    return {
      inputs: program.inputs,
      outputs: program.outputs,
      run,
      endProfiling: () => undefined,
      dispose: () => program.dispose(),
    }
  })
  return { engine, runs }
}
