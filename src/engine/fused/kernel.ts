import { TrainerError } from '../../errors'
import type { Graph } from '../../onnx/types'
import { type CompileOptions, compileElementwise, type ElementwiseProgram } from './compile'
import { wasm, type WasmModule } from './wasm'

/** An elementwise graph, compiled. */
export interface Kernel {
  /** The graph's name. */
  readonly name: string
  readonly program: ElementwiseProgram
  readonly module: WasmModule
}

/**
 * Compiles an elementwise graph.
 * @throws TrainerError ('graph') when it is not elementwise, ('engine') when the module is refused.
 */
export function createKernel(graph: Graph, options: CompileOptions = {}): Kernel {
  const program = compileElementwise(graph, options)
  return { name: graph.name, program, module: createModule(graph.name, program.wasm) }
}

/** A module of WebAssembly. @throws TrainerError ('engine') when this Node refuses it. */
export function createModule(name: string, bytes: Uint8Array<ArrayBuffer>): WasmModule {
  try {
    return new wasm.Module(bytes)
  } catch (cause) {
    throw new TrainerError('engine', `WebAssembly refused the kernel "${name}" (${String(cause)}).`, {
      fix: 'Use Node 20.19 or later on a processor with SIMD (SSE 4.1 or NEON).',
      cause,
    })
  }
}
