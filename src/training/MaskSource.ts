import type { FusedEngine } from '../engine/fused/FusedEngine'
import { Scratch } from '../engine/fused/scratch'
import { TrainerError } from '../errors'
import type { DropoutSite } from '../models/layers'
import type { PackedBatch, PackedGroup } from '../models/packing'
import type { Dimension } from '../onnx/types'
import { sizeOf, Tensor } from '../tensor'

/**
 * Draws a model's dropout masks: a function of (seed, step, micro-batch, site, place), whatever the threads, the groups
 * that attention is computed in, and whatever came before.
 */
export class MaskSource {
  readonly #sites: readonly DropoutSite[]
  /** The number of each site: those of one attention's groups share one. */
  readonly #numbers: readonly number[]
  readonly #fused: FusedEngine
  readonly #rooms: Scratch

  constructor(sites: readonly DropoutSite[], fused: FusedEngine) {
    this.#sites = sites
    const places = sites.map(({ name, shape: [first] }) =>
      groupNumber(first!) === undefined ? name : name.replace(/\.\d+(\.[^.]+)$/, '$1'),
    )
    const distinct = [...new Set(places)]
    this.#numbers = places.map(place => distinct.indexOf(place))
    this.#fused = fused
    this.#rooms = new Scratch(fused.arena)
  }

  /** The masks of a batch, by the names of the inputs that they are; each call overwrites the last one's. */
  async draw(
    batch: PackedBatch,
    key: { readonly seed: number; readonly step: number; readonly microBatch: number },
  ): Promise<Record<string, Tensor>> {
    const masks = this.#sites.map(site => {
      const dims = site.shape.map(d => (typeof d === 'number' ? d : lengthOf(batch, d)))
      return { site, dims, into: this.#rooms.take(site.name, sizeOf(dims)) }
    })
    await this.#fused.dropoutMasks(
      masks.map(({ site, dims, into }, i) => {
        const mask = { into, p: site.probability, key: { ...key, site: this.#numbers[i]! } }
        const group = groupOf(batch, site)
        // attention: a padded query's row is zero, so that it passes no gradient back
        return group === undefined
          ? mask
          : {
              ...mask,
              heads: dims[1]!,
              queries: dims[2]!,
              width: group.width,
              lengths: group.lengths,
              firstRow: group.firstRow,
            }
      }),
    )
    return Object.fromEntries(masks.map(({ site, dims, into }) => [site.name, new Tensor('float32', into, dims)]))
  }

  dispose(): void {
    this.#rooms.dispose()
  }
}

/** The group whose attention a site belongs to; undefined for sites that are no attention. */
function groupOf(batch: PackedBatch, { shape }: DropoutSite): PackedGroup | undefined {
  return shape.length === 4 ? batch.groups[groupNumber(shape[0]!) ?? 0] : undefined
}

/** What a dimension's name means in a batch: `tokens`, `batch`, or those of a group and its `length`. */
function lengthOf(batch: PackedBatch, dimension: string): number {
  if (dimension === 'tokens') return batch.tokens
  if (dimension === 'batch') return batch.order.length
  const group = batch.groups[groupNumber(dimension) ?? 0]
  if (group !== undefined && dimension.startsWith('batch')) return group.lengths.length
  if (group !== undefined && dimension.startsWith('length')) return group.width
  throw new TrainerError('internal', `internal: a dropout mask has the unknown length "${dimension}".`)
}

/**
 * The group that a dimension is of; undefined where there is one group only, and for dimensions of all tokens or rows.
 */
function groupNumber(dimension: Dimension): number | undefined {
  const number = String(dimension).split('.')[1]
  return number === undefined ? undefined : Number(number)
}
