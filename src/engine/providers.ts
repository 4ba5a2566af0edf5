import { dirname, resolve } from 'node:path'
import { nearest, TrainerError } from '../errors'
import type { Api } from './capi'
import { preloadCuda } from './cuda'
import { parseDevice, shortName } from './deviceName'
import { smallStacks } from './nativeLibrary'
import { NativeMemory, nativePointers, nativeTexts, type Pointer, pointersAt, textAt } from './nativeMemory'
import { checkedOptions, type ProviderOptions } from './providerOptions'
import { StatusError } from './StatusError'

/** A provider, found in the library or in a plug-in, and how a session gets it. */
export interface Provider {
  /** The short name: 'cpu', 'cuda', 'webgpu'. */
  readonly name: string
  /** Adds it to a session's options. */
  append(api: Api, sessionOptions: Pointer): void
  /** The name of its memory, where its values live outside the processor's. */
  readonly memory?: string
  /** Which of the devices by that name it is; the first unless given. */
  readonly index?: number
  /** A description of its memory that the plug-in gave. */
  readonly memoryInfo?: Pointer
}

/**
 * Names that ONNX Runtime gives to what it can append by name, and to the memory of those whose values can stay there.
 */
const named: Readonly<Record<string, { readonly append?: string; readonly memory?: string }>> = {
  cuda: { memory: 'Cuda' },
  webgpu: { append: 'WebGPU', memory: 'WebGPU_Buf' },
  dml: { append: 'DML' },
  coreml: { append: 'CoreML' },
  xnnpack: { append: 'XNNPACK' },
  openvino: { append: 'OpenVINO' },
  qnn: { append: 'QNN' },
  azure: { append: 'AZURE' },
}

/** ONNX Runtime's environment, one for the process: it is never released, since other users of the library share it. */
export function environmentOf(api: Api): Pointer {
  let environment = environments.get(api)
  if (environment === undefined) environments.set(api, (environment = api.CreateEnv(fatalOnly, 'ts-trainer')))
  return environment
}

/** Severity of the messages that ONNX Runtime prints: fatal ones only, since errors come to us as statuses. */
export const fatalOnly = 4

const environments = new WeakMap<Api, Pointer>()

/** Short names of the providers that the library was built with, the processor's first: cpu, cuda, webgpu, tensorrt. */
export function builtProviders(api: Api): string[] {
  const [list = 0n, count = 0n] = api.GetAvailableProviders()
  const names = pointersAt(list, Number(count)).map(pointer => shortName(textAt(pointer)))
  api.ReleaseAvailableProviders(list, Number(count))
  return names.sort((a, b) => Number(b === 'cpu') - Number(a === 'cpu'))
}

/**
 * A provider that is part of the library.
 * @throws TrainerError 'engine' when this build has no such provider, and the message names those it has; when the
 * device is none of its; or for an option that it does not know.
 */
export function builtInProvider(api: Api, device: string, given: ProviderOptions): Provider {
  const chosen = parseDevice(device)
  const name = chosen.provider
  const built = builtProviders(api)
  if (!built.includes(name)) throw notBuilt(api, name, built)
  if (name === 'tensorrt') {
    throw new TrainerError(
      'engine',
      'TensorRT compiles a graph for fixed weights, which training changes at every step.',
      { fix: "Use 'cuda'." },
    )
  }
  const options = checkedOptions(chosen, given)
  const memory = named[name]?.memory
  const append = (library: Api, sessionOptions: Pointer): void => {
    if (name === 'cpu') return
    if (name === 'webgpu' && smallStacks()) throw stackError()
    if (name === 'cuda') appendCuda(library, sessionOptions, options)
    else appendByName(library, sessionOptions, named[name]?.append ?? device, options)
  }
  const index = Number(options['device_id'] ?? 0)
  return { name, append, ...(memory !== undefined && { memory }), ...(index > 0 && { index }) }
}

/** What other programs call a device that has another name here. */
const otherNames: Readonly<Record<string, string>> = { gpu: 'auto', nvidia: 'cuda', directml: 'dml', mps: 'webgpu' }

/** Where providers are that have a system of their own. */
const homes: Readonly<Record<string, string>> = {
  dml: 'DirectML is of Windows, where onnxruntime-node has it.',
  coreml: 'CoreML is of macOS, where onnxruntime-node has it.',
}

function notBuilt(api: Api, name: string, built: readonly string[]): TrainerError {
  const meant = otherNames[name] ?? nearest(name, [...built, 'auto'])
  return new TrainerError(
    'engine',
    `Provider '${name}' is not in this build of ONNX Runtime (${api.version}, ${api.path}), ` +
      `which has: ${built.join(', ')}.`,
    {
      fix:
        homes[name] !== undefined
          ? `${homes[name]} Here use one of: ${[...built.filter(one => one !== 'tensorrt'), 'auto'].join(', ')}.`
          : meant === undefined || meant === name
            ? 'Use one of these, or name a library with it in ONNXRUNTIME_LIBRARY.'
            : `Did you mean '${meant}'?`,
    },
  )
}

/**
 * A provider from a plug-in library.
 *
 * `device` is its name and, after a colon, which of its devices: the kind of hardware (cpu, gpu, npu) or any value of
 * its metadata.
 * @throws TrainerError 'engine' when the plug-in does not load or has no such device; the message names those it has.
 */
