// how far the files of one fetch or one commit are
import type { TextStream } from '../terminal/TextStream'
import { workReporter, type WorkProgress } from '../terminal/workProgress'
import type { HubEnvironment } from './environment'

/** Milliseconds between two reports; what ends before the first is not shown at all. */
const reportInterval = 200

/** Made at the first report: importing this file touches no stream. */
let onTerminal: ((progress: WorkProgress) => void) | undefined

/** A file that is moved. */
export interface SizedFile {
  readonly path: string
  readonly size: number
}

/** How far files are that are fetched or sent. */
export interface TransferProgress {
  /** Says how many bytes of a file have been moved. */
  update(path: string, bytes: number): void
  /** Releases the bar: full, or where the transfer failed. */
  end(isWhole: boolean): void
}

/**
 * One bar for all files of a fetch on a terminal; elsewhere a line twice a minute.
 * @param stream where it is shown; standard error by default.
 */
export function downloadProgress(
  environment: HubEnvironment,
  id: string,
  files: readonly SizedFile[],
  stream?: TextStream,
): TransferProgress {
  return transferProgress(environment, label => `Fetching ${label} of ${id}`, files, stream)
}

/** The same for the files of a commit. */
export function uploadProgress(
  environment: HubEnvironment,
  id: string,
  files: readonly SizedFile[],
  stream?: TextStream,
): TransferProgress {
  return transferProgress(environment, label => `Uploading ${label} to ${id}`, files, stream)
}

/** A blob that says how many of its bytes have been read, anew whenever it is read again. */
export class CountedBlob extends Blob {
  override readonly size: number
  override readonly type: string
  readonly #source: Blob
  readonly #update: (bytes: number) => void

  constructor(source: Blob, update: (bytes: number) => void) {
    super([])
    this.size = source.size
    this.type = source.type
    this.#source = source
    this.#update = update
  }

  override stream(): ReturnType<Blob['stream']> {
    let bytes = 0
    const counting = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (chunk, controller) => {
        bytes += chunk.length
        this.#update(bytes)
        controller.enqueue(chunk)
      },
    })
    return this.#source.stream().pipeThrough(counting)
  }
}

/** What a bar calls some files where there is little room. */
function labelOf(files: readonly SizedFile[]): string {
  return files.length === 1 ? files[0]!.path.replace(/.*\//, '') : `${files.length} files`
}

function transferProgress(
  { showsProgress }: HubEnvironment,
  describe: (label: string) => string,
  files: readonly SizedFile[],
  stream?: TextStream,
): TransferProgress {
  const label = labelOf(files)
  const description = describe(label)
  const total = files.reduce((all, { size }) => all + size, 0)
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
