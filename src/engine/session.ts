import { OutOfMemoryError, TrainerError } from '../errors'
import type { Api } from './capi'
import { addressOf, NativeMemory, nativePointers, nativeTexts, type Pointer, textAt } from './nativeMemory'
import { knowsPlacement, placementSetting } from './placement'
import { adviceOutOfMemory, saysOutOfMemory } from './outOfMemory'
import { environmentOf, fatalOnly, type Provider } from './providers'
import { startError } from './startError'
import { StatusError } from './StatusError'
import type { ProgramInput, ProgramOptions } from './types'
import { readTypeAndShape } from './values'

/** What all sessions of an engine have in common. */
export interface SessionSettings {
  readonly provider: Provider
  readonly threads: number
  readonly spinning: boolean | undefined
  readonly deterministic: boolean
}

const levels = { disabled: 0, basic: 1, extended: 2, all: 99 } as const
const underway = new Set<object>() // models that ONNX Runtime is reading

/**
 * Makes a session from a model's bytes, on another thread.
 * @throws TrainerError 'engine' with ONNX Runtime's message, which names the node, when the graph does not load.
 */
export async function openSession(
  api: Api,
  settings: SessionSettings,
  model: Uint8Array,
  options: ProgramOptions,
): Promise<Pointer> {
  const sessionOptions = createOptions(api, settings, options)
  const held = { model, options }
  underway.add(held)
  try {
    return await api.later(
      'CreateSessionFromArray',
      environmentOf(api),
      addressOf(model),
      model.byteLength,
      sessionOptions,
    )
  } catch (error) {
    throw error instanceof StatusError
      ? loadError(options.name ?? 'program', settings.provider.name, model, error)
      : error
  } finally {
    underway.delete(held)
    api.ReleaseSessionOptions(sessionOptions)
  }
}

/** The same on this thread, at once: for graphs of a node or two. */
export function openSmallSession(
  api: Api,
  settings: SessionSettings,
  model: Uint8Array,
  options: ProgramOptions,
): Pointer {
  const sessionOptions = createOptions(api, settings, options)
  try {
    return new NativeMemory(model).use(at =>
      api.CreateSessionFromArray(environmentOf(api), at, model.byteLength, sessionOptions),
    )
  } catch (error) {
    throw error instanceof StatusError
      ? loadError(options.name ?? 'program', settings.provider.name, model, error)
      : error
  } finally {
    api.ReleaseSessionOptions(sessionOptions)
  }
}

/** The inputs of a session, in the graph's order. */
export function readInputs(api: Api, session: Pointer): ProgramInput[] {
  return Array.from({ length: Number(api.SessionGetInputCount(session)) }, (_, i) => {
    const name = takeText(api, allocator => api.SessionGetInputName(session, i, allocator))
    const info = api.SessionGetInputTypeInfo(session, i)
    try {
      const tensor = api.CastTypeInfoToTensorInfo(info) // belongs to `info`
      if (tensor === 0n)
        throw new TrainerError('engine', `Input '${name}' is not a tensor; programs take tensors only.`)
      return { name, ...readTypeAndShape(api, tensor, name) }
    } finally {
      api.ReleaseTypeInfo(info)
    }
  })
}

/** The names of a session's outputs, in the graph's order. */
export function readOutputs(api: Api, session: Pointer): string[] {
  return Array.from({ length: Number(api.SessionGetOutputCount(session)) }, (_, i) =>
    takeText(api, allocator => api.SessionGetOutputName(session, i, allocator)),
  )
}

/** A text that ONNX Runtime allocates for the caller. */
export function takeText(api: Api, ask: (allocator: Pointer) => Pointer): string {
  const allocator = api.GetAllocatorWithDefaultOptions()
  const pointer = ask(allocator)
  const text = textAt(pointer)
  api.AllocatorFree(allocator, pointer)
  return text
}

function createOptions(api: Api, settings: SessionSettings, options: ProgramOptions): Pointer {
  const sessionOptions = api.CreateSessionOptions()
  try {
    applySettings(api, sessionOptions, settings)
    if (knowsPlacement(api, settings.provider, options))
      api.AddSessionConfigEntry(sessionOptions, placementSetting, '1')
    applyOptions(api, sessionOptions, options)
    return sessionOptions
  } catch (error) {
    api.ReleaseSessionOptions(sessionOptions)
    throw error
  }
}

function applySettings(api: Api, sessionOptions: Pointer, settings: SessionSettings): void {
  api.SetSessionLogSeverityLevel(sessionOptions, fatalOnly)
  api.SetIntraOpNumThreads(sessionOptions, settings.threads)
  api.SetInterOpNumThreads(sessionOptions, 1)
  if (settings.spinning !== undefined)
    api.AddSessionConfigEntry(sessionOptions, 'session.intra_op.allow_spinning', settings.spinning ? '1' : '0')
  if (settings.deterministic) api.SetDeterministicCompute(sessionOptions, true)
  // the processor's product of a transposed first matrix takes longer than transposing it
  if (settings.provider.name === 'cpu')
    api.AddSessionConfigEntry(sessionOptions, 'optimization.disable_specified_optimizers', 'GemmTransposeFusion')
  try {
    settings.provider.append(api, sessionOptions)
  } catch (error) {
    throw error instanceof StatusError ? startError(settings.provider.name, error) : error
  }
}

function applyOptions(api: Api, sessionOptions: Pointer, options: ProgramOptions): void {
  if (options.memoryPattern === true) api.EnableMemPattern(sessionOptions)
  else api.DisableMemPattern(sessionOptions)
  api.SetSessionGraphOptimizationLevel(sessionOptions, levels[options.optimization ?? 'all'])
  if (options.profile !== undefined) api.EnableProfiling(sessionOptions, options.profile)
  for (const [key, value] of Object.entries(options.sessionConfig ?? {}))
    api.AddSessionConfigEntry(sessionOptions, key, value)
  const files = Object.entries(options.externalData ?? {})
  if (files.length === 0) return
  const names = nativeTexts(
    files.map(([name]) => name),
    process.platform === 'win32',
  )
  const buffers = nativePointers(files.map(([, bytes]) => addressOf(bytes)))
  const lengths = nativePointers(files.map(([, bytes]) => BigInt(bytes.byteLength)))
  names.use(name =>
    buffers.use(buffer =>
      lengths.use(length =>
        api.AddExternalInitializersFromFilesInMemory(sessionOptions, name, buffer, length, files.length),
      ),
    ),
  )
}

function loadError(name: string, provider: string, model: Uint8Array, error: StatusError): TrainerError {
  const malformed = error.status === 7 ? `These ${model.byteLength} bytes are not an ONNX model.` : undefined
  const fallback = /disable_cpu_ep_fallback|fallback to CPU EP has been explicitly disabled/i.test(error.reason)
    ? `Not every node runs on '${provider}': leave session.disable_cpu_ep_fallback out, to run others on the processor.`
    : undefined
  const fix = malformed ?? fallback
  const problem = `Program '${name}' does not load: ${error.reason}`
  if (fix === undefined && saysOutOfMemory(error.reason))
    return new OutOfMemoryError(problem, { fix: adviceOutOfMemory(), cause: error })
  return new TrainerError('engine', problem, { cause: error, ...(fix !== undefined && { fix }) })
}
