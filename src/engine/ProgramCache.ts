import { encode } from '../onnx/encode'
import type { Graph } from '../onnx/types'
import type { Engine, Program } from './Engine'

/** Programs that are loaded when they are first needed, by name: each once, and one that failed is tried again. */
export class ProgramCache {
  readonly #engine: Engine
  readonly #programs = new Map<string, Promise<Program>>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** The program of that name; its graph is written only where it is not there yet. */
  get(name: string, graph: () => Graph): Promise<Program> {
    const known = this.#programs.get(name)
    if (known !== undefined) return known
    const program = this.#engine.load(encode(graph()).model, { name })
    this.#programs.set(name, program)
    program.catch(() => this.#programs.delete(name))
    return program
  }

  /** Frees all programs. */
  async dispose(): Promise<void> {
    const programs = [...this.#programs.values()]
    this.#programs.clear()
    for (const program of programs) (await program.catch(() => undefined))?.dispose()
  }
}
