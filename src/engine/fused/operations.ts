import { TrainerError } from '../../errors'
import { GraphBuilder } from '../../onnx/builder'
import type { Graph } from '../../onnx/types'
import type { Arena, Place } from './arena'
import type { Kernel } from './kernel'
import { attentionChunks, type AttentionMask, checkMask, denseChunks, type DenseMask, isAttention } from './masks'
import type { Pool } from './pool'
import { ever, fresh, type IdleQuestion, type RowSet, type TableRows } from './rows'

/** What the operations of a fused engine work with. */
export interface Site {
  readonly pool: Pool
  readonly arena: Arena
  /** The number of the module of kernels.ts. */
  readonly kernels: number
  /** The number of the module of {@link additionGraph}. */
  readonly addition: number
  /** The number of a kernel's module, if this engine compiled it. */
  readonly numberOf: (kernel: Kernel) => number | undefined
  readonly leavesIdle: (question: IdleQuestion) => boolean
}

/** One parameter's arrays for a kernel, all of one length and from one group of the arena. */
export interface Segment {
  /** The array of each array input of the kernel, by name. */
  readonly inputs: Readonly<Record<string, Float32Array>>
  /** The array of each output, by name; it may be the very array of an input. */
  readonly outputs: Readonly<Record<string, Float32Array>>
  /** Scalars of this segment only; they go before those of the call. */
  readonly scalars?: Readonly<Record<string, number>>
  /**
   * For a table: rows that never had a gradient are left out, provided that the kernel would leave them as they are (it
   * is tried on probes at each call, with the call's scalars). `zero` names the inputs that are zero in such rows: the
   * gradient and slots that start at zero.
   */
  readonly rows?: { readonly set: RowSet; readonly zero: readonly string[] }
}

/** Elements in a chunk: few enough to share the work out evenly, enough that a chunk's overhead does not count. */
const chunkElements = 65536
/** Into how many parts a table's rows are dealt when rows are added to it. */
const scatterOwners = 16

/** `sum + term`, as a graph. */
export function additionGraph(): Graph {
  const builder = new GraphBuilder('accumulate')
  const sum = builder.input('sum', 'float32', ['n'])
  const term = builder.input('term', 'float32', ['n'])
  return builder.build({ result: builder.add(sum, term) })
}

export async function runKernel(
  site: Site,
  kernel: Kernel,
  segments: readonly Segment[],
  scalars: Readonly<Record<string, number>>,
): Promise<void> {
  const { inputs, outputs } = kernel.program
  const module = site.numberOf(kernel)
  if (module === undefined)
    throw refusal(`The kernel "${kernel.name}" was compiled by another engine.`, 'Compile it with this one.')
  const chunks = each(segments, segment => {
    const arrays = [
      ...inputs.map(name => wanted(kernel, 'array', name, segment.inputs)),
      ...outputs.map(name => wanted(kernel, 'output', name, segment.outputs)),
    ]
    const values = kernel.program.scalars.map(name =>
      wanted(kernel, 'scalar', name, { ...scalars, ...segment.scalars }),
    )
    return cut(site, kernel.name, arrays, values, idleRows(site, kernel, segment, values))
  })
  await site.pool.run({
    kind: 'call',
    module,
    name: 'run',
    pointers: inputs.length + outputs.length,
    bits: ever,
    chunks,
  })
}

export async function sumOfSquares(site: Site, arrays: readonly (Float32Array | TableRows)[]): Promise<Float64Array> {
  const owners: number[] = [] // of each chunk the array, in the order in which the job asks for them, once
  const chunks = each(arrays.entries(), function* ([i, target]) {
    for (const chunk of chunksOf(site, target)) {
      owners.push(i)
      yield chunk
    }
  })
  const parts = await site.pool.run({
    kind: 'call',
    module: site.kernels,
    name: 'sumOfSquares',
    pointers: 1,
    bits: fresh,
    chunks,
  })
  const sums = new Float64Array(arrays.length)
  parts.forEach((part, chunk) => {
    sums[owners[chunk]!]! += part
  })
  return sums
}

