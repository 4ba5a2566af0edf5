import { TrainerError } from '../errors'
import type { Api } from './capi'
import { builtProviders, hardwareKinds } from './providers'
import type { Engine } from './types'

/** What 'auto' tries before the processor, the best first. */
const preferred = ['cuda', 'webgpu'] as const

/**
 * The best device that works: CUDA, then WebGPU where the machine has a GPU, then the processor.
 * @param create makes an engine on a device, with the reason to give it
 */
export function chooseDevice(api: Api, create: (device: string, reason: string) => Engine): Engine {
  const refused: string[] = []
  for (const device of preferred) {
    const hindrance = hindranceOf(api, device)
    if (hindrance !== undefined) {
      refused.push(`${device}: ${hindrance}`)
      continue
    }
    try {
      return create(device, because(`'${device}' is the best that works`, refused))
    } catch (error) {
      if (!(error instanceof TrainerError)) throw error
      refused.push(`${device}: ${error.problem.replace(/\.$/, '')}`)
    }
  }
  return create('cpu', because("'cpu' is what works", refused))
}

/** Why a device is not even tried; undefined when it is worth a try. */
function hindranceOf(api: Api, device: string): string | undefined {
  if (!builtProviders(api).includes(device)) return 'not in this build of ONNX Runtime'
  // WebGPU also runs in software, far slower than the processor's own provider.
  if (device === 'webgpu' && hardwareKinds(api)?.includes('gpu') === false) return 'no GPU on this machine'
  return undefined
}

function because(choice: string, refused: readonly string[]): string {
  return refused.length === 0 ? `auto: ${choice}` : `auto: ${choice} (${refused.join('; ')})`
}
