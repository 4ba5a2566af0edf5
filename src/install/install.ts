import { rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { errorCode } from '../files/systemErrors'
import { expandHome } from '../files/paths'
import { readText } from '../files/readFile'
import { writeFileWhole } from '../files/writeFile'
import { writeFolder } from '../files/folder'
import { openvinoFolder, openvinoVersion, openvinoWheels, type PinnedWheel } from '../engine/openvino'
import { TrainerError } from '../errors'
import { checkOptions } from '../options'
import { findInIndex, type Opened, openUrl, shownUrl } from './packageIndex'
import { type PipSettings, readPipSettings } from './pipSettings'
import { type UnpackedFile, unpackWheel, wheelLimit } from './wheel'

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

/** Milliseconds between two lines about the progress of a download. */
const reportInterval = 3000

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
  await writeFolder(folder, async temporary => {
    if (options.wheel === undefined) await fetchAndUnpack(wheel, temporary, options)
    else await unpackWheel(expandHome(options.wheel), wheel, temporary)
  })
  return describe(wheel, folder, (await filesOf(folder, names)) ?? [], false)
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
async function filesOf(folder: string, names: readonly string[]): Promise<UnpackedFile[] | undefined> {
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

/** Tries one index after the other; if none has the wheel, the error says what was wrong with each. */
async function fetchAndUnpack(
  wheel: PinnedWheel,
  temporary: string,
  { indexUrl, report = () => undefined }: InstallOptions,
): Promise<void> {
  const settings = readPipSettings()
  const failures: string[] = []
  for (const index of indexUrl === undefined ? settings.indexes : [indexUrl]) {
    const path = join(temporary, wheel.file)
    let from = ''
    try {
      const url = await findInIndex(index, wheel.project, wheel.file)
      from = shownUrl(url)
      await writeFileWhole(path, watched(await openUrl(url), report))
      await unpackWheel(path, wheel, temporary)
      return await rm(path)
    } catch (error) {
      const isFaultOfIndex = error instanceof TrainerError && errorCode(error.cause) === undefined
      if (!isFaultOfIndex) throw error
      failures.push(error.message.replaceAll(path, from))
    }
  }
  const what = failures.length > 0 ? failures.join(' ') : "pip's settings say no-index, and --index-url is not given."
  throw new TrainerError('file', `Cannot fetch ${wheel.file}: ${what}`, { fix: otherWay(wheel, settings) })
}

function otherWay({ project, version }: PinnedWheel, { others }: PipSettings): string {
  const proxies = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']
  const hasProxy = others['proxy'] !== undefined || proxies.some(name => process.env[name])
  const hasCertificate = others['cert'] !== undefined && !process.env['NODE_EXTRA_CA_CERTS']
  const unused = [
    ...(hasProxy ? ['a proxy'] : []),
    ...(hasCertificate ? ["pip's cert (set NODE_EXTRA_CA_CERTS instead)"] : []),
  ]
  const why = unused.length > 0 ? `Unlike pip, this command does not use ${unused.join(' or ')}. ` : ''
  const command = `pip download ${project}==${version} --no-deps --only-binary=:all:`
  return `${why}Run \`${command}\` and give the wheel: --wheel FILE.`
}

/** Passes on a download's bytes, counts them and reports the count at intervals. */
async function* watched({ url, size, body }: Opened, report: (line: string) => void): AsyncGenerator<Uint8Array> {
  const tooLarge = (bytes: number): TrainerError =>
    new TrainerError('file', `${shownUrl(url)} has ${bytes} bytes or more; the limit is ${wheelLimit}.`)
  if (size !== undefined && size > wheelLimit) throw tooLarge(size)
  const total = size === undefined ? '' : ` of ${megabytes(size)}`
  report(`Fetching ${shownUrl(url)}${size === undefined ? '' : `: ${megabytes(size)}`}`)
  let done = 0
  let reportedAt = performance.now()
  for await (const piece of body) {
    done += piece.length
    if (done > wheelLimit) throw tooLarge(done)
    if (performance.now() - reportedAt > reportInterval) {
      reportedAt = performance.now()
      report(`  ${megabytes(done)}${total}`)
    }
    yield piece
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
