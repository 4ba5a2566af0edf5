import { nearest, OutOfMemoryError, TrainerError } from '../errors'
import { checkOptions } from '../options'
import { Tensor } from '../tensor'
import type { Api } from './capi'
import { addressOf, type NativeMemory, nativeTexts, type Pointer, pointersAt } from './nativeMemory'
import { adviceOutOfMemory, saysOutOfMemory } from './outOfMemory'
import { readInputs, readOutputs, takeText } from './session'
import { StatusError } from './StatusError'
import type { EngineValue, EngineValues, Program, ProgramInput, RunOptions, StrayNode } from './types'
import { cpuMemory, readValue } from './values'

/** What a program needs of its engine. */
export interface Host {
  readonly api: Api
  /** The OrtValue of a tensor or of one of the engine's buffers; throws for a buffer of another engine. */
  handleOf(value: EngineValue): Pointer
  /** The description of the device's memory; undefined on the processor. */
  readonly memory: Pointer | undefined
  /** Makes a buffer of an OrtValue that a session's run left on the device. */
  adopt(handle: Pointer, session: Pointer, name: string): EngineValue
  /** Runs when the device's turn comes; buffers whose handles were asked for before stay until it is done. */
  enter<T>(work: () => Promise<T>): Promise<T>
  /** Called after each run, with the bytes of the tensors that went in and of those that came out. */
  transferred(up: number, down: number): void
  /** Takes the session of a program that was disposed and whose runs are done. */
  release(program: Program, session: Pointer): void
}

/** What a program is told of its session. */
export interface Loaded {
  readonly name: string
  readonly profiled: boolean
  readonly strays: readonly StrayNode[] | undefined
}

/** What a run reads and writes through C. */
interface Frame {
  readonly inputs: BigUint64Array
  readonly outputs: BigUint64Array
  readonly inputsAt: Pointer
  readonly outputsAt: Pointer
}

/** A session of ONNX Runtime. Runs of one program may overlap. */
export class SessionProgram implements Program {
  readonly inputs: readonly ProgramInput[]
  readonly outputs: readonly string[]
  readonly strays: readonly StrayNode[] | undefined
  readonly #host: Host
  readonly #name: string
  readonly #profiled: boolean
  readonly #inputNames: NativeMemory
  readonly #outputNames: NativeMemory
  readonly #places: ReadonlyMap<string, number>
  readonly #frames: Frame[] = []
  readonly #underway = new Set<object>() // keeps what ONNX Runtime works on from being collected
  #session: Pointer | undefined
  #disposed = false

  constructor(host: Host, session: Pointer, { name, profiled, strays }: Loaded) {
    this.#host = host
    this.#session = session
    this.#name = name
    this.#profiled = profiled
    this.strays = strays
    this.inputs = readInputs(host.api, session)
    this.outputs = readOutputs(host.api, session)
    this.#inputNames = nativeTexts(this.inputs.map(input => input.name))
    this.#outputNames = nativeTexts(this.outputs)
    this.#places = new Map(this.outputs.map((output, i) => [output, i]))
  }

