import { statfs } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { canInstallCuda, type ChosenBuild, chooseBuild, cudaFolder } from '../engine/cuda'
import { type CudaBuild, cudaBuilds, type CudaMajor } from '../engine/cudaWheels'
import { nvidiaDriver } from '../engine/driver'
import { cacheFolder, type PinnedWheel } from '../engine/pinnedWheel'
import { TrainerError } from '../errors'
import { expandHome, makeFolder } from '../files/paths'
import { checkOptions } from '../options'
import { filesOf, writeWheels } from './install'
import type { NameOf, UnpackedFile } from './wheel'

export interface InstallCudaOptions {
  /** The version of CUDA; by default the newest that the driver of this machine runs, without a driver 13. */
  readonly cuda?: CudaMajor | undefined
  /** The package index to use, instead of those in pip's configuration. */
  readonly indexUrl?: string | undefined
  /** A folder on this machine with all wheels, instead of an index. */
  readonly wheels?: string | undefined
  /** Receives lines: what will be fetched, and the progress. */
  readonly report?: ((line: string) => void) | undefined
}

export interface InstalledCuda {
  readonly folder: string
  /** The version of CUDA. */
  readonly cuda: CudaMajor
  /** The version of ONNX Runtime. */
  readonly version: string
  /** The libraries, with their sizes, and the texts of their licences. */
  readonly files: readonly UnpackedFile[]
  /** Everything was installed before: nothing was fetched. */
  readonly wasThere: boolean
}

/**
 * Puts ONNX Runtime with CUDA and the libraries of NVIDIA's that it needs into the user's cache, where the engine finds
 * them for device 'cuda': pinned wheels of the Python package index, their hashes checked.
 * @throws TrainerError (`engine`) on a platform or with a driver that there are no such wheels for, (`file`) when the
 * disk is too small, or when a wheel cannot be fetched or is a different one.
 */
export async function installCuda(options: InstallCudaOptions = {}): Promise<InstalledCuda> {
  checkOptions(options, ['cuda', 'indexUrl', 'wheels', 'report'], 'installCuda()')
  if (!canInstallCuda()) {
    const platform = `${process.platform} ${process.arch}`
    throw new TrainerError('engine', `ONNX Runtime with CUDA is installed on linux x64; this is ${platform}.`, {
      fix: 'Name a library that was built with CUDA in ONNXRUNTIME_LIBRARY.',
    })
  }
  return installBuild(chosenBuild(options.cuda), options)
}

/** {@link installCuda} for a build that is chosen. */
export async function installBuild(
  { build, reason }: ChosenBuild,
  options: InstallCudaOptions,
): Promise<InstalledCuda> {
  const { report = () => undefined, indexUrl, wheels } = options
  const folder = cudaFolder(build)
  const names = build.wheels.flatMap(wheel => wheel.members.map(member => nameOf(member, wheel)))
  const there = await filesOf(folder, names)
  const installed = { folder, cuda: build.cuda, version: build.version }
  if (there !== undefined) return { ...installed, files: there, wasThere: true }
  for (const line of announcement(build, reason, folder)) report(line)
  await checkSpace(build)
  await writeWheels(build.wheels, folder, nameOf, {
    indexUrl,
    report,
    otherWay: downloading(build),
    pathOf: ({ file }) => (wheels === undefined ? undefined : join(expandHome(wheels), file)),
  })
  return { ...installed, files: (await filesOf(folder, names)) ?? [], wasThere: false }
}

function chosenBuild(cuda: CudaMajor | undefined): ChosenBuild {
  if (cuda === undefined) return chooseBuild(nvidiaDriver())
  const build = Object.hasOwn(cudaBuilds, cuda) ? cudaBuilds[cuda] : undefined
  if (build !== undefined) return { build, reason: 'it was asked for' }
  throw new TrainerError('argument', `There is no build for CUDA '${String(cuda)}'.`, {
    fix: `Write '12', which needs driver ${cudaBuilds['12'].driver} or newer, or '13', which needs driver ${cudaBuilds['13'].driver} or newer.`,
  })
}

/** Libraries beside each other; the texts of a wheel in a folder of its own. */
const nameOf: NameOf = (member, { project }) =>
  /\.so(\.|$)/.test(member) ? basename(member) : join('licenses', project, basename(member))

function announcement(build: CudaBuild, reason: string, folder: string): string[] {
  const fetched = build.wheels.reduce((sum, { bytes }) => sum + bytes, 0)
  return [
    `ONNX Runtime ${build.version} with CUDA ${build.cuda}:`,
    `${reason}.`,
    `${build.wheels.length} wheels, ${gigabytes(fetched)} to fetch, ${gigabytes(build.unpacked)} on the disk, in`,
    folder,
    "Licences: ONNX Runtime has MIT's. CUDA and cuDNN are NVIDIA's, under its own",
    'terms, which you accept by installing them. The texts will be in licenses/ there.',
  ]
}

/** @throws TrainerError where the disk has less free than the build takes, with the largest wheel beside it. */
async function checkSpace(build: CudaBuild): Promise<void> {
  const place = cacheFolder()
  await makeFolder(place)
  const { bavail, bsize } = await statfs(place)
  const needed = build.unpacked + Math.max(...build.wheels.map(({ bytes }) => bytes))
  if (bavail * bsize >= needed) return
  throw new TrainerError('file', `${place} has ${gigabytes(bavail * bsize)} free; ${gigabytes(needed)} are needed.`, {
    fix: 'Name a folder on another disk in the environment variable TS_TRAINER_CACHE, here and when you train.',
  })
}

/** The advice where an index cannot be reached: pip, for the Python that the wheels are of. */
function downloading({ wheels }: CudaBuild): string {
  const named = wheels.map(({ project, version }: PinnedWheel) => `${project}==${version}`).join(' ')
  const command = `pip download --no-deps --only-binary=:all: --python-version 3.12 -d FOLDER ${named}`
  return `Run \`${command}\` and give the folder: --wheels FOLDER.`
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`
}
