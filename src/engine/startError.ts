import { nearest, TrainerError } from '../errors'
import { bringingBoth, bringingDriver, missingLibrary } from './missing'
import type { StatusError } from './StatusError'

/** Options that people write, of providers that themselves know which there are. */
const written: Readonly<Record<string, readonly string[]>> = {
  cuda: [
    'device_id',
    'use_tf32',
    'gpu_mem_limit',
    'arena_extend_strategy',
    'cudnn_conv_algo_search',
    'cudnn_conv_use_max_workspace',
    'do_copy_in_default_stream',
    'prefer_nhwc',
  ],
  coreml: ['ModelFormat', 'MLComputeUnits', 'RequireStaticInputShapes', 'EnableOnSubgraphs'],
}

/** Why a provider does not start: ONNX Runtime's words, with what to do. */
export function startError(provider: string, cause: StatusError): TrainerError {
  const { reason } = cause
  const unknown = /unknown (?:provider )?option:? ["']?(\w[\w.]*\w)/i.exec(reason)?.[1]
  if (unknown !== undefined) return unknownOption(provider, unknown, written[provider] ?? [], cause)
  return new TrainerError('engine', `Provider '${provider}' does not start: ${reason}`, {
    fix: adviceFor(provider, reason),
    cause,
  })
}

/** The error for an option that a provider does not have. */
export function unknownOption(
  provider: string,
  option: string,
  options: readonly string[],
  cause?: unknown,
): TrainerError {
  const meant = nearest(option, options)
  const has = options.length === 0 ? 'Leave it out.' : `It has, among others: ${options.join(', ')}.`
  return new TrainerError('engine', `The provider '${provider}' has no option "${option}".`, {
    fix: meant !== undefined ? `Did you mean "${meant}"?` : has,
    ...(cause !== undefined && { cause }),
  })
}

function adviceFor(provider: string, reason: string): string {
  const missing = missingLibrary(reason)
  const advice = missing === undefined ? undefined : bringingBoth(missing)
  return (
    advice ?? adviceForCode(reason) ?? general[provider] ?? "Check the provider's options and the libraries it needs."
  )
}

/** What to do about an error of CUDA, by its number: those of cudaError_t. */
function adviceForCode(reason: string): string | undefined {
  switch (/CUDA failure (\d+)/.exec(reason)?.[1]) {
    case '35': // insufficient driver, which is also what the runtime says where there is none
      return bringingDriver()
    case '100': // no device
      return 'No NVIDIA GPU is seen: look at nvidia-smi and at the environment variable CUDA_VISIBLE_DEVICES.'
    case '101': // invalid device
      return "There is no GPU with this index: `npx ts-trainer doctor` lists them, 'cuda:0' is the first."
    case '803': // driver and its library differ
      return "NVIDIA's driver was renewed while it ran: restart the machine."
    default:
      return /provider option|invalid .*(mode|strategy|capture|preference|layout|value:)/i.test(reason)
        ? 'Look at the value of this option in providerOptions.'
        : undefined
  }
}

const general: Readonly<Record<string, string>> = {
  cuda: '`npx ts-trainer doctor` says which of its libraries are missing, and what brings them.',
  webgpu: 'A graphics driver with Vulkan, Metal or Direct3D 12 is needed.',
}
