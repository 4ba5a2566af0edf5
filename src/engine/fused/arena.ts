import { OutOfMemoryError, TrainerError } from '../../errors'
import { bytesPerElement, createData, type DataType, type TensorArrays } from '../../tensor'
import { mostPages } from './assembler'
import { wasm, type WasmMemory } from './wasm'

/** Where an array lies: in which of the arena's memories, and from which byte. */
export interface Place {
  readonly memory: number
  readonly at: number
}

/** Arrays that the worker threads share with this one. */
export interface Arena {
  /** The memories so far, in order. */
  readonly memories: readonly WasmMemory[]
  /** Bytes that allocated arrays take. */
  readonly used: number
  /**
   * A zeroed array (float32 unless said otherwise), aligned to 64 bytes.
   * @throws TrainerError ('engine') when there is no memory left.
   */
  allocate<T extends DataType = 'float32'>(count: number, dtype?: T): TensorArrays[T]
  /**
   * Zeroed float32 arrays that lie in one memory, as all arrays that one kernel call touches must: a parameter with its
   * gradient and slots.
   * @param near an array in whose memory they have to lie.
   * @throws TrainerError ('engine') when there is no memory left, or when together they take more than one memory can
   * hold (4 GiB).
   */
  allocateGroup(counts: readonly number[], near?: ArrayBufferView): Float32Array[]
  /**
   * Gives an array's memory back. It must not be used afterwards. An array that this arena did not allocate is left
   * alone.
   */
  free(array: ArrayBufferView): void
  /** Where an array, or a part of one (`subarray`), lies; undefined for arrays from elsewhere. */
  locate(array: ArrayBufferView): Place | undefined
}

export interface ArenaOptions {
  /** The most pages of 64 KiB that one memory may have; 65536 (4 GiB) unless given. */
  readonly pages?: number
  /** Called with every memory that is new or has grown. */
  readonly onGrow?: (index: number, memory: WasmMemory) => void
}

/** One memory of the arena, and what is free in it. */
interface Region {
  readonly memory: WasmMemory
  /** Free stretches below `top`, in order of address, never adjacent. */
  holes: Stretch[]
  /** Where what was never used begins. */
  top: number
}

interface Stretch {
  readonly at: number
  readonly bytes: number
}

const pageBytes = 65536
const alignment = 64
const leastGrowth = 256 // pages, 16 MiB: memory that is not touched costs nothing

/** An arena of shared WebAssembly memories that grow as arrays are allocated. */
export function createArena(options: ArenaOptions = {}): Arena {
  const pages = options.pages ?? mostPages
  const regions: Region[] = []
  const regionOf = new WeakMap<ArrayBufferLike, number>()
  const taken = new Map<string, number>() // "memory:address" → bytes
  let used = 0

  const take = (index: number, bytes: number): Place => {
    const region = regions[index]!
    const hole = region.holes.findIndex(stretch => stretch.bytes >= bytes)
    const at = hole >= 0 ? cutHole(region, hole, bytes) : raiseTop(region, bytes)
    if (!regionOf.has(region.memory.buffer)) {
      regionOf.set(region.memory.buffer, index)
      options.onGrow?.(index, region.memory)
    }
    if (hole >= 0) new Uint8Array(region.memory.buffer, at, bytes).fill(0)
    taken.set(`${index}:${at}`, bytes)
    used += bytes
    return { memory: index, at }
  }
  const regionFor = (bytes: number, near?: ArrayBufferView): number => {
    const only = near === undefined ? undefined : regionOf.get(near.buffer)
    const known = regions.findIndex((region, i) => (only ?? i) === i && fits(region, bytes, pages))
    if (bytes > pages * pageBytes - alignment || (only !== undefined && known < 0)) {
      throw new TrainerError(
        'engine',
        `Arrays of ${bytes} bytes that belong together were asked for, ` +
          `but one memory holds ${pages * pageBytes - alignment} in all.`,
        { fix: only === undefined ? 'Split the parameter.' : 'Allocate the arrays together, before others.' },
      )
    }
    if (known >= 0) return known
    return regions.push({ memory: createMemory(pages), holes: [], top: alignment }) - 1 // address 0 stays free
  }
  const view = <T extends DataType>(dtype: T, count: number, { memory, at }: Place): TensorArrays[T] =>
    createData(dtype, count, regions[memory]!.memory.buffer, at)

  return {
    get memories() {
      return regions.map(region => region.memory)
    },
    get used() {
      return used
    },
    allocate<T extends DataType = 'float32'>(count: number, dtype = 'float32' as T) {
      const bytes = rounded(count * bytesPerElement(dtype))
      return view(dtype, count, take(regionFor(bytes), bytes))
    },
    allocateGroup(counts, near) {
      const sizes = counts.map(count => rounded(count * 4))
      const index = regionFor(
        sizes.reduce((sum, bytes) => sum + bytes, 0),
        near,
      )
      return counts.map((count, i) => view('float32', count, take(index, sizes[i]!)))
    },
    free(array) {
      const index = regionOf.get(array.buffer)
      const bytes = taken.get(`${index}:${array.byteOffset}`)
      if (index === undefined || bytes === undefined) return
      taken.delete(`${index}:${array.byteOffset}`)
      used -= bytes
      addHole(regions[index]!, { at: array.byteOffset, bytes })
    },
    locate(array) {
      const memory = regionOf.get(array.buffer)
      return memory === undefined ? undefined : { memory, at: array.byteOffset }
    },
  }
}

