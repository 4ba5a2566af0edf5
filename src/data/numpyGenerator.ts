// seed → NumPy's numbers: the generator that `datasets` shuffles and splits with
import { TrainerError } from '../errors'
import { sequentialOrder } from './sampler'

/**
 * NumPy's `default_rng(seed)`: SeedSequence spreads the seed, PCG64 (O'Neill 2014, XSL-RR output) draws from it. The
 * methods have NumPy's names and give what NumPy gives.
 */
export class NumpyGenerator {
  #state = 0n
  readonly #increment: bigint
  /** The upper half of the last 64 bits: NumPy draws 32 at a time, the lower half first. */
  #kept: number | undefined

  /** @throws TrainerError (`argument`) for a seed that is not a whole number from 0 on; a BigInt is below 2⁶⁴. */
  constructor(seed: number | bigint) {
    if (typeof seed === 'bigint' ? seed < 0n : !Number.isSafeInteger(seed) || seed < 0)
      throw new TrainerError('argument', `seed must be a whole number, 0 or above, not ${String(seed)}.`)
    const [stateHigh, stateLow, incrementHigh, incrementLow] = seedSequence(BigInt(seed))
    this.#increment = BigInt.asUintN(128, (((incrementHigh! << 64n) | incrementLow!) << 1n) | 1n)
    this.#step()
    this.#state = BigInt.asUintN(128, this.#state + ((stateHigh! << 64n) | stateLow!))
    this.#step()
  }

  /** The numbers from 0 to before `length` in random order. */
  permutation(length: number): Int32Array {
    const order = sequentialOrder(length)
    shuffle(order, 1, last => this.#masked(last))
    return order
  }

  /** A whole number below 2⁶³: `integers(0, 1 << 63)`, as the first that is drawn. */
  integer63(): bigint {
    const low = BigInt(this.#next32())
    return ((BigInt(this.#next32()) << 32n) | low) >> 1n
  }

  /** `size` of the numbers from 0 to before `length`, none twice, in random order: `choice(length, size, replace=False)`. */
  choice(length: number, size: number): Int32Array {
    if (length > 10000 && size > Math.floor(length / 50)) {
      const order = sequentialOrder(length)
      shuffle(order, Math.max(length - size, 1), last => this.#multiplied(last))
      return order.slice(length - size)
    }
    const chosen = new Set<number>() // Floyd's algorithm; a Set keeps the order
    for (let last = length - size; last < length; last++) {
      const drawn = this.#multiplied(last)
      chosen.add(chosen.has(drawn) ? last : drawn)
    }
    const order = Int32Array.from(chosen)
    shuffle(order, 1, last => this.#multiplied(last))
    return order
  }

  /** A whole number from 0 to `last`, which is below 2³²: the lowest bits of the first draw that is not above it. */
  #masked(last: number): number {
    const unused = Math.clz32(last)
    for (;;) {
      const drawn = unused === 32 ? 0 : (this.#next32() << unused) >>> unused
      if (drawn <= last) return drawn
    }
  }

  /** The same by Lemire's method: a draw times the count of numbers, of which the upper half is the result. */
  #multiplied(last: number): number {
    if (last === 0) return 0
    const count = last + 1
    let product = multiply(this.#next32(), count)
    if (product.low < count) {
      const threshold = (2 ** 32 - count) % count
      while (product.low < threshold) product = multiply(this.#next32(), count)
    }
    return product.high
  }

  #next32(): number {
    const kept = this.#kept
    this.#kept = undefined
    if (kept !== undefined) return kept
    this.#step()
    const rotation = this.#state >> 122n
    const folded = BigInt.asUintN(64, (this.#state >> 64n) ^ this.#state)
    const bits = BigInt.asUintN(64, (folded >> rotation) | (folded << (64n - rotation)))
    this.#kept = Number(bits >> 32n)
    return Number(bits & 0xffffffffn)
  }

  #step(): void {
    this.#state = BigInt.asUintN(128, this.#state * multiplier + this.#increment)
  }
}

/** Fisher–Yates from the last element down to element `first`; `upTo` draws a place from 0 to its argument. */
function shuffle(values: Int32Array, first: number, upTo: (last: number) => number): void {
  for (let i = values.length - 1; i >= first; i--) {
    const j = upTo(i)
    ;[values[i], values[j]] = [values[j]!, values[i]!]
  }
}

const multiplier = 0x2360ed051fc65da44385df649fccf645n

/** The two halves of the product of two numbers below 2³². */
function multiply(a: number, b: number): { readonly high: number; readonly low: number } {
  const lower = (a & 0xffff) * b
  const upper = (a >>> 16) * b + Math.floor(lower / 2 ** 16)
  return { high: Math.floor(upper / 2 ** 16), low: (upper % 2 ** 16) * 2 ** 16 + (lower % 2 ** 16) }
}

/** NumPy's `SeedSequence(seed).generate_state(4, uint64)`, for a seed of at most two words. */
function seedSequence(seed: bigint): bigint[] {
  const mixing = hashing(0x43b0d7e5, 0x931e8875)
  const pool = [Number(seed & 0xffffffffn), Number(seed >> 32n), 0, 0].map(mixing)
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to]!, mixing(pool[from]!))
  }
  const drawing = hashing(0x8b51f9dd, 0x58f38ded)
  const words = Array.from({ length: 8 }, (_, i) => BigInt(drawing(pool[i % 4]!)))
  return [0, 2, 4, 6].map(i => words[i]! | (words[i + 1]! << 32n))
}

/** SeedSequence's hash, whose constant changes with every word. */
function hashing(constant: number, factor: number): (word: number) => number {
  let current = constant
  return word => {
    const mixed = word ^ current
    current = Math.imul(current, factor)
    const product = Math.imul(mixed, current)
    return (product ^ (product >>> 16)) >>> 0
  }
}

function mix(a: number, b: number): number {
  const mixed = Math.imul(0xca01f9dd, a) - Math.imul(0x4973f715, b)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
