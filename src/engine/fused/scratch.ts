import type { Arena } from './arena'

/** Arrays of the arena, by name, for values whose number changes each time: they overwrite those of the last time. */
export class Scratch {
  readonly #arena: Arena
  readonly #arrays = new Map<string, Float32Array>()

  constructor(arena: Arena) {
    this.#arena = arena
  }

  /** An array of `size` numbers: a part of the one there is, or of a new one that is a quarter larger than needed. */
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
