import { TrainerError } from '../errors'
import { elementTypes } from '../onnx/wire'
import { sizeOf, Tensor, type DataType } from '../tensor'
import { nativePointers, nativeTexts, StatusError, type Api, type Pointer } from './capi'
import { environmentOf } from './providers'
import { openSmallSession, type SessionSettings } from './session'
import type { DeviceBuffer } from './types'
import { allocateValue, describeValue, wrapTensor } from './values'

/** A tensor in a device's memory. */
export class ResidentBuffer implements DeviceBuffer {
  readonly dtype: DataType
  readonly dims: readonly number[]
  readonly owner: DeviceMemory
  handle: Pointer | undefined

  constructor(owner: DeviceMemory, handle: Pointer, dtype: DataType, dims: readonly number[]) {
    this.owner = owner
    this.handle = handle
    this.dtype = dtype
    this.dims = dims
  }

  dispose(): void {
    if (this.handle !== undefined) this.owner.release(this.handle)
    this.handle = undefined
  }
}

/** The memory of a device: makes buffers, fills them, reads them. */
export class DeviceMemory {
  readonly info: Pointer
  readonly #api: Api
  readonly #settings: SessionSettings
  readonly #allocator: Pointer
  readonly #live = new Set<Pointer>()
  readonly #dying: Pointer[] = []
  readonly #collected = new FinalizationRegistry<Pointer>(handle => this.release(handle))
  readonly #copiers = new Map<DataType, Pointer>()
  #copyTensors: boolean
  #busy = 0
  #last: Promise<unknown> = Promise.resolve()

  /** @throws TrainerError 'engine' when the provider does not start, or gives no memory under that name. */
  constructor(
    api: Api,
    settings: SessionSettings,
    name: string,
    info = api.CreateMemoryInfo(name, deviceAllocator, 0, defaultMemory),
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
    if (buffer.handle === undefined)
      throw new TrainerError('engine', `A buffer of shape [${buffer.dims.join(', ')}] was used after it was disposed.`)
    return buffer.handle
  }

  /** A buffer of an OrtValue that a run left on the device. */
  adopt(handle: Pointer, name: string): ResidentBuffer {
    const { dtype, dims } = describeValue(this.#api, handle, name)
    return this.#track(handle, dtype, dims)
  }

  /** A buffer with a tensor's content; refused while a run is under way, since it is done at once, on this thread. */
  upload(tensor: Tensor): ResidentBuffer {
    if (this.#busy > 0) {
      throw new TrainerError('engine', 'A tensor was to be uploaded during a run.', {
        fix: 'Wait for the run, or give the tensor to it.',
      })
    }
    const { dtype, dims } = tensor
    const buffer = this.#track(allocateValue(this.#api, this.#allocator, dtype, dims), dtype, dims)
    if (sizeOf(dims) === 0) return buffer
    const [source, target] = [wrapTensor(this.#api, tensor), buffer.handle!]
    if (!this.#copyTensors || !this.#tryCopy(source, target)) this.#copyByRun(dtype, source, target)
    return buffer
  }

  /** The content of a buffer. */
  async download(buffer: DeviceBuffer): Promise<Tensor> {
    const source = this.handleOf(buffer)
    const tensor = Tensor.zeros(buffer.dtype, buffer.dims)
    if (tensor.size === 0) return tensor
    const target = wrapTensor(this.#api, tensor)
    await this.enter(async () => {
      if (!this.#copyTensors || !this.#tryCopy(source, target)) this.#copyByRun(buffer.dtype, source, target)
    })
    return tensor
  }

  /**
   * Does work in turn, one piece at a time: not all providers are safe on several threads.
   * From the call on no buffer is freed; what is disposed meanwhile goes when all is done.
   */
  async enter<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    try {
      return await result
    } finally {
      this.#busy--
      if (this.#busy === 0) for (const handle of this.#dying.splice(0)) this.#api.ReleaseValue(handle)
    }
  }

  /** Frees an OrtValue, now or after the runs that are under way. */
  release(handle: Pointer): void {
    if (!this.#live.delete(handle)) return
    if (this.#busy > 0) this.#dying.push(handle)
    else this.#api.ReleaseValue(handle)
  }

  /** Frees everything, after the work that is under way. */
  async dispose(): Promise<void> {
    await this.#last
    for (const handle of [...this.#live]) this.release(handle)
    this.#api.ReleaseAllocator(this.#allocator)
    for (const session of this.#copiers.values()) this.#api.ReleaseSession(session)
    this.#copiers.clear()
  }

  #track(handle: Pointer, dtype: DataType, dims: readonly number[]): ResidentBuffer {
    const buffer = new ResidentBuffer(this, handle, dtype, dims)
    this.#live.add(handle)
    this.#collected.register(buffer, handle, buffer)
    return buffer
  }

  /** ONNX Runtime's own copy; not every provider offers it, which the first refusal tells. */
  #tryCopy(source: Pointer, target: Pointer): boolean {
    try {
      nativePointers([source]).use(from =>
        nativePointers([target]).use(to => this.#api.CopyTensors(environmentOf(this.#api), from, to, 0n, 1)),
      )
      return true
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      this.#copyTensors = false
      return false
    }
  }

  /** A copy that every provider can make: a run of Identity, whose input and output lie where they lie. */
  #copyByRun(dtype: DataType, source: Pointer, target: Pointer): void {
    const session = this.#copier(dtype)
    nativeTexts(['x']).use(inputs =>
      nativeTexts(['y']).use(outputs =>
        nativePointers([source]).use(from =>
          nativePointers([target]).use(to => this.#api.Run(session, 0n, inputs, from, 1, outputs, 1, to)),
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
