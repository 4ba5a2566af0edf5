// how far the files of one fetch are
import type { TextStream } from '../terminal/TextStream'
import { workReporter, type WorkProgress } from '../terminal/workProgress'
import type { HubEnvironment } from './environment'
import type { ListedFile } from './listing'

/** Milliseconds between two reports; a fetch that ends before the first is not shown at all. */
const reportInterval = 200

/** Made at the first report: importing this file touches no stream. */
let onTerminal: ((progress: WorkProgress) => void) | undefined

/** How far a fetch is. */
export interface DownloadProgress {
  /** Says how many bytes of a file there are. */
  update(path: string, bytes: number): void
  /** Releases the bar: full, or where the fetch failed. */
  end(isWhole: boolean): void
}

/**
 * One bar for all files of a fetch on a terminal; elsewhere a line twice a minute.
 * @param stream where it is shown; standard error by default.
 */
export function downloadProgress(
  { showsProgress }: HubEnvironment,
  id: string,
  files: readonly ListedFile[],
  stream?: TextStream,
): DownloadProgress {
  const total = files.reduce((sum, { size }) => sum + size, 0)
  const label = files.length === 1 ? files[0]!.path.replace(/.*\//, '') : `${files.length} files`
  const description = `Fetching ${label} of ${id}`
  const start = performance.now()
  const bytesOf = new Map<string, number>()
  let done = 0
  let last = start
  let shown = false
  let report = stream && workReporter(stream)
  const show = (bytes: number, stopped?: boolean): void => {
    const elapsed = performance.now() - start
    shown = true
    report ??= onTerminal ??= workReporter()
    report({ description, label, done: bytes, total, elapsed, unit: 'bytes', stopped })
  }
  return {
    update(path, bytes) {
      done += bytes - (bytesOf.get(path) ?? 0)
      bytesOf.set(path, bytes)
      if (!showsProgress || performance.now() - last < reportInterval) return
      last = performance.now()
      show(Math.min(done, total - 1)) // full only at the end: files are still checked
    },
    end(isWhole) {
      if (shown) show(isWhole ? total : Math.min(done, total - 1), !isWhole)
    },
  }
}
