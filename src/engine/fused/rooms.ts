import type { Arena } from './arena'

/** Shared memory, by name, for what has another size each time: the values of the last time are overwritten. */
export class Rooms {
  readonly #arena: Arena
  readonly #arrays = new Map<string, Float32Array>()

  constructor(arena: Arena) {
    this.#arena = arena
  }

  /** Room for so many numbers: what there is, or a quarter more than is needed now. */
  take(name: string, size: number): Float32Array {
    const known = this.#arrays.get(name)
    if (known !== undefined && known.length >= size) return known.subarray(0, size)
    if (known !== undefined) this.#arena.free(known)
    const grown = this.#arena.allocate(Math.ceil(size * 1.25))
    this.#arrays.set(name, grown)
    return grown.subarray(0, size)
  }

  dispose(): void {
    for (const array of this.#arrays.values()) this.#arena.free(array)
    this.#arrays.clear()
  }
}