  async run(
    inputs: EngineValues,
    into: EngineValues = {},
    options: RunOptions = {},
  ): Promise<Record<string, EngineValue>> {
    checkOptions(options, ['keep', 'blocking'], 'run()')
    const { keep = [], blocking = false } = options
    if (this.#disposed) throw new TrainerError('engine', `Program '${this.#name}' was disposed and cannot run.`)
    const held = { inputs: { ...inputs }, into: { ...into } }
    this.#checkNames(held.inputs, held.into, keep)
    this.#underway.add(held)
    try {
      const results =
        keep.length > 0 && this.#host.memory !== undefined
          ? await this.#runBound(held.inputs, held.into, new Set(keep), this.#host.memory)
          : await this.#runPlain(held.inputs, held.into, blocking)
      this.#host.transferred(tensorBytes(held.inputs), tensorBytes(results))
      return results
    } catch (error) {
      throw error instanceof StatusError ? runError(this.#name, error) : error
    } finally {
      this.#underway.delete(held)
      this.#releaseIfDone()
    }
  }

  endProfiling(): string | undefined {
    if (!this.#profiled || this.#session === undefined) return undefined
    const { api } = this.#host
    return takeText(api, allocator => api.SessionEndProfiling(this.#session!, allocator))
  }

  dispose(): void {
    this.#disposed = true
    this.#releaseIfDone()
  }

  #releaseIfDone(): void {
    if (!this.#disposed || this.#underway.size > 0 || this.#session === undefined) return
    const session = this.#session
    this.#session = undefined
    this.#host.release(this, session)
  }

  async #runPlain(inputs: EngineValues, into: EngineValues, blocking: boolean): Promise<Record<string, EngineValue>> {
    const frame = this.#frames.pop() ?? newFrame(this.inputs.length, this.outputs.length)
    this.#underway.add(frame)
    try {
      this.inputs.forEach((input, i) => {
        frame.inputs[i] = this.#host.handleOf(inputs[input.name]!)
      })
      frame.outputs.fill(0n)
      for (const name in into) frame.outputs[this.#places.get(name)!] = this.#host.handleOf(into[name]!)
      await this.#host.enter(() => this.#call(frame, blocking && this.#host.memory === undefined))
      return this.#collect(into, i => frame.outputs[i]!, readValue)
    } finally {
      this.#underway.delete(frame)
      this.#frames.push(frame)
    }
  }

  async #call(frame: Frame, blocking: boolean): Promise<void> {
    const { api } = this.#host
    const given = [
      this.#session!,
      0n,
      this.#inputNames.address,
      frame.inputsAt,
      this.inputs.length,
      this.#outputNames.address,
      this.outputs.length,
      frame.outputsAt,
    ] as const
    if (blocking) api.Run(...given)
    else await api.later('Run', ...given)
  }

  /** By IoBinding, the only way that leaves outputs of unknown shape on the device. */
  async #runBound(
    inputs: EngineValues,
    into: EngineValues,
    keep: ReadonlySet<string>,
    memory: Pointer,
  ): Promise<Record<string, EngineValue>> {
    const { api, handleOf, enter } = this.#host
    const given = this.inputs.map(({ name }) => handleOf(inputs[name]!))
    const targets = this.outputs.map(name => into[name] && handleOf(into[name]))
    // binding copies tensors to the device, so that it has its turn too
    return enter(async () => {
      const binding = api.CreateIoBinding(this.#session!)
      try {
        const inputNames = pointersAt(this.#inputNames.address, this.inputs.length)
        const outputNames = pointersAt(this.#outputNames.address, this.outputs.length)
        given.forEach((handle, i) => api.BindInput(binding, inputNames[i]!, handle))
        this.outputs.forEach((output, i) => {
          const target = targets[i]
          if (target !== undefined) api.BindOutput(binding, outputNames[i]!, target)
          else api.BindOutputToDevice(binding, outputNames[i]!, keep.has(output) ? memory : cpuMemory(api))
        })
        await api.later('RunWithBinding', this.#session!, 0n, binding)
        return this.#collectBound(binding, into, keep)
      } finally {
        api.ReleaseIoBinding(binding)
      }
    })
  }

  #collectBound(binding: Pointer, into: EngineValues, keep: ReadonlySet<string>): Record<string, EngineValue> {
    const { api } = this.#host
    const allocator = api.GetAllocatorWithDefaultOptions()
    const [list = 0n, count = 0n] = api.GetBoundOutputValues(binding, allocator)
    const handles = pointersAt(list, Number(count))
    api.AllocatorFree(allocator, list)
    this.outputs.forEach((output, i) => {
      if (output in into) api.ReleaseValue(handles[i]!)
    })
    return this.#collect(
      into,
      i => handles[i]!,
      (library, handle, name) =>
        keep.has(name) ? this.#host.adopt(handle, this.#session!, name) : readValue(library, handle, name),
      keep,
    )
  }

  /** All outputs by name; new OrtValues are read and released, other than those that buffers adopt. */
  #collect(
    into: EngineValues,
    handleAt: (place: number) => Pointer,
    read: (api: Api, handle: Pointer, name: string) => EngineValue,
    adopted: ReadonlySet<string> = new Set(),
  ): Record<string, EngineValue> {
    const { api } = this.#host
    const results: Record<string, EngineValue> = {}
    const fresh = this.outputs.map((name, i) => ({ name, handle: handleAt(i) })).filter(({ name }) => !(name in into))
    try {
      for (const { name, handle } of fresh) results[name] = read(api, handle, name)
    } finally {
      for (const { name, handle } of fresh) if (!adopted.has(name)) api.ReleaseValue(handle)
    }
    return { ...results, ...into }
  }

  #checkNames(inputs: EngineValues, into: EngineValues, keep: readonly string[]): void {
    for (const { name, dtype } of this.inputs) {
      const value = inputs[name]
      if (value === undefined)
        throw this.#nameError(`needs input '${name}', which is missing`, name, Object.keys(inputs))
      if (value.dtype !== dtype) {
        const given = `${value.dtype} of shape [${value.dims.join(', ')}]`
        throw new TrainerError(
          'engine',
          `Program '${this.#name}': input '${name}' must be ${dtype}, but ${given} was given.`,
          { fix: `Make the tensor with dtype '${dtype}'.` },
        )
      }
    }
    if (Object.keys(inputs).length > this.inputs.length) {
      const names = new Set(this.inputs.map(input => input.name))
      for (const name in inputs) if (!names.has(name)) throw this.#nameError(`has no input '${name}'`, name, names)
    }
    for (const name of [...Object.keys(into), ...keep]) {
      if (!this.#places.has(name)) throw this.#nameError(`has no output '${name}'`, name, this.outputs)
    }
  }

  #nameError(problem: string, name: string, candidates: Iterable<string>): TrainerError {
    const meant = nearest(name, candidates)
    const list = [...candidates].slice(0, 20).join(', ')
    return new TrainerError('engine', `Program '${this.#name}' ${problem}.`, {
      fix: meant === undefined ? `There are: ${list}.` : `Did you mean '${meant}'?`,
    })
  }
}

function newFrame(inputs: number, outputs: number): Frame {
  const pointers = (count: number): BigUint64Array => new BigUint64Array(new ArrayBuffer(8 * Math.max(1, count)))
  const read = pointers(inputs)
  const written = pointers(outputs)
  return { inputs: read, outputs: written, inputsAt: addressOf(read), outputsAt: addressOf(written) }
}

/** The bytes of those values that lie in the caller's memory. */
function tensorBytes(values: EngineValues): number {
  return Object.values(values).reduce((sum, value) => sum + (value instanceof Tensor ? value.data.byteLength : 0), 0)
}

function runError(name: string, error: StatusError): TrainerError {
  const problem = `Program '${name}' failed: ${error.reason}`
  if (saysOutOfMemory(error.reason)) return new OutOfMemoryError(problem, { fix: adviceOutOfMemory(), cause: error })
  const fix = fixes.find(([reason]) => reason.test(error.reason))?.[1]
  return new TrainerError('engine', problem, {
    cause: error,
    ...(fix !== undefined && { fix }),
  })
}

/** What can be done, by what ONNX Runtime says. */
const fixes: readonly (readonly [reason: RegExp, fix: string])[] = [
  [
    /invalid (rank|dimensions) for (input|output)|Got invalid dimensions/i,
    'The shape of that tensor does not fit the graph.',
  ],
  // placed on WebGPU, which shows only when they run that it cannot compute them
  [
    /Only Conv2d or Conv1d are supported/i,
    "WebGPU transposes convolutions over one axis and two, which the gradient of a Conv needs too: use device 'cpu'.",
  ],
  [
    /Indices output is not supported/i,
    "WebGPU's MaxPool does not tell the places of the largest elements: use device 'cpu', or a graph without MaxPool's second output.",
  ],
]
