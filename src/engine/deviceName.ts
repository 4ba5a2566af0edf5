import { TrainerError } from '../errors'

/** A device that the library is built for, as the option names it. */
export interface DeviceName {
  /** The provider's short name: 'cuda' of 'cuda:1' and of 'CUDAExecutionProvider'. */
  readonly provider: string
  /** Which of its devices; undefined where that was not said. */
  readonly index: number | undefined
}

/** Providers whose devices have a number, which is their option device_id. */
const numbered = ['cuda', 'dml']

/**
 * Reads 'cuda' or 'cuda:1'.
 * @throws TrainerError 'argument' where what follows the colon is not a number, or the provider's devices have none.
 */
export function parseDevice(device: string): DeviceName {
  const colon = device.indexOf(':')
  if (colon < 0) return { provider: shortName(device), index: undefined }
  const [provider, number] = [shortName(device.slice(0, colon)), device.slice(colon + 1)]
  if (!numbered.includes(provider)) throw notNumbered(device, provider)
  if (!/^\d{1,3}$/.test(number)) {
    throw new TrainerError('argument', `Device '${device}' is not one: a number has to follow the colon.`, {
      fix: `Write '${provider}:0' for the first device of '${provider}', '${provider}:1' for the second.`,
    })
  }
  return { provider, index: Number(number) }
}

/** Whether a device is of the provider 'cuda', whatever number follows. */
export function isCuda(device: string): boolean {
  return shortName(device.split(':')[0]!) === 'cuda'
}

/** 'CUDAExecutionProvider' → 'cuda'. */
export function shortName(provider: string): string {
  return provider.replace(/ExecutionProvider$/i, '').toLowerCase()
}

const otherWays: Readonly<Record<string, string>> = {
  cpu: "Write 'cpu'; the option threads says how many threads.",
  auto: "Write 'auto', or the device that is meant: 'cuda:1'.",
  webgpu:
    "Write 'webgpu'. Which of several GPUs it takes follows from the provider option powerPreference, " +
    "'high-performance' or 'low-power'.",
  coreml: "Write 'coreml'. What it takes follows from the provider option MLComputeUnits.",
}

function notNumbered(device: string, provider: string): TrainerError {
  const fix =
    otherWays[provider] ?? `The provider of a plug-in needs its file: pluginLibrary: '/path/to/${provider}_plugin.so'.`
  return new TrainerError('argument', `Device '${device}' is not one: devices of '${provider}' are not chosen so.`, {
    fix,
  })
}
