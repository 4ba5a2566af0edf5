/** A generator's state: what a checkpoint keeps. */
export interface GeneratorState {
  readonly words: readonly number[]
  readonly index: number
}

/**
 * The Mersenne Twister MT19937 (Matsumoto & Nishimura 1998), seeded as PyTorch's CPU generator is, so that rows are
 * drawn in the order in which PyTorch draws them.
 */
export class MersenneTwister {
  readonly #words = new Uint32Array(624)
  #index = 624

  /** @param seed an integer; its low 32 bits count, as in PyTorch. */
  constructor(seed: number) {
    this.#words[0] = Number(BigInt.asUintN(32, BigInt(seed)))
    for (let i = 1; i < 624; i++) {
      const previous = this.#words[i - 1]! ^ (this.#words[i - 1]! >>> 30)
      this.#words[i] = Math.imul(1812433253, previous) + i
    }
  }

  /** The next 32 random bits, as an unsigned number. */
  next32(): number {
    if (this.#index === 624) this.#twist()
    let word = this.#words[this.#index++]!
    word ^= word >>> 11
    word ^= (word << 7) & 0x9d2c5680
    word ^= (word << 15) & 0xefc60000
    return (word ^ (word >>> 18)) >>> 0
  }

  /** A number in [0, 1) of 53 random bits. */
  uniform(): number {
    return ((this.next32() >>> 5) * 67108864 + (this.next32() >>> 6)) / 9007199254740992
  }

  get state(): GeneratorState {
    return { words: [...this.#words], index: this.#index }
  }

  set state(state: GeneratorState) {
    this.#words.set(state.words)
    this.#index = state.index
  }

  #twist(): void {
    const words = this.#words
    for (let i = 0; i < 624; i++) {
      const bits = (words[i]! & 0x80000000) | (words[(i + 1) % 624]! & 0x7fffffff)
      words[i] = words[(i + 397) % 624]! ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0)
    }
    this.#index = 0
  }
}

/** A permutation of 0 … n-1 by PyTorch's `randperm` rule on CPU: Fisher–Yates with `next32() mod (n - i)`. */
export function randperm(n: number, generator: MersenneTwister): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i)
  for (let i = 0; i < n - 1; i++) {
    const j = i + (generator.next32() % (n - i))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}

/**
 * 32 well-mixed bits that depend on every key: a counter-based generator's one draw (the finaliser of MurmurHash3,
 * Appleby).
 */
export function hash32(...keys: readonly number[]): number {
  let state = 0x9e3779b9
  for (const key of keys) {
    state = Math.imul(state ^ key, 0x85ebca6b) + 0x9e3779b9
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
    state ^= state >>> 16
  }
  return state >>> 0
}
