import type { TensorArrays } from '../../tensor'
import type { Arena } from './arena'

/** Arrays of the arena, by name, for values whose number changes each time: they overwrite those of the last time. */
export class Scratch {
  readonly #arena: Arena
  readonly #arrays = new Map<string, Float32Array | Uint8Array>()

  constructor(arena: Arena) {
    this.#arena = arena
  }

  /** An array of `size` numbers: a part of the one there is, or of a new one that is a quarter larger than needed. */
  take<T extends 'float32' | 'uint8' = 'float32'>(
    name: string,
    size: number,
    dtype: T = 'float32' as T,
  ): TensorArrays[T] {
    const known = this.#arrays.get(name) as TensorArrays[T] | undefined
    if (known !== undefined && known.length >= size) return known.subarray(0, size) as TensorArrays[T]
    if (known !== undefined) this.#arena.free(known)
    const grown = this.#arena.allocate(Math.ceil(size * 1.25), dtype)
    this.#arrays.set(name, grown)
    return grown.subarray(0, size) as TensorArrays[T]
  }

  dispose(): void {
    for (const array of this.#arrays.values()) this.#arena.free(array)
    this.#arrays.clear()
  }
}
