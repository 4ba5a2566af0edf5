// Libraries that a provider needs and that are not there: what they are, and the command that brings them
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { canInstallCuda, cudaProviderFile, installedBuilds } from './cuda'
import { cudaBuilds } from './cudaWheels'
import { driverLibrary, kernelHasDriver } from './driver'
import { canOpen } from './nativeLibrary'
import { neededLibraries } from './needed'

/** The name of a library that an error of ONNX Runtime, or of the system's loader, says is missing. */
export function missingLibrary(reason: string): string | undefined {
  const linux = [...reason.matchAll(/(?:^|[\s:/])(lib[\w+-]+\.so(?:\.\d+)*): cannot open shared object file/g)]
  return linux.at(-1)?.[1] ?? /depends on "([^"]+\.dll)" which is missing/i.exec(reason)?.[1]
}

/** What a library is, with the version of CUDA that it belongs to. */
export function describeLibrary(file: string): string {
  const [, stem = '', version] = /^(?:lib)?(\w+?)(?:64)?(?:\.so\.|_)?(\d+)?(?:\.|$)/i.exec(file) ?? []
  const parts: Readonly<Record<string, string>> = {
    cublas: `cuBLAS of CUDA ${version}`,
    cublasLt: `cuBLAS of CUDA ${version}`,
    cudart: `the runtime of CUDA ${version}`,
    nvrtc: `the compiler of CUDA ${version}`,
    curand: 'cuRAND of CUDA',
    cufft: 'cuFFT of CUDA',
    cudnn: `cuDNN ${version}`,
    cuda: "NVIDIA's driver",
    vulkan: 'the Vulkan loader',
  }
  const what =
    file === driverLibrary ? parts['cuda'] : /^(lib)?onnxruntime_providers/.test(file) ? provider : parts[stem]
  return what === undefined ? file : `${what} (${file})`
}

const provider = "ONNX Runtime's CUDA provider"

/** What brings a missing library; undefined for one that is not known. */
export function bringing(file: string): string | undefined {
  if (file === driverLibrary) return bringingDriver()
  if (/^(lib)?vulkan/.test(file))
    return 'Install the Vulkan loader and a graphics driver with Vulkan: on Debian and Ubuntu, apt install libvulkan1.'
  if (!/^(lib)?(onnxruntime_providers|cu|nv)/.test(file)) return undefined
  if (!canInstallCuda())
    return "Install NVIDIA's CUDA and cuDNN in the versions that this ONNX Runtime asks for, where the loader finds them."
  if (installedBuilds().length === 0) return 'Run: npx ts-trainer install cuda.'
  return "It is installed by `npx ts-trainer install cuda`, and is taken where the process's first engine is on 'cuda' and names no other library (ONNXRUNTIME_LIBRARY, the option library)."
}

/** What to do about a missing library, and first about the driver where that is missing too: CUDA starts only with both. */
export function bringingBoth(file: string): string | undefined {
  const advice = bringing(file)
  const isOfCuda = /install cuda/.test(advice ?? '')
  return isOfCuda && missingDriver() ? `${bringingDriver()} ${advice}` : advice
}

function missingDriver(): boolean {
  return process.platform === 'linux' && !canOpen(driverLibrary)
}

/** What to do where there is no driver. */
export function bringingDriver(): string {
  return kernelHasDriver()
    ? "The system has NVIDIA's driver, and this container does not: start it with --gpus all (NVIDIA Container Toolkit)."
    : `Install NVIDIA's driver, ${cudaBuilds['12'].driver} or newer for CUDA 12, ${cudaBuilds['13'].driver} or newer for CUDA 13; in a container, start it with --gpus all.`
}

/** The version of CUDA that the provider beside a library was built for; undefined where there is none. */
export function wantedCuda(folder: string): string | undefined {
  const file = join(folder, cudaProviderFile)
  if (process.platform !== 'linux' || !existsSync(file)) return undefined
  return /^libcublas\.so\.(\d+)$/m.exec(neededLibraries(file).join('\n'))?.[1]
}

/** The libraries that a provider needs and that neither lie beside ONNX Runtime nor are found by the loader. */
export function missingFor(name: string, folder: string): string[] {
  if (process.platform !== 'linux') return []
  if (name === 'webgpu') return absent(['libvulkan.so.1'], folder)
  if (name !== 'cuda') return []
  const file = join(folder, cudaProviderFile)
  if (!existsSync(file)) return [...absent([driverLibrary], folder), cudaProviderFile]
  const wanted = neededLibraries(file).filter(library => /^lib(cu|nv)/.test(library))
  return absent([...new Set([driverLibrary, ...wanted, 'libcudnn.so.9'])], folder)
}

function absent(libraries: readonly string[], folder: string): string[] {
  return libraries.filter(library => !existsSync(join(folder, library)) && !canOpen(library))
}