export function pluginProvider(api: Api, library: string, device: string, options: ProviderOptions): Provider {
  const found = registerPlugin(api, resolve(library))
  const [wanted = '', kind] = device.toLowerCase().split(':')
  const matches = found.filter(
    ({ name, labels }) => name === shortName(wanted) && (kind === undefined || labels.includes(kind)),
  )
  const chosen = matches[0] ?? nthOf(found, shortName(wanted), kind)
  if (chosen === undefined) {
    const list = found.map(({ name, labels }) => `${name}:${labels.join('|')}`).join(', ')
    throw new TrainerError(
      'engine',
      `The plug-in ${library} has no device '${device}'. It has: ${list || 'none on this machine'}.`,
      {
        fix:
          list === ''
            ? "It has no device for this hardware: OpenVINO's needs an Intel processor."
            : 'Name one of these as device, as in openvino:cpu.',
      },
    )
  }
  const append = (_: Api, sessionOptions: Pointer): void =>
    nativePointers([chosen.device]).use(list =>
      withOptions(options, (keys, values, count) =>
        api.SessionOptionsAppendExecutionProvider_V2(sessionOptions, environmentOf(api), list, 1, keys, values, count),
      ),
    )
  return {
    name: chosen.name,
    append,
    ...(chosen.memoryInfo !== 0n && { memory: chosen.name, memoryInfo: chosen.memoryInfo }),
  }
}

/**
 * Kinds of hardware that ONNX Runtime sees on this machine: cpu, gpu, npu; undefined where the library is too old to
 * say.
 */
export function hardwareKinds(api: Api): string[] | undefined {
  if (!api.has('GetHardwareDevices')) return undefined
  const environment = environmentOf(api)
  const count = Number(api.GetNumHardwareDevices(environment))
  const devices = new BigUint64Array(new ArrayBuffer(8 * count))
  new NativeMemory(devices).use(list => api.GetHardwareDevices(environment, list, count))
  return Array.from(devices, device => hardware[api.HardwareDevice_Type(device)] ?? 'other')
}

const hardware = ['cpu', 'gpu', 'npu']

interface PluginDevice {
  readonly device: Pointer
  readonly name: string
  /** The kind of hardware, then the values of the metadata, in lower case. */
  readonly labels: readonly string[]
  /** 0n where its values lie in the processor's memory. */
  readonly memoryInfo: Pointer
}

/** The device of 'name:1', where none is labelled so. */
function nthOf(found: readonly PluginDevice[], name: string, index: string | undefined): PluginDevice | undefined {
  return /^\d+$/.test(index ?? '') ? found.filter(device => device.name === name)[Number(index)] : undefined
}

const plugins = new WeakMap<Api, Map<string, PluginDevice[]>>()

/** Registers a plug-in once for the process, and lists the devices that came with it. */
function registerPlugin(api: Api, path: string): PluginDevice[] {
  const known = plugins.get(api) ?? new Map<string, PluginDevice[]>()
  plugins.set(api, known)
  let devices = known.get(path)
  if (devices !== undefined) return devices
  const before = new Set(listDevices(api))
  try {
    api.RegisterExecutionProviderLibrary(environmentOf(api), `ts-trainer:${known.size}:${path}`, path)
  } catch (cause) {
    const reason = cause instanceof StatusError ? cause.reason : String(cause)
    throw new TrainerError('engine', `The plug-in provider ${path} does not load: ${reason}`, {
      fix:
        'Check the path, that it was built for this version of ONNX Runtime, and that the libraries it needs ' +
        'are beside it.',
      cause,
    })
  }
  devices = listDevices(api)
    .filter(device => !before.has(device))
    .map(device => describeDevice(api, device))
  known.set(path, devices)
  return devices
}

function listDevices(api: Api): Pointer[] {
  const [list = 0n, count = 0n] = api.GetEpDevices(environmentOf(api))
  return pointersAt(list, Number(count))
}

function describeDevice(api: Api, device: Pointer): PluginDevice {
  const kind = hardware[api.HardwareDevice_Type(api.EpDevice_Device(device))] ?? 'other'
  const [, values = 0n, count = 0n] = api.GetKeyValuePairs(api.EpDevice_EpMetadata(device))
  const metadata = pointersAt(values, Number(count)).map(pointer => textAt(pointer).toLowerCase())
  const info = api.has('EpDevice_MemoryInfo') ? api.EpDevice_MemoryInfo(device, 0) : 0n
  const memoryInfo = info !== 0n && Number(api.MemoryInfoGetDeviceType(info)) !== 0 ? info : 0n
  return { device, name: shortName(api.EpDevice_EpName(device)), labels: [...new Set([kind, ...metadata])], memoryInfo }
}

function appendCuda(api: Api, sessionOptions: Pointer, options: ProviderOptions): void {
  preloadCuda(dirname(api.path))
  const cuda = api.CreateCUDAProviderOptions()
  try {
    withOptions(options, (keys, values, count) => api.UpdateCUDAProviderOptions(cuda, keys, values, count))
    api.SessionOptionsAppendExecutionProvider_CUDA_V2(sessionOptions, cuda)
  } finally {
    api.ReleaseCUDAProviderOptions(cuda)
  }
}

function appendByName(api: Api, sessionOptions: Pointer, name: string, options: ProviderOptions): void {
  withOptions(options, (keys, values, count) =>
    api.SessionOptionsAppendExecutionProvider(sessionOptions, name, keys, values, count),
  )
}

function withOptions(options: ProviderOptions, call: (keys: Pointer, values: Pointer, count: number) => void): void {
  nativeTexts(Object.keys(options)).use(keys =>
    nativeTexts(Object.values(options)).use(values => call(keys, values, Object.keys(options).length)),
  )
}

function stackError(): TrainerError {
  return new TrainerError(
    'engine',
    "The stacks of koffi's threads are too small for WebGPU's shaders, because another library was opened first.",
    {
      fix:
        'Create the engine before opening that library, or call koffi.config({ async_stack_size: 8 * 1024 * 1024 }) ' +
        'before it.',
    },
  )
}
