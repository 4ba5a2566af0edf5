import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { PinnedWheel } from '../engine/pinnedWheel'
import { TrainerError } from '../errors'
import { errorCode } from '../files/systemErrors'
import { writeFileWhole } from '../files/writeFile'
import { findInIndex, type Opened, openUrl, shownUrl } from './packageIndex'
import { type PipSettings, readPipSettings } from './pipSettings'
import { type NameOf, unpackWheel } from './wheel'

/** Where a wheel comes from, and what to do where it cannot be had. */
export interface Fetching {
  /** The package index to use, instead of those in pip's configuration. */
  readonly indexUrl: string | undefined
  /** Receives lines about the progress. */
  readonly report: ((line: string) => void) | undefined
  /** Another way to the wheel, for the error's end. */
  readonly otherWay: string
}

/** Milliseconds between two lines about the progress of a download. */
const reportInterval = 3000

/**
 * Fetches a wheel and unpacks it into a folder. Tries one index after the other; if none has the wheel, the error says
 * what was wrong with each.
 */
export async function fetchAndUnpack(
  wheel: PinnedWheel,
  temporary: string,
  nameOf: NameOf,
  { indexUrl, report = () => undefined, otherWay }: Fetching,
): Promise<void> {
  const settings = readPipSettings()
  const failures: string[] = []
  for (const index of indexUrl === undefined ? settings.indexes : [indexUrl]) {
    const path = join(temporary, wheel.file)
    let from = ''
    try {
      const url = await findInIndex(index, wheel.project, wheel.file)
      from = shownUrl(url)
      await writeFileWhole(path, watched(await openUrl(url), wheel.bytes, report))
      await unpackWheel(path, wheel, temporary, nameOf)
      return await rm(path)
    } catch (error) {
      const isFaultOfIndex = error instanceof TrainerError && errorCode(error.cause) === undefined
      if (!isFaultOfIndex) throw error
      failures.push(error.message.replaceAll(path, from))
    }
  }
  const what = failures.length > 0 ? failures.join(' ') : "pip's settings say no-index, and --index-url is not given."
  throw new TrainerError('file', `Cannot fetch ${wheel.file}: ${what}`, { fix: `${unlikePip(settings)}${otherWay}` })
}

/** What pip would do differently, which may be why the index was not reached. */
function unlikePip({ others }: PipSettings): string {
  const proxies = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']
  const hasProxy = others['proxy'] !== undefined || proxies.some(name => process.env[name])
  const hasCertificate = others['cert'] !== undefined && !process.env['NODE_EXTRA_CA_CERTS']
  const unused = [
    ...(hasProxy ? ['a proxy'] : []),
    ...(hasCertificate ? ["pip's cert (set NODE_EXTRA_CA_CERTS instead)"] : []),
  ]
  return unused.length > 0 ? `Unlike pip, this command does not use ${unused.join(' or ')}. ` : ''
}

/** Passes on a download's bytes, counts them and reports the count at intervals. */
async function* watched(
  { url, size, body }: Opened,
  limit: number,
  report: (line: string) => void,
): AsyncGenerator<Uint8Array> {
  const tooLarge = (bytes: number): TrainerError =>
    new TrainerError('file', `${shownUrl(url)} has ${bytes} bytes or more, and the expected wheel has ${limit}.`)
  if (size !== undefined && size > limit) throw tooLarge(size)
  const total = size === undefined ? '' : ` of ${megabytes(size)}`
  report(`Fetching ${shownUrl(url)}${size === undefined ? '' : `: ${megabytes(size)}`}`)
  let done = 0
  let reportedAt = performance.now()
  for await (const piece of body) {
    done += piece.length
    if (done > limit) throw tooLarge(done)
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
