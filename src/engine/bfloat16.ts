// float32 programs computed in bfloat16 on the processor, by OpenVINO's plug-in: ONNX Runtime's own provider has no
// such products
import { TrainerError } from '../errors'
import { openvinoLibrary } from './openvino'
import { processorFlags } from './processor'
import type { EngineOptions } from './types'

/** How many shapes OpenVINO keeps its preparations for; each takes some 11 MB. */
const rememberedShapes = 100

/** Where a program is to run in bfloat16, and what decides whether it can. */
export interface Bfloat16Options {
  /** Only 'cpu' (default) is known to do it. */
  readonly device?: string | undefined
  /**
   * The plug-in's file; the environment variable TS_TRAINER_OPENVINO, else what `npx ts-trainer install openvino` left,
   * unless given.
   */
  readonly pluginLibrary?: string | undefined
  /** The processor's instruction sets, undefined where they are not known; those of this machine unless given. */
  readonly flags?: ReadonlySet<string> | undefined
}

/**
 * Checks that computing in bfloat16 pays on this machine.
 * @returns the plug-in's file.
 * @throws TrainerError ('engine') on another device, where the processor has no AMX, without which bfloat16 is slower
 * than float32 on Intel's processors and not offered on others, or where there is no plug-in.
 */
export function checkBfloat16(options: Bfloat16Options = {}): string {
  const { device = 'cpu', pluginLibrary } = options
  const flags = 'flags' in options ? options.flags : processorFlags()
  if (device !== 'cpu') {
    throw new TrainerError('engine', `The precision bfloat16 is one of engines on 'cpu', but device is '${device}'.`, {
      fix: "Leave precision out. On 'cuda' the argument bf16 of training writes programs with bfloat16 inside.",
    })
  }
  if (flags?.has('amx_bf16') !== true) {
    const lack =
      flags === undefined
        ? 'this system does not say whether its processor has AMX (amx_bf16)'
        : 'this processor has no AMX (amx_bf16)'
    throw new TrainerError('engine', `bfloat16 on the CPU is computed with AMX, and ${lack}.`, {
      fix: 'Leave bf16 and bf16FullEval out: float32 is faster here.',
    })
  }
  const library = pluginLibrary ?? openvinoLibrary()
  if (library !== undefined) return library
  throw new TrainerError(
    'engine',
    "bfloat16 on the CPU is computed by OpenVINO's plug-in for ONNX Runtime, which is not installed.",
    {
      fix:
        'Run: npx ts-trainer install openvino. Or name an installed library with pluginLibrary or the environment ' +
        'variable TS_TRAINER_OPENVINO.',
    },
  )
}

/**
 * An engine's options, changed to those of OpenVINO in bfloat16.
 * @throws TrainerError ('engine') where that cannot be, see {@link checkBfloat16}.
 */
export function bfloat16Engine(
  options: EngineOptions & { readonly threads: number },
): EngineOptions & { readonly threads: number; readonly device: string } {
  const { threads, providerOptions } = options
  const pluginLibrary = checkBfloat16(options)
  if (providerOptions?.load_config !== undefined) {
    throw new TrainerError('engine', 'bfloat16 sets the provider option load_config, which providerOptions sets too.', {
      fix: "Leave load_config out, or use device: 'openvino:cpu' with pluginLibrary and your load_config, not bf16.",
    })
  }
  const config = {
    CPU: {
      INFERENCE_PRECISION_HINT: 'bf16',
      INFERENCE_NUM_THREADS: String(threads),
      CPU_RUNTIME_CACHE_CAPACITY: String(rememberedShapes),
    },
  }
  return {
    ...options,
    device: 'openvino:cpu',
    pluginLibrary,
    providerOptions: { load_config: JSON.stringify(config), ...providerOptions },
  }
}
