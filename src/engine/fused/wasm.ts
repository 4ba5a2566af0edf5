/** WebAssembly as this folder uses it: Node's types leave it out, and the DOM's are not wanted here. */

export interface WasmMemory {
  readonly buffer: SharedArrayBuffer
  grow(pages: number): number
}

/** A compiled module; it can be posted to worker threads. */
export type WasmModule = object

export interface WasmInstance {
  readonly exports: Readonly<Record<string, (...numbers: readonly number[]) => number | undefined>>
}

interface WebAssemblyApi {
  readonly Memory: new (options: { initial: number; maximum: number; shared: true }) => WasmMemory
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule
  readonly Instance: new (module: WasmModule, imports: { env: { memory: WasmMemory } }) => WasmInstance
}

export const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