function createMemory(pages: number): WasmMemory {
  try {
    return new wasm.Memory({ initial: 1, maximum: pages, shared: true })
  } catch (cause) {
    throw outOfMemory(pages * pageBytes, cause)
  }
}

/** Whether arrays of this many bytes together fit: behind what is taken, or all of them into one hole. */
function fits(region: Region, bytes: number, pages: number): boolean {
  return region.top + bytes <= pages * pageBytes || region.holes.some(hole => hole.bytes >= bytes)
}

function cutHole(region: Region, index: number, bytes: number): number {
  const hole = region.holes[index]!
  region.holes.splice(index, 1, ...(hole.bytes > bytes ? [{ at: hole.at + bytes, bytes: hole.bytes - bytes }] : []))
  return hole.at
}

/** Takes bytes that were never used, after growing the memory if it ends before. */
function raiseTop(region: Region, bytes: number): number {
  const at = region.top
  const missing = Math.ceil((at + bytes - region.memory.buffer.byteLength) / pageBytes)
  if (missing > 0) grow(region.memory, missing)
  region.top = at + bytes
  return at
}

function grow(memory: WasmMemory, missing: number): void {
  const wanted = Math.max(missing, leastGrowth, Math.floor(memory.buffer.byteLength / pageBytes / 4))
  try {
    memory.grow(wanted)
  } catch {
    try {
      memory.grow(missing) // near the end only what is needed
    } catch (cause) {
      throw outOfMemory(missing * pageBytes, cause)
    }
  }
}

/** Puts a stretch back among the holes, joined with its neighbours. */
function addHole(region: Region, stretch: Stretch): void {
  const joined: Stretch[] = []
  for (const next of [...region.holes, stretch].sort((a, b) => a.at - b.at)) {
    const last = joined.at(-1)
    if (last !== undefined && last.at + last.bytes === next.at)
      joined[joined.length - 1] = { at: last.at, bytes: last.bytes + next.bytes }
    else joined.push(next)
  }
  region.holes = joined
}

function rounded(bytes: number): number {
  return Math.max(alignment, Math.ceil(bytes / alignment) * alignment)
}

function outOfMemory(bytes: number, cause: unknown): OutOfMemoryError {
  return new OutOfMemoryError(
    `The system refused ${bytes} more bytes of shared memory for parameters, gradients and optimizer state.`,
    { fix: "Free memory, raise the process's limit of virtual memory, or train a smaller model.", cause },
  )
}
