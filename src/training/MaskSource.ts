import type { FusedEngine } from '../engine/fused/FusedEngine'
import { TrainerError } from '../errors'
import type { DropoutSite } from '../models/layers'
import type { PackedBatch } from '../models/packing'
import { sizeOf, Tensor } from '../tensor'

/** Draws a model's dropout masks: a function of (seed, step, micro-batch, site), whatever the threads and whatever came before. */
export class MaskSource {
  readonly #sites: readonly DropoutSite[]
  readonly #fused: FusedEngine
  readonly #room = new Map<string, Float32Array>()

  constructor(sites: readonly DropoutSite[], fused: FusedEngine) {
    this.#sites = sites
    this.#fused = fused
  }

  /** The masks of a batch, by the names of the inputs that they are; each call overwrites the last one's. */
  async draw(batch: PackedBatch, key: { readonly seed: number; readonly step: number; readonly microBatch: number }): Promise<Record<string, Tensor>> {
    const rows = batch.lengths.length
    const lengths: Readonly<Record<string, number>> = { tokens: batch.tokens, batch: rows, length: batch.width }
    const masks = this.#sites.map((site) => {
      const dims = site.shape.map((d) => (typeof d === 'number' ? d : (lengths[d] ?? unknownLength(d))))
      return { site, dims, into: this.#roomFor(site.name, sizeOf(dims)) }
    })
    await this.#fused.dropoutMasks(masks.map(({ site, dims, into }, i) => {
      const mask = { into, p: site.probability, key: { ...key, site: i } }
      // attention over all queries: a padded query's row is zero, so that it passes no gradient back
      return overAllQueries(site) ? { ...mask, heads: dims[1]!, width: batch.width, lengths: batch.lengths } : mask
    }))
    for (const { site, dims, into } of masks) if (overAllQueries(site)) clearHoles(into, batch, dims[1]!)
    return Object.fromEntries(masks.map(({ site, dims, into }) => [site.name, new Tensor('float32', into, dims)]))
  }

  dispose(): void {
    for (const array of this.#room.values()) this.#fused.arena.free(array)
    this.#room.clear()
  }

  /** Room for a mask: what there is, or a quarter more than is needed now. */
  #roomFor(name: string, size: number): Float32Array {
    const known = this.#room.get(name)
    if (known !== undefined && known.length >= size) return known.subarray(0, size)
    if (known !== undefined) this.#fused.arena.free(known)
    const grown = this.#fused.arena.allocate(Math.ceil(size * 1.25))
    this.#room.set(name, grown)
    return grown.subarray(0, size)
  }
}

function overAllQueries({ shape }: DropoutSite): boolean {
  return shape.length === 4 && shape[2] === shape[3]
}

/** Zeroes the rows of queries that are no tokens although tokens follow them. */
function clearHoles(mask: Float32Array, { holes, width }: PackedBatch, heads: number): void {
  for (const slot of holes) {
    const [row, query] = [Math.floor(slot / width), slot % width]
    for (let head = 0; head < heads; head++) {
      const at = ((row * heads + head) * width + query) * width
      mask.fill(0, at, at + width)
    }
  }
}

function unknownLength(dimension: string): never {
  throw new TrainerError('internal', `internal: a dropout mask has the unknown length "${dimension}".`)
}
