// where a pipeline's batches are computed: short ones on the calling thread
import { afterEach, expect, it, vi } from 'vitest'
import { createEngine, type Engine, type Program } from '../../src/engine/Engine'
import { Predictor } from '../../src/pipelines/Predictor'
import { tinyModel } from '../helpers/tinyModel'

afterEach(() => vi.restoreAllMocks())

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

it('lets the event loop run while short batches follow each other', async () => {
  const engine = await createEngine({ threads: 1 })
  let answer: ReturnType<Program['run']> | undefined
  runInstead(engine, (program, ...given) => (answer ??= program.run(...given)))
  const predictor = await Predictor.create(tinyModel(), engine, { batchSize: 1, judges: 'all' })
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  const until = performance.now() + 300
  const caller = async (): Promise<void> => {
    while (performance.now() < until) await predictor.predict([{ name: 'the row', ids: [1, 2, 3, 4] }])
  }
  await Promise.all(Array.from({ length: 16 }, caller))
  clearInterval(timer)
  await predictor.dispose()
  expect(ticks).toBeGreaterThan(8)
})

/** An engine on which every run takes as long as it is told, by a clock that moves for nothing else. */
async function delayedEngine(): Promise<{ engine: Engine; runs: { delay: number; blocking?: boolean | undefined } }> {
  const engine = await createEngine({ threads: 1 })
  const runs: { delay: number; blocking?: boolean | undefined } = { delay: 0 }
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  runInstead(engine, (program, inputs, into, options) => {
    now += runs.delay
    runs.blocking = options?.blocking
    return program.run(inputs, into, options)
  })
  return { engine, runs }
}

/** Has the programs of an engine run otherwise. */
function runInstead(
  engine: Engine,
  run: (program: Program, ...given: Parameters<Program['run']>) => ReturnType<Program['run']>,
): void {
  const load = engine.load.bind(engine)
  vi.spyOn(engine, 'load').mockImplementation(async (...model): Promise<Program> => {
    const program = await load(...model)
    const { inputs, outputs } = program
    const instead: Program['run'] = (...given) => run(program, ...given)
    return { inputs, outputs, run: instead, endProfiling: () => undefined, dispose: () => program.dispose() }
  })
}
