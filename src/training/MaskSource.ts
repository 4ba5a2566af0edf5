import type { FusedEngine } from '../engine/fused/FusedEngine'
import { TrainerError } from '../errors'
import type { DropoutSite } from '../models/layers'
import type { PackedBatch, PackedGroup } from '../models/packing'
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
    const masks = this.#sites.map((site) => {
      const dims = site.shape.map((d) => (typeof d === 'number' ? d : lengthOf(batch, d)))
      return { site, dims, into: this.#roomFor(site.name, sizeOf(dims)) }
    })
    await this.#fused.dropoutMasks(masks.map(({ site, dims, into }, i) => {
      const mask = { into, p: site.probability, key: { ...key, site: i } }
      const group = groupOf(batch, site)
      // attention: a padded query's row is zero, so that it passes no gradient back
      return group === undefined ? mask : { ...mask, heads: dims[1]!, queries: dims[2]!, width: group.width, lengths: group.lengths }
    }))
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

/** The group whose attention a site belongs to; undefined for sites that are no attention. */
function groupOf(batch: PackedBatch, { shape }: DropoutSite): PackedGroup | undefined {
  return shape.length === 4 ? batch.groups[groupNumber(shape[0] as string)] : undefined
}

/** What a dimension's name means in a batch: `tokens`, `batch`, or those of a group and its `length`. */
function lengthOf(batch: PackedBatch, dimension: string): number {
  if (dimension === 'tokens') return batch.tokens
  if (dimension === 'batch') return batch.order.length
  const group = batch.groups[groupNumber(dimension)]
  if (group !== undefined && dimension.startsWith('batch')) return group.lengths.length
  if (group !== undefined && dimension.startsWith('length')) return group.width
  throw new TrainerError('internal', `internal: a dropout mask has the unknown length "${dimension}".`)
}

function groupNumber(dimension: string): number {
  return Number(dimension.split('.')[1] ?? 0)
}
