import { TrainerError } from '../errors'
import { elementTypes } from '../onnx/wire'
import { sizeOf, Tensor, type DataType } from '../tensor'
import type { Api } from './capi'
import { nativePointers, nativeTexts, type Pointer } from './nativeMemory'
import { environmentOf } from './providers'
import { openSmallSession, type SessionSettings } from './session'
import { StatusError } from './StatusError'
import type { DeviceBuffer, Transfers } from './types'
import { allocateValue, describeValue, wrapTensor } from './values'

/** The OrtValue of a buffer, and the session whose run left it, if one did: it cannot be freed without that session. */
interface Held {
  readonly handle: Pointer
  readonly session: Pointer | undefined
}

/** A tensor in a device's memory. */
export class ResidentBuffer implements DeviceBuffer {
  readonly dtype: DataType
  readonly dims: readonly number[]
  readonly owner: DeviceMemory
  held: Held | undefined

  constructor(owner: DeviceMemory, held: Held, dtype: DataType, dims: readonly number[]) {
    this.owner = owner
    this.held = held
    this.dtype = dtype
    this.dims = dims
  }

  dispose(): void {
    if (this.held !== undefined) this.owner.release(this.held)
    this.held = undefined
  }
}

/** The memory of a device: makes buffers, fills them, reads them. */
export class DeviceMemory {
  readonly info: Pointer
  readonly #api: Api
  readonly #settings: SessionSettings
  readonly #allocator: Pointer
  readonly #live = new Set<Held>()
  /** How many values that are not freed each session has left. */
  readonly #left = new Map<Pointer, number>()
  /** Sessions of disposed programs that have left such values. */
  readonly #ended = new Set<Pointer>()
  /** What is to be freed once no work is under way. */
  readonly #dying: (() => void)[] = []
  readonly #collected = new FinalizationRegistry<Held>(held => this.release(held))
  readonly #copiers = new Map<DataType, Pointer>()
  #copyTensors: boolean
  #up = 0
  #down = 0
  /** Pieces of work that were given to `enter` and are not done. */
  #busy = 0
  #last: Promise<unknown> = Promise.resolve()

  /** @throws TrainerError 'engine' when the provider does not start, or gives no memory under that name. */
  constructor(
    api: Api,
    settings: SessionSettings,
    name: string,
    info = api.CreateMemoryInfo(name, deviceAllocator, settings.provider.index ?? 0, defaultMemory),
  ) {
    this.#api = api
    this.#settings = settings
    this.info = info
    this.#copyTensors = api.has('CopyTensors')
    this.#allocator = api.CreateAllocator(this.#copier('float32'), info)
  }

  /** The OrtValue of a buffer; throws for one that was disposed or belongs to another engine. */
  handleOf(buffer: DeviceBuffer): Pointer {
    if (!(buffer instanceof ResidentBuffer) || buffer.owner !== this) {
      throw new TrainerError('engine', 'A buffer of another engine was given.', {
        fix: 'Download it there and upload it here.',
      })
    }
    if (buffer.held === undefined)
      throw new TrainerError('engine', `A buffer of shape [${buffer.dims.join(', ')}] was used after it was disposed.`)
    return buffer.held.handle
  }

