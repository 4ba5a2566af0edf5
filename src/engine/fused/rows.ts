import { wasm, type WasmInstance, type WasmMemory } from './wasm'
import type { Kernel } from './kernel'

/** Which rows of a table [rows, width] are in use, shared with the worker threads. */
export interface RowSet {
  readonly rows: number
  readonly width: number
  /** One per row: {@link fresh} and {@link ever}. */
  readonly flags: Uint8Array
}

/** The row's gradient may differ from zero since it was last cleared. */
export const fresh = 1
/** The row's gradient, or an optimizer slot of it, may differ from zero: it had a gradient at some time. */
export const ever = 2

/** A table gradient of which only the rows with a gradient count. */
export interface TableRows {
  readonly array: Float32Array
  readonly rows: RowSet
  /** An array in the memory of `array`, of one row or more: rows that lie in other memories are added by way of it. */
  readonly staging?: Float32Array
}

/** What {@link createIdleTest} is asked about. */
export interface IdleQuestion {
  readonly kernel: Kernel
  /** Array inputs that are zero in an idle row. */
  readonly zero: readonly string[]
  /** For each output the input whose array it overwrites, if it does. */
  readonly overwrites: readonly (string | undefined)[]
  /** In the order of the kernel. */
  readonly scalars: readonly number[]
}

/**
 * A test whether a kernel leaves idle rows as they are, so that it need not run on them: it runs the kernel itself,
 * with these very scalars, on probes that are zero where an idle row is and have values of all magnitudes elsewhere,
 * and compares. Weight decay, a slot that does not start at zero, or a scale that is not finite make it say no.
 */
export function createIdleTest(): (question: IdleQuestion) => boolean {
  const instances = new WeakMap<Kernel, WasmInstance>()
  let memory: WasmMemory | undefined
  return ({ kernel, zero, overwrites, scalars }) => {
    memory ??= new wasm.Memory({ initial: 1, maximum: 1, shared: true })
    const { inputs, outputs } = kernel.program
    if (
      (inputs.length + outputs.length) * 4 * probes.length > memory.buffer.byteLength ||
      overwrites.includes(undefined)
    )
      return false
    let instance = instances.get(kernel)
    if (instance === undefined)
      instances.set(kernel, (instance = new wasm.Instance(kernel.module, { env: { memory } })))
    const arrays = Array.from(
      { length: inputs.length + outputs.length },
      (_, i) => new Float32Array(memory!.buffer, i * 4 * probes.length, probes.length),
    )
    inputs.forEach((name, i) => (zero.includes(name) ? arrays[i]!.fill(0) : arrays[i]!.set(probes)))
    instance.exports['run']!(...arrays.map(array => array.byteOffset), probes.length, ...scalars)
    return outputs.every((_, o) => {
      const before = arrays[inputs.indexOf(overwrites[o]!)]!
      return arrays[inputs.length + o]!.every((after, i) => after === before[i])
    })
  }
}

/** Zero, and numbers of both signs from the smallest to the largest magnitude, with different digits. */
const probes = Float32Array.from({ length: 64 }, (_, i) =>
  i === 0 ? 0 : (i % 2 === 0 ? 1 : -1) * (1 + ((i * 37) % 64) / 67) * 10 ** (-44 + 1.3 * i),
)
