import { availableParallelism } from 'node:os'
import { TrainerError } from '../errors'
import { checkOptions, shown } from '../options'
import { bfloat16Engine } from './bfloat16'
import { openApi, type Api } from './capi'
import { chooseDevice } from './devices'
import { findLibrary, refuseSecondCopy } from './library'
import { OrtEngine } from './ort'
import { processorList } from './processor'
import { builtInProvider, environmentOf, pluginProvider } from './providers'
import { startError } from './startError'
import { StatusError } from './StatusError'
import type { Engine, EngineOptions } from './types'

export type {
  DeviceBuffer,
  Engine,
  EngineOptions,
  EngineValue,
  EngineValues,
  Program,
  ProgramInput,
  ProgramOptions,
  RunOptions,
  StrayNode,
  Transfers,
} from './types'

const engineOptions = Object.keys({
  device: 1,
  library: 1,
  threads: 1,
  providerOptions: 1,
  spinning: 1,
  pluginLibrary: 1,
  precision: 1,
  deterministic: 1,
} satisfies Record<keyof EngineOptions, 1>)

/**
 * Opens ONNX Runtime on a device.
 *
 * With device 'auto' it takes the first that works of CUDA, WebGPU (where the machine has a GPU) and the processor; the
 * engine's `reason` says which and why.
 * @throws TrainerError 'engine' when the library is not found or not usable, or the provider is not in it or does not
 * start.
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  checkOptions(options, engineOptions, 'createEngine()')
  const { device = 'cpu', threads = defaultThreads() } = options
  if (!Number.isInteger(threads) || threads < 1) {
    throw new TrainerError('argument', `threads must be a whole number of at least 1, but ${threads} was given.`)
  }
  if (typeof device !== 'string')
    throw new TrainerError('argument', `device should be a text, but ${shown(device)} was given.`, {
      fix: "Write 'cpu', 'auto', 'webgpu', 'cuda', or 'cuda:1' for the second one.",
    })
  const api = openLibrary(options.library, options.pluginLibrary === undefined ? device : 'cpu')
  if (options.precision === 'bfloat16') {
    const reduced = bfloat16Engine({ ...options, threads })
    return createOn(api, reduced.device, reduced, 'bfloat16 was asked for')
  }
  if (options.pluginLibrary === undefined && device === 'auto') {
    return chooseDevice(api, (name, reason) => createOn(api, name, { ...options, threads }, reason))
  }
  return createOn(api, device, { ...options, threads }, `device '${device}' was asked for`)
}

/**
 * Opens the library that would be used for a device, without making an engine.
 * @throws TrainerError 'engine' when there is none, or when a second copy would come into the process.
 */
export function openLibrary(option?: string, device?: string): Api {
  const { path } = findLibrary(option, device)
  refuseSecondCopy(path)
  const api = openApi(path)
  environmentOf(api) // providers log through it while they are added to a session's options
  return api
}

/** What OMP_NUM_THREADS says, as for PyTorch, else one per core. */
export function defaultThreads(): number {
  const wanted = Number(process.env.OMP_NUM_THREADS)
  return Number.isInteger(wanted) && wanted > 0 ? wanted : coreCount()
}

/** Cores that this process may use: where two hardware threads share a core, they count once. */
function coreCount(): number {
  const logical = availableParallelism()
  return process.platform === 'linux' ? Math.min(logical, linuxCores() ?? logical) : logical
}

function createOn(api: Api, device: string, options: EngineOptions & { threads: number }, reason: string): Engine {
  const { pluginLibrary, providerOptions = {}, threads, spinning } = options
  const provider =
    pluginLibrary === undefined
      ? builtInProvider(api, device, providerOptions)
      : pluginProvider(api, pluginLibrary, device, providerOptions)
  const deterministic = options.deterministic ?? provider.name === 'cpu'
  try {
    return new OrtEngine(api, { provider, threads, spinning, deterministic }, reason)
  } catch (error) {
    const cause = error instanceof TrainerError && !(error instanceof StatusError) ? error.cause : error
    throw cause instanceof StatusError ? startError(provider.name, cause) : error
  }
}

/** The number of different (socket, core) pairs; undefined where the processor's list does not say, as on Arm. */
function linuxCores(): number | undefined {
  const cores = new Set<string>()
  for (const entry of (processorList() ?? '').split('\n\n')) {
    const socket = /^physical id\s*:\s*(\d+)/m.exec(entry)?.[1]
    const core = /^core id\s*:\s*(\d+)/m.exec(entry)?.[1]
    if (socket !== undefined && core !== undefined) cores.add(`${socket}:${core}`)
  }
  return cores.size === 0 ? undefined : cores.size
}
