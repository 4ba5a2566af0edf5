import { TrainerError } from '../errors'
import { checkOptions } from '../options'
import { Tensor, type DataType } from '../tensor'
import type { Api } from './capi'
import { DeviceMemory, identityModel } from './device'
import type { Pointer } from './nativeMemory'
import { knowsPlacement, straysOf, warnOfStrays } from './placement'
import { SessionProgram, type Host } from './Program'
import { openSession, openSmallSession, type SessionSettings } from './session'
import type { DeviceBuffer, Engine, EngineValue, Program, ProgramOptions, Transfers } from './types'
import { wrapTensor } from './values'

const programOptions = Object.keys({
  name: 1,
  optimization: 1,
  externalData: 1,
  memoryPattern: 1,
  profile: 1,
  sessionConfig: 1,
} satisfies Record<keyof ProgramOptions, 1>)

/** ONNX Runtime's sessions and memory on one device. */
export class OrtEngine implements Engine {
  readonly provider: string
  readonly reason: string
  readonly version: string
  readonly library: string
  readonly threads: number
  readonly #api: Api
  readonly #settings: SessionSettings
  readonly #memory: DeviceMemory | undefined
  readonly #programs = new Set<Program>()
  #disposed = false
  #closed = false

  /** @throws TrainerError 'engine' when the provider does not start. */
  constructor(api: Api, settings: SessionSettings, reason: string) {
    const { name, memory, memoryInfo } = settings.provider
    this.#api = api
    this.#settings = settings
    this.provider = name
    this.reason = reason
    this.version = api.version
    this.library = api.path
    this.threads = settings.threads
    this.#memory = memory === undefined ? undefined : new DeviceMemory(api, settings, memory, memoryInfo)
    if (memory === undefined && name !== 'cpu') startOnce(api, settings)
  }

  get preparesShapes(): boolean {
    return this.provider === 'openvino'
  }

  get resident(): boolean {
    return this.#memory !== undefined
  }

  get transfers(): Transfers {
    return this.#memory?.transfers ?? { up: 0, down: 0 }
  }

  async load(model: Uint8Array, options: ProgramOptions = {}): Promise<Program> {
    checkOptions(options, programOptions, 'load()')
    this.#checkOpen()
    const open = (): Promise<Pointer> => openSession(this.#api, this.#settings, model, options)
    const session = await this.#enter(open)
    if (this.#disposed) {
      this.#api.ReleaseSession(session)
      this.#checkOpen()
    }
    const program = this.#makeProgram(session, model, options)
    this.#programs.add(program)
    return program
  }

  async upload(tensor: Tensor): Promise<EngineValue> {
    this.#checkOpen()
    return this.#memory?.upload(tensor) ?? tensor
  }

  async download(value: EngineValue): Promise<Tensor> {
    if (value instanceof Tensor) return value
    this.#checkOpen()
    return this.#memoryFor(value).download(value)
  }

  allocate(dtype: DataType, dims: readonly number[]): Promise<EngineValue> {
    return this.upload(Tensor.zeros(dtype, dims))
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const program of [...this.#programs]) program.dispose()
    this.#closeIfDone()
  }

  #closeIfDone(): void {
    if (!this.#disposed || this.#closed || this.#programs.size > 0) return
    this.#closed = true
    void this.#memory?.dispose()
  }

  #makeProgram(session: Pointer, model: Uint8Array, options: ProgramOptions): Program {
    const { name = 'program', profile } = options
    try {
      const strays = knowsPlacement(this.#api, this.#settings.provider, options)
        ? straysOf(this.#api, session, model, options)
        : undefined
      warnOfStrays(strays ?? [], name, this.provider)
      return new SessionProgram(this.#host(), session, { name, profiled: profile !== undefined, strays })
    } catch (error) {
      this.#api.ReleaseSession(session)
      throw error
    }
  }

  #host(): Host {
    return {
      api: this.#api,
      memory: this.#memory?.info,
      handleOf: value =>
        value instanceof Tensor ? wrapTensor(this.#api, value) : this.#memoryFor(value).handleOf(value),
      adopt: (handle, session, name) => this.#memory!.adopt(handle, session, name),
      enter: work => this.#enter(work),
      transferred: (up, down) => this.#memory?.transferred(up, down),
      release: (program, session) => {
        if (this.#memory === undefined) this.#api.ReleaseSession(session)
        else this.#memory.releaseSession(session)
        this.#programs.delete(program)
        this.#closeIfDone()
      },
    }
  }

  /** Does work at once on the processor, in turn on a device. */
  #enter<T>(work: () => Promise<T>): Promise<T> {
    return this.#memory === undefined ? work() : this.#memory.enter(work)
  }

  #memoryFor(value: DeviceBuffer): DeviceMemory {
    if (this.#memory !== undefined) return this.#memory
    throw new TrainerError(
      'engine',
      `A device buffer of ${value.dims.join(' × ')} was given to an engine on '${this.provider}'.`,
      { fix: 'Download it from the engine that made it.' },
    )
  }

  #checkOpen(): void {
    if (this.#disposed) throw new TrainerError('engine', `The engine on '${this.provider}' was disposed.`)
  }
}

/** Shows at once whether a provider works, by a session of one node. */
function startOnce(api: Api, settings: SessionSettings): void {
  api.ReleaseSession(openSmallSession(api, settings, identityModel('float32'), { name: 'start' }))
}
