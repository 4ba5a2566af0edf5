import { TrainerError } from '../errors'
import type { DeviceName } from './deviceName'
import { unknownOption } from './startError'

/** Options of a provider as its session gets them, by its own keys. */
export type ProviderOptions = Readonly<Record<string, string>>

/**
 * The options of providers that ignore those that they do not know; CUDA, CoreML and plug-ins refuse them themselves.
 * WebGPU's are those of ONNX Runtime 1.30, without the ones that take addresses of memory.
 */
export const knownOptions: Readonly<Record<string, readonly string[]>> = {
  webgpu: [
    'powerPreference',
    'validationMode',
    'enableRobustness',
    'preferredLayout',
    'storageBufferCacheMode',
    'uniformBufferCacheMode',
    'queryResolveBufferCacheMode',
    'defaultBufferCacheMode',
    'sessionBufferPoolGenerations',
    'maxStorageBufferBindingSize',
    'maxNumPendingDispatches',
    'dawnBackendType',
    'preserveDevice',
    'enableInt64',
    'forceCpuNodeNames',
    'enablePIXCapture',
    'multiRotaryCacheConcatOffset',
    'enableGraphCapture',
  ],
  dml: ['device_id', 'performance_preference', 'device_filter', 'disable_metacommands', 'enable_dynamic_graph_fusion'],
}

/** Options that record a run and play it again. */
const captures: Readonly<Record<string, string>> = { cuda: 'enable_cuda_graph', webgpu: 'enableGraphCapture' }

/** The options of a provider that are not refused. */
function usable(provider: string): readonly string[] {
  return (knownOptions[provider] ?? []).filter(key => key !== captures[provider])
}

/**
 * What a built-in provider gets: its options, and the number of its device.
 * @throws TrainerError 'engine' that names an option which the provider does not know or the engine cannot honour.
 */
export function checkedOptions({ provider, index }: DeviceName, given: ProviderOptions): ProviderOptions {
  const options = Object.fromEntries(Object.entries(given).map(([key, value]) => [bareKey(provider, key), value]))
  const [first] = Object.keys(options)
  if (provider === 'cpu' && first !== undefined) {
    throw new TrainerError('engine', `The provider 'cpu' takes no options, but providerOptions has "${first}".`, {
      fix: 'Leave providerOptions out, or name a device.',
    })
  }
  for (const [key, value] of Object.entries(options)) {
    if (typeof value !== 'string') throw notText(key, value)
    if (knownOptions[provider]?.includes(key) === false) throw unknownOption(provider, key, usable(provider))
  }
  refuseCapture(provider, options)
  if (index === undefined) return options
  const own = options['device_id']
  if (own !== undefined && own !== String(index)) {
    throw new TrainerError('engine', `device is '${provider}:${index}', but providerOptions has device_id: '${own}'.`, {
      fix: 'Leave device_id out.',
    })
  }
  return { ...options, device_id: String(index) }
}

/** WebGPU's keys are also written as they are in a session's configuration. */
function bareKey(provider: string, key: string): string {
  return provider === 'webgpu' ? key.replace(/^ep\.webgpuexecutionprovider\./i, '') : key
}

/** A recorded run reads and writes at recorded addresses, while the engine hands in others each time. */
function refuseCapture(provider: string, options: ProviderOptions): void {
  const key = captures[provider]
  if (key === undefined || !/^(1|true)$/i.test(options[key] ?? '')) return
  throw new TrainerError(
    'engine',
    `The provider option ${key} would play recorded runs again at their old addresses, but the engine gives every ` +
      'run its own tensors.',
    { fix: `Leave ${key} out.` },
  )
}

function notText(key: string, value: unknown): TrainerError {
  return new TrainerError('argument', `The provider option "${key}" has to be a text, but is ${String(value)}.`, {
    fix: `Write ${key}: '${typeof value === 'boolean' ? Number(value) : String(value)}'.`,
  })
}
