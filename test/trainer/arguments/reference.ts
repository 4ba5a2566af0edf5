// what PyTorch and transformers define, computed here without our own code

/** Cross-entropy of each row's logits; smoothed, a share of the target is spread evenly over all classes. */
export function crossEntropies(
  logits: readonly (readonly number[])[],
  labels: readonly number[],
  smoothing = 0,
): number[] {
  return logits.map((row, i) => {
    const total = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0))
    const losses = row.map(logit => total - logit)
    return (1 - smoothing) * losses[labels[i]!]! + smoothing * mean(losses)
  })
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The 32-bit outputs of PyTorch's generator on the CPU, the Mersenne Twister MT19937. */
export function* mersenneTwister(seed: number): Generator<number, never> {
  const state = new Uint32Array(624)
  state[0] = seed
  for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, state[i - 1]! ^ (state[i - 1]! >>> 30)) + i
  for (;;) {
    for (let i = 0; i < 624; i++) {
      const joined = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff)
      state[i] = state[(i + 397) % 624]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0)
    }
    for (const word of state) yield tempered(word)
  }
}

function tempered(word: number): number {
  let mixed = word
  mixed ^= mixed >>> 11
  mixed ^= (mixed << 7) & 0x9d2c5680
  mixed ^= (mixed << 15) & 0xefc60000
  return (mixed ^ (mixed >>> 18)) >>> 0
}

/** PyTorch's `randperm`. */
export function randomPermutation(count: number, generator: Generator<number, never>): number[] {
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = 0; i < count - 1; i++) {
    const other = i + (generator.next().value % (count - i))
    const held = order[i]!
    order[i] = order[other]!
    order[other] = held
  }
  return order
}

/**
 * The first epoch's order of transformers' LengthGroupedSampler: groups of a random order, each from the longest row to
 * the shortest, the longest of all first.
 */
export function lengthGroupedOrder(lengths: readonly number[], batchSize: number, seed: number): number[] {
  const generator = mersenneTwister(seed)
  for (let output = 0; output < 2; output++) generator.next() // PyTorch's loader draws 64 bits before each epoch
  const order = randomPermutation(lengths.length, generator)
  const size = batchSize * Math.max(1, Math.min(50, Math.floor(lengths.length / (4 * batchSize))))
  const groups = Array.from({ length: Math.ceil(order.length / size) }, (_, group) =>
    order.slice(group * size, (group + 1) * size).toSorted((a, b) => lengths[b]! - lengths[a]!),
  )
  const heads = groups.map(([head]) => lengths[head!]!)
  const longest = groups[heads.indexOf(Math.max(...heads))]!
  const first = groups[0]!
  const held = first[0]!
  first[0] = longest[0]!
  longest[0] = held
  return groups.flat()
}
