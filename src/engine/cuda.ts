// ONNX Runtime with CUDA as `npx ts-trainer install cuda` leaves it: which build, where, and how its libraries are found
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { TrainerError } from '../errors'
import { type CudaBuild, cudaBuilds } from './cudaWheels'
import { cudaVersion, type NvidiaDriver } from './driver'
import { openNative } from './nativeLibrary'
import { cacheFolder } from './pinnedWheel'

/** A build, and why it is the one. */
export interface ChosenBuild {
  readonly build: CudaBuild
  readonly reason: string
}

/** Whether there are builds for this system. */
export function canInstallCuda(): boolean {
  return process.platform === 'linux' && process.arch === 'x64'
}

/** The oldest compute capability that CUDA 13 has code for. */
const capabilityOf13 = 75

/**
 * The build for a driver and its GPUs; without a driver the one for CUDA 13.
 * @throws TrainerError 'engine' for a driver that is too old for both.
 */
export function chooseBuild(driver: NvidiaDriver | undefined): ChosenBuild {
  const [older, newer] = [cudaBuilds['12'], cudaBuilds['13']]
  if (driver === undefined) {
    const reason = `no NVIDIA driver here says which; drivers before ${newer.driver} need --cuda 12`
    return { build: newer, reason }
  }
  const reason = `NVIDIA's driver here runs CUDA ${cudaVersion(driver.cuda)}`
  if (driver.cuda < 12_000)
    throw new TrainerError('engine', `${reason}; 12.0 is the least.`, {
      fix: `Install driver ${older.driver} or newer; ${newer.driver} or newer for CUDA 13.`,
    })
  if (driver.cuda < 13_000) return { build: older, reason }
  const old = driver.gpus.find(({ capability }) => capability > 0 && capability < capabilityOf13)
  if (old !== undefined) return { build: older, reason: `CUDA 13 has no code for the ${old.name} here` }
  return { build: newer, reason }
}

/** The folder in the user's cache where a build is put. */
export function cudaFolder({ cuda, version }: CudaBuild): string {
  return join(cacheFolder(), `cuda${cuda}-onnxruntime-${version}`)
}

/** The builds that are installed. */
export function installedBuilds(): CudaBuild[] {
  return Object.values(cudaBuilds).filter(build => existsSync(join(cudaFolder(build), cudaProviderFile)))
}

/** ONNX Runtime's CUDA provider, beside the library. */
export const cudaProviderFile =
  process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so'

/** The folder of the installed build that suits a driver, the newer one if both do; undefined where there is none. */
export function installedCuda(driver: NvidiaDriver | undefined): string | undefined {
  const installed = installedBuilds()
  const fitting = installed.filter(({ cuda }) => driver === undefined || driver.cuda >= 1000 * Number(cuda))
  const suited = driver !== undefined && driver.cuda >= 12_000 ? chooseBuild(driver).build : undefined
  const chosen = fitting.find(build => build === suited) ?? fitting.at(-1) ?? installed.at(-1)
  return chosen === undefined ? undefined : cudaFolder(chosen)
}

/** NVIDIA's libraries, each after those that it needs. */
const inOrder = ['cudart', 'nvrtc', 'nvJitLink', 'cublasLt', 'cublas', 'curand', 'cufft', 'cudnn']
const preloaded = new Set<string>()

/**
 * Opens NVIDIA's libraries that lie beside ONNX Runtime, once: the CUDA provider, which asks for them by name, finds
 * those that are in the process already; it does not look beside itself.
 * @throws TrainerError 'engine' when one of them does not open.
 */
export function preloadCuda(folder: string): void {
  if (process.platform !== 'linux' || preloaded.has(folder)) return
  preloaded.add(folder)
  const names = readdirSync(folder)
  for (const library of inOrder) {
    const file = names.find(name => name.startsWith(`lib${library}.so.`))
    if (file === undefined) continue
    try {
      openNative(join(folder, file), true)
    } catch (cause) {
      throw new TrainerError('engine', `${join(folder, file)} does not open: ${(cause as Error).message}.`, {
        fix: `Remove ${folder} and install it again: npx ts-trainer install cuda.`,
        cause,
      })
    }
  }
}