  /** A buffer of an OrtValue that a session's run left on the device. */
  adopt(handle: Pointer, session: Pointer, name: string): ResidentBuffer {
    const { dtype, dims } = describeValue(this.#api, handle, name)
    this.#left.set(session, (this.#left.get(session) ?? 0) + 1)
    return this.#track({ handle, session }, dtype, dims)
  }

  get transfers(): Transfers {
    return { up: this.#up, down: this.#down }
  }

  /** Adds bytes to what was transferred. */
  transferred(up: number, down: number): void {
    this.#up += up
    this.#down += down
  }

  /** A buffer with a tensor's content, made when the device's turn comes. */
  upload(tensor: Tensor): Promise<ResidentBuffer> {
    const { dtype, dims } = tensor
    return this.enter(async () => {
      const handle = allocateValue(this.#api, this.#allocator, dtype, dims)
      const buffer = this.#track({ handle, session: undefined }, dtype, dims)
      if (sizeOf(dims) > 0) await this.#copy(dtype, wrapTensor(this.#api, tensor), handle)
      this.transferred(tensor.data.byteLength, 0)
      return buffer
    })
  }

  /** The content of a buffer. */
  async download(buffer: DeviceBuffer): Promise<Tensor> {
    const source = this.handleOf(buffer)
    const tensor = Tensor.zeros(buffer.dtype, buffer.dims)
    if (tensor.size === 0) return tensor
    const target = wrapTensor(this.#api, tensor)
    await this.enter(() => this.#copy(buffer.dtype, source, target))
    this.transferred(0, tensor.data.byteLength)
    return tensor
  }

  /**
   * Does work in turn, one piece at a time: not all providers are safe on several threads.
   * From the call on nothing is freed; what is disposed meanwhile goes when all is done.
   */
  async enter<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    try {
      return await result
    } finally {
      this.#busy--
      if (this.#busy === 0) for (const free of this.#dying.splice(0)) free()
    }
  }

  /** Frees a buffer's OrtValue, after the work that is under way. */
  release(held: Held): void {
    if (this.#live.delete(held)) this.#whenIdle(() => this.#free(held))
  }

  /** Frees a disposed program's session, after the work that is under way and the values that it has left. */
  releaseSession(session: Pointer): void {
    this.#ended.add(session)
    this.#whenIdle(() => this.#freeIfEnded(session))
  }

  /** Frees everything, after the work that is under way. */
  async dispose(): Promise<void> {
    await this.#last
    for (const held of [...this.#live]) this.release(held)
    this.#api.ReleaseAllocator(this.#allocator)
    for (const session of this.#copiers.values()) this.#api.ReleaseSession(session)
    this.#copiers.clear()
  }

  #track(held: Held, dtype: DataType, dims: readonly number[]): ResidentBuffer {
    const buffer = new ResidentBuffer(this, held, dtype, dims)
    this.#live.add(held)
    this.#collected.register(buffer, held)
    return buffer
  }

  #whenIdle(free: () => void): void {
    if (this.#busy > 0) this.#dying.push(free)
    else free()
  }

  #free({ handle, session }: Held): void {
    this.#api.ReleaseValue(handle)
    if (session === undefined) return
    this.#left.set(session, this.#left.get(session)! - 1)
    this.#freeIfEnded(session)
  }

  #freeIfEnded(session: Pointer): void {
    if (!this.#ended.has(session) || (this.#left.get(session) ?? 0) > 0) return
    this.#left.delete(session)
    this.#ended.delete(session)
    this.#api.ReleaseSession(session)
  }

  /** On a thread of its own: what a device has not computed yet is waited for there. */
  async #copy(dtype: DataType, source: Pointer, target: Pointer): Promise<void> {
    if (!this.#copyTensors || !(await this.#tryCopy(source, target))) await this.#copyByRun(dtype, source, target)
  }

  /** ONNX Runtime's own copy; not every provider offers it, which the first refusal tells. */
  async #tryCopy(source: Pointer, target: Pointer): Promise<boolean> {
    try {
      await nativePointers([source]).useLater(from =>
        nativePointers([target]).useLater(to =>
          this.#api.later('CopyTensors', environmentOf(this.#api), from, to, 0n, 1),
        ),
      )
      return true
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      this.#copyTensors = false
      return false
    }
  }

  /** A copy that every provider can make: a run of Identity, whose input and output lie where they lie. */
  async #copyByRun(dtype: DataType, source: Pointer, target: Pointer): Promise<void> {
    const session = this.#copier(dtype)
    await nativeTexts(['x']).useLater(inputs =>
      nativeTexts(['y']).useLater(outputs =>
        nativePointers([source]).useLater(from =>
          nativePointers([target]).useLater(to => this.#api.later('Run', session, 0n, inputs, from, 1, outputs, 1, to)),
        ),
      ),
    )
  }

  #copier(dtype: DataType): Pointer {
    let session = this.#copiers.get(dtype)
    if (session === undefined) {
      session = openSmallSession(this.#api, { ...this.#settings, threads: 1 }, identityModel(dtype), {
        name: `copy of ${dtype}`,
      })
      this.#copiers.set(dtype, session)
    }
    return session
  }
}

const deviceAllocator = 0
const defaultMemory = 0

/**
 * A model of one Identity node, x → y, of any shape: ONNX's protobuf by hand (field number << 3 | wire type, length,
 * content).
 */
export function identityModel(dtype: DataType): Uint8Array {
  const message = (field: number, ...content: number[]): number[] => [(field << 3) | 2, content.length, ...content]
  const text = (field: number, value: string): number[] => message(field, ...new TextEncoder().encode(value))
  const type = message(2, ...message(1, 1 << 3, elementTypes[dtype]))
  const node = message(1, ...text(1, 'x'), ...text(2, 'y'), ...text(4, 'Identity'))
  const graph = message(
    7,
    ...node,
    ...text(2, 'copy'),
    ...message(11, ...text(1, 'x'), ...type),
    ...message(12, ...text(1, 'y'), ...type),
  )
  return Uint8Array.from([1 << 3, 8, ...graph, ...message(8, 2 << 3, 13)]) // IR version 8, operator set 13
}