export async function accumulate(
  site: Site,
  pairs: readonly { readonly sum: Float32Array; readonly term: Float32Array }[],
): Promise<void> {
  const chunks = each(pairs, ({ sum, term }) => cut(site, 'accumulate', [sum, term, sum], []))
  await site.pool.run({ kind: 'call', module: site.addition, name: 'run', pointers: 3, chunks })
}

export async function clear(site: Site, arrays: readonly (Float32Array | TableRows)[]): Promise<void> {
  const chunks = each(arrays, target => chunksOf(site, target))
  await site.pool.run({
    kind: 'call',
    module: site.kernels,
    name: 'clear',
    pointers: 1,
    bits: fresh,
    forget: true,
    chunks,
  })
}

export async function markRows(site: Site, set: RowSet, arrays: readonly Float32Array[]): Promise<void> {
  const chunks = each(arrays, array => chunksOf(site, { array, rows: set }))
  await site.pool.run({ kind: 'mark', module: site.kernels, name: 'sumOfSquares', pointers: 1, bits: ever, chunks })
}

export async function scatterRows(site: Site, table: TableRows, index: Int32Array, rows: Float32Array): Promise<void> {
  checkScatter(table, index, rows)
  const { arena } = site
  if (arena.locate(rows)?.memory === place(arena, 'scatterRows', table.array).memory)
    return scatterNear(site, table, index, rows)
  const { width } = table.rows
  const staging = table.staging ?? arena.allocateGroup([rows.length], table.array)[0]!
  const stretch = Math.floor(staging.length / width)
  try {
    for (let from = 0; from < index.length; from += stretch) {
      const part = rows.subarray(from * width, (from + stretch) * width)
      staging.set(part)
      await scatterNear(site, table, index.slice(from, from + stretch), staging.subarray(0, part.length))
    }
  } finally {
    if (table.staging === undefined) arena.free(staging)
  }
}

/** `scatterRows` for rows that lie in the table's memory. */
async function scatterNear(
  { arena, pool, addition }: Site,
  table: TableRows,
  index: Int32Array,
  rows: Float32Array,
): Promise<void> {
  const target = place(arena, 'scatterRows', table.array)
  const flags = place(arena, 'scatterRows', table.rows.flags)
  const source = place(arena, 'scatterRows', rows)
  const chunks = Array.from({ length: scatterOwners }, (_, owner) => [
    target.memory,
    flags.memory,
    flags.at,
    table.rows.width,
    target.at,
    source.at,
    owner,
    scatterOwners,
  ])
  await pool.run({ kind: 'scatter', module: addition, name: 'run', pointers: 2, bits: fresh | ever, index, chunks })
}

export async function dropoutMasks(
  { pool, arena, kernels }: Site,
  masks: readonly (DenseMask | AttentionMask)[],
): Promise<void> {
  const places = masks.map(mask => {
    checkMask(mask) // at once, so that no job is given out when another cannot be
    return place(arena, 'dropoutMasks', mask.into)
  })
  const names = masks.map(maskKernel)
  const draw = (name: string): Promise<unknown> => {
    const chunks = each(masks.entries(), ([i, mask]) => {
      if (names[i] !== name) return []
      return isAttention(mask) ? attentionChunks(mask, places[i]!) : denseChunks(mask, places[i]!)
    })
    return pool.run({ kind: 'call', module: kernels, name, pointers: 1, chunks })
  }
  await Promise.all([...new Set(names)].map(draw))
}

/** The name of the kernel that writes a mask. */
function maskKernel(mask: DenseMask | AttentionMask): string {
  return `${isAttention(mask) ? 'maskPlane' : 'maskRow'}${mask.into instanceof Uint8Array ? 'Bytes' : ''}`
}

