import {
  createEngine,
  type Engine,
  type EngineOptions,
  type Program,
  type ProgramOptions,
} from '../../src/engine/Engine'

/** An engine that refuses programs which leave nodes to the processor: where users are warned, a test fails. */
export async function deviceEngine(options: EngineOptions): Promise<Engine> {
  const engine = await createEngine(options)
  const load = engine.load.bind(engine)
  return Object.assign(engine, {
    async load(model: Uint8Array, given: ProgramOptions = {}): Promise<Program> {
      const program = await load(model, given)
      if (program.strays?.length === 0) return program
      program.dispose()
      const strays = program.strays?.map(({ op, name }) => `${op} '${name}'`).join(', ') ?? 'who knows what'
      throw new Error(`Program '${given.name ?? 'program'}' leaves nodes to the processor: ${strays}.`)
    },
  })
}
