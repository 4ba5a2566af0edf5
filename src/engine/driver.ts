import { existsSync } from 'node:fs'
import { type NativeLibrary, openNative } from './nativeLibrary'

/** NVIDIA's driver on this machine. */
export interface NvidiaDriver {
  /** The newest CUDA that it runs, as the driver says it: 12080 is 12.8. */
  readonly cuda: number
  readonly gpus: readonly NvidiaGpu[]
}

export interface NvidiaGpu {
  readonly name: string
  /** Its compute capability: 75 is 7.5. */
  readonly capability: number
  /** In bytes. */
  readonly memory: number
}

/** The file of the driver, which no installation of CUDA brings. */
export const driverLibrary = process.platform === 'win32' ? 'nvcuda.dll' : 'libcuda.so.1'

/** What the driver says of itself, asked once for the process; undefined where there is none. */
export function nvidiaDriver(): NvidiaDriver | undefined {
  asked ??= { driver: askDriver() }
  return asked.driver
}

let asked: { readonly driver: NvidiaDriver | undefined } | undefined

function askDriver(): NvidiaDriver | undefined {
  if (process.platform === 'darwin') return undefined
  try {
    const library = openNative(driverLibrary)
    const cuda = askNumber(library, 'cuDriverGetVersion')
    return cuda === undefined || cuda === 0 ? undefined : { cuda, gpus: gpusOf(library) }
  } catch {
    return undefined
  }
}

/** Whether the system's kernel has the driver, though this process, in a container perhaps, may not have its library. */
export function kernelHasDriver(): boolean {
  return existsSync('/proc/driver/nvidia/version')
}

/** 12080 → '12.8'. */
export function cudaVersion(cuda: number): string {
  return `${Math.floor(cuda / 1000)}.${Math.floor((cuda % 1000) / 10)}`
}

const attributes = { capabilityMajor: 75, capabilityMinor: 76 } // of CUdevice_attribute

function gpusOf(library: NativeLibrary): NvidiaGpu[] {
  if (library.func('cuInit', 'int', ['uint'])(0) !== 0) return []
  return Array.from({ length: askNumber(library, 'cuDeviceGetCount') ?? 0 }, (_, index) => {
    const device = askNumber(library, 'cuDeviceGet', index) ?? index
    const attribute = (number: number): number => askNumber(library, 'cuDeviceGetAttribute', number, device) ?? 0
    const name = new Uint8Array(256)
    library.func('cuDeviceGetName', 'int', ['void *', 'int', 'int'])(name, name.length, device)
    const memory = new BigUint64Array(1)
    library.func('cuDeviceTotalMem_v2', 'int', ['void *', 'int'])(memory, device)
    return {
      name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
      capability: 10 * attribute(attributes.capabilityMajor) + attribute(attributes.capabilityMinor),
      memory: Number(memory[0]),
    }
  })
}

/** What a function of the driver writes through its first pointer; undefined where it answers with an error. */
function askNumber(library: NativeLibrary, name: string, ...given: number[]): number | undefined {
  const answer = new Int32Array(1)
  const call = library.func(name, 'int', ['void *', ...given.map(() => 'int')])
  return call(answer, ...given) === 0 ? answer[0] : undefined
}
