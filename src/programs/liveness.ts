// what a graph's values take while ONNX Runtime's processor provider runs it
import type { Graph } from '../onnx/types'
import { Arena, type Chunk } from './arena'
import type { BufferPlan } from './bufferPlan'
import { type GivenInputs, valueSizes } from './valueSizes'

/** What a run takes at most at once of values that its nodes make. */
export interface LiveBytes {
  /** Of buffers that are taken at once. */
  readonly peak: number
  /** Values whose size nothing says before the run: they count for nothing. */
  readonly unknown: readonly string[]
}

/**
 * The most memory that buffers take at once.
 * @param given what is known of the run.
 * @param elsewhere outputs that are written to memory of the caller's.
 * @param arena that of the runs before, which has the holes that they left; afterwards it has those of this one too.
 */
export function liveBytes(
  graph: Graph,
  { nodes, bufferOf, freed }: BufferPlan,
  given: GivenInputs,
  elsewhere: ReadonlySet<string>,
  arena = new Arena(),
): LiveBytes {
  const { sizes, unknown } = valueSizes(graph, given)
  const taken = new Map<string, { readonly bytes: number; readonly chunk: Chunk }>()
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  let live = 0
  let peak = 0
  const free = (buffer: string): void => {
    const found = taken.get(buffer)
    if (found === undefined) return
    taken.delete(buffer)
    arena.give(found.chunk)
    live -= found.bytes
  }
  for (const node of nodes) {
    for (const output of node.outputs) {
      if (output === undefined || bufferOf.get(output.name) !== output.name || elsewhere.has(output.name)) continue
      const bytes = sizes.get(output.name) ?? 0
      taken.set(output.name, { bytes, chunk: arena.take(bytes) })
      live += bytes
    }
    peak = Math.max(peak, live)
    for (const buffer of freed.get(node) ?? []) if (!outputs.has(buffer)) free(buffer)
  }
  for (const buffer of [...taken.keys()]) free(buffer) // with the run, or by the caller
  return { peak, unknown }
}
