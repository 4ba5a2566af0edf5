/** A stretch of memory that is in use, or free. */
export interface Chunk {
  readonly region: number
  readonly at: number
  bytes: number
  free: boolean
  before: Chunk | undefined
  after: Chunk | undefined
}

const unit = 256 // bytes that sizes are rounded up to
const firstRegion = 2 ** 20
const largestGrowth = 2 ** 30 // bytes up to which regions double
const mostWaste = 2 ** 27 // bytes of a free chunk that are given away with it at most, unless it is twice the size
const page = 4096

/**
 * ONNX Runtime's arena for the processor (BFCArena), as its defaults have it: regions of memory that double in size, the
 * smallest free chunk that does, cut only where it is twice as large as what is asked for. A region takes no memory
 * where nothing was written yet, so `touched` is what a process takes.
 */
export class Arena {
  /** Bytes of pages that were given out once. */
  touched = 0
  /** Bytes of all regions. */
  reserved = 0
  #nextRegion = firstRegion
  readonly #pages: Uint8Array[] = []
  readonly #free = new Set<Chunk>()

  take(bytes: number): Chunk {
    const rounded = Math.max(unit, Math.ceil(bytes / unit) * unit)
    const chunk = this.#best(rounded) ?? this.#grow(rounded)
    this.#free.delete(chunk)
    if (chunk.bytes >= 2 * rounded || chunk.bytes - rounded >= mostWaste) this.#cut(chunk, rounded)
    chunk.free = false
    this.#touch(chunk, bytes)
    return chunk
  }

  give(chunk: Chunk): void {
    chunk.free = true
    let joined = chunk
    if (chunk.before?.free === true) joined = this.#join(chunk.before, chunk)
    if (joined.after?.free === true) joined = this.#join(joined, joined.after)
    this.#free.add(joined)
  }

  /** The smallest that does, and of those the first in memory. */
  #best(bytes: number): Chunk | undefined {
    let best: Chunk | undefined
    for (const chunk of this.#free) {
      if (chunk.bytes < bytes) continue
      if (best === undefined || chunk.bytes < best.bytes || (chunk.bytes === best.bytes && isBefore(chunk, best)))
        best = chunk
    }
    return best
  }

  #grow(bytes: number): Chunk {
    const fits = this.#nextRegion >= bytes
    while (this.#nextRegion < bytes) this.#nextRegion *= 2
    const size = this.#nextRegion
    if (fits) this.#nextRegion = Math.min(2 * size, largestGrowth)
    this.reserved += size
    this.#pages.push(new Uint8Array(Math.ceil(size / page)))
    return { region: this.#pages.length - 1, at: 0, bytes: size, free: true, before: undefined, after: undefined }
  }

  #cut(chunk: Chunk, bytes: number): void {
    const rest: Chunk = {
      ...{ region: chunk.region, at: chunk.at + bytes, bytes: chunk.bytes - bytes, free: true },
      ...{ before: chunk, after: chunk.after },
    }
    if (chunk.after !== undefined) chunk.after.before = rest
    chunk.after = rest
    chunk.bytes = bytes
    this.#free.add(rest)
  }

  #join(first: Chunk, second: Chunk): Chunk {
    this.#free.delete(first)
    this.#free.delete(second)
    first.bytes += second.bytes
    first.after = second.after
    if (second.after !== undefined) second.after.before = first
    return first
  }

  #touch({ region, at }: Chunk, bytes: number): void {
    const pages = this.#pages[region]!
    const end = Math.min(pages.length, Math.ceil((at + bytes) / page))
    for (let i = Math.floor(at / page); i < end; i++) {
      if (pages[i] === 1) continue
      pages[i] = 1
      this.touched += page
    }
  }
}

function isBefore(a: Chunk, b: Chunk): boolean {
  return a.region < b.region || (a.region === b.region && a.at < b.at)
}