/** The chunks of one thing after the other, none before it is asked for. */
function* each<T>(things: Iterable<T>, chunksOf: (thing: T) => Iterable<number[]>): Iterable<number[]> {
  for (const thing of things) yield* chunksOf(thing)
}

/** The rows to which a segment's update may be confined, if the kernel leaves the others as they are. */
function idleRows(
  site: Site,
  kernel: Kernel,
  { inputs, outputs, rows }: Segment,
  scalars: readonly number[],
): RowSet | undefined {
  if (rows === undefined) return undefined
  // addresses are enough: `cut` makes sure that all lie in one memory
  const address = (array: Float32Array): number => place(site.arena, kernel.name, array).at
  const overwrites = kernel.program.outputs.map(output =>
    kernel.program.inputs.find(input => address(inputs[input]!) === address(outputs[output]!)),
  )
  return site.leavesIdle({ kernel, zero: rows.zero, overwrites, scalars }) ? rows.set : undefined
}

function chunksOf(site: Site, target: Float32Array | TableRows): Iterable<number[]> {
  return 'array' in target ? cut(site, 'rows', [target.array], [], target.rows) : cut(site, 'sum', [target], [])
}

/** The rows of a job's table for arrays that are worked on together; with a row set, as chunks of table rows. */
function* cut(
  { arena }: Site,
  what: string,
  arrays: readonly Float32Array[],
  scalars: readonly number[],
  set?: RowSet,
): Iterable<number[]> {
  const places = arrays.map(array => place(arena, what, array))
  const { memory } = places[0]!
  if (places.some(other => other.memory !== memory)) {
    throw refusal(
      `Arrays of one segment of "${what}" lie in different memories.`,
      'Allocate them together with arena.allocateGroup.',
    )
  }
  const length = set === undefined ? arrays[0]!.length : set.rows * set.width
  const odd = arrays.find(array => array.length !== length)
  if (odd !== undefined)
    throw refusal(
      `Arrays of one segment of "${what}" have ${odd.length} and ${length} elements, but must have the same number.`,
    )
  const width = set?.width ?? 1
  const flags = set === undefined ? undefined : place(arena, what, set.flags)
  const step = Math.max(1, Math.floor(chunkElements / width))
  for (let from = 0; from < length / width; from += step) {
    const count = Math.min(step, length / width - from)
    yield [
      memory,
      flags?.memory ?? 0,
      flags === undefined ? 0 : flags.at + from,
      width,
      ...places.map(({ at }) => at + 4 * width * from),
      count,
      ...scalars,
    ]
  }
}

function place(arena: Arena, what: string, array: ArrayBufferView): Place {
  const found = arena.locate(array)
  if (found === undefined)
    throw refusal(
      `An array given to "${what}" does not lie in the arena, where the worker threads reach it.`,
      'Allocate it with arena.allocate.',
    )
  return found
}

function wanted<T>(kernel: Kernel, kind: string, name: string, given: Readonly<Record<string, T>>): T {
  const value = given[name]
  if (value !== undefined) return value
  const names = Object.keys(given).join(', ')
  throw refusal(`The kernel "${kernel.name}" needs the ${kind} "${name}", but was given ${names || 'none'}.`)
}

function checkScatter({ array, rows: { rows: count, width } }: TableRows, index: Int32Array, rows: Float32Array): void {
  const size = count * width
  if (array.length !== size)
    throw refusal(`A table of ${count} rows of ${width} has ${size} elements, but its gradient has ${array.length}.`)
  if (rows.length !== index.length * width)
    throw refusal(
      `${index.length} rows of ${width} were to be added to a table, but ${rows.length} elements were given.`,
    )
  const wrong = index.findIndex(row => row < 0 || row >= count)
  if (wrong >= 0) throw refusal(`Row ${index[wrong]} (at position ${wrong}) lies outside a table of ${count} rows.`)
}

function refusal(message: string, fix?: string): TrainerError {
  return new TrainerError('engine', message, fix === undefined ? {} : { fix })
}
