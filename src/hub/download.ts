// one file of a repository → a blob of the cache, whole and checked
import { stat } from 'node:fs/promises'
import { join } from 'node:path'

import { TrainerError } from '../errors'
import { errorCode } from '../files/systemErrors'
import { type Connection, isBroken, pauseBefore, tries } from './connection'
import { HubRefusal } from './errors'
import type { ListedFile } from './listing'
import { type Checksum, PartialFile, removeLeftovers } from './partialFile'
import { askForFile, type FileAddress, type FileAnswer, piecesOf, StalledError } from './request'

/** What is downloaded, and where to. */
export interface Download {
  readonly connection: Connection
  readonly address: FileAddress
  readonly file: ListedFile
  /** The folder of blobs. */
  readonly blobs: string
  /** Whether it is downloaded although its blob is there. */
  readonly anew: boolean
  readonly signal: AbortSignal
  /** Receives how many bytes there are. */
  readonly report: (bytes: number) => void
}

/** Downloads that this process has begun, by their blobs: a model and its tokenizer share files. */
const running = new Map<string, { readonly blob: Promise<string>; readonly anew: boolean }>()

/**
 * Downloads a file, unless its blob is there (also then, if it is wanted anew). It is written beside its place, goes on after a break, and becomes the
 * blob when it has the length and the checksum that the Hub says.
 * @returns the blob's path.
 * @throws TrainerError ('hub') when it does not arrive whole, HubRefusal when it is not given, and errors of the file
 * system.
 */
export async function downloadBlob(download: Download): Promise<string> {
  const key = join(download.blobs, nameOf(download.file))
  for (let other = running.get(key); other !== undefined; other = running.get(key)) {
    const blob = await other.blob.catch(() => undefined)
    if (blob !== undefined && (other.anew || !download.anew)) return blob
  }
  const own = fetchBlob(download, nameOf(download.file))
  running.set(key, { blob: own, anew: download.anew })
  try {
    return await own
  } finally {
    running.delete(key)
  }
}

/** What the Hub says in a file's ETag, as far as its list tells. */
function nameOf({ sha256, blobId }: ListedFile): string {
  return checkedName(sha256 ?? blobId)
}

function checkedName(etag: string): string {
  if (/^[\w+=-][\w.+=-]*$/.test(etag)) return etag
  throw new TrainerError('hub', `The Hub names a file by ${JSON.stringify(etag)}, which cannot be a file's name.`, {
    fix: 'Does HF_ENDPOINT name a Hub?',
  })
}

/** An answer that is not the bytes that were asked for. */
class WrongBytes extends Error {}
/** What there is has another checksum. */
class WrongChecksum extends WrongBytes {}
/** The Hub names the file otherwise than its list. */
class OtherName extends Error {
  constructor(readonly etag: string) {
    super()
  }
}

/** Bytes that arrived before an answer broke off, after which the tries are counted anew. */
const muchProgress = 10_000_000

async function fetchBlob(download: Download, name: string): Promise<string> {
  const { file, blobs, anew } = download
  const blob = join(blobs, name)
  if (!anew && (await stat(blob).catch(() => undefined))?.size === file.size) return blob
  const checksum = checksumOf(file, name)
  let partial = await PartialFile.open(blobs, name, checksum === undefined || anew ? 0 : file.size)
  let wrong = partial.length > 0 ? -1 : 0 // what is taken over may be spoilt: that is no fault of the Hub
  for (let attempt = 1; ; attempt++) {
    const before = partial.length
    let most = before
    try {
      const report = (bytes: number): void => download.report((most = bytes))
      if (partial.length < file.size) await fill(partial, { ...download, report }, name)
      await check(partial, checksum)
      await partial.promote(blob)
      await removeLeftovers(blobs, name)
      return blob
    } catch (error) {
      if (error instanceof OtherName) {
        await partial.remove()
        return fetchBlob(download, checkedName(error.etag))
      }
      if (error instanceof WrongChecksum) {
        await partial.remove()
        partial = await PartialFile.open(blobs, name, 0)
        if (++wrong <= 0) continue
      } else if (most - before >= muchProgress) attempt = 0
      if (!isPassing(error, download) || Math.max(attempt, wrong) >= tries) {
        await (partial.length > 0 && errorCode(error) === undefined ? partial.leave() : partial.remove())
        throw isPassing(error, download) ? notWhole(download, most, error as Error) : error
      }
      await pauseBefore(Math.max(attempt, 1))
    }
  }
}

/** Asks for what is missing, and appends it. */
async function fill(partial: PartialFile, download: Download, name: string): Promise<void> {
  const { connection, address, file, signal, report } = download
  const from = partial.length
  const range = from === 0 ? {} : { range: `bytes=${from}-` }
  const answer = await askForFile(connection, address, { ...range, signal })
  try {
    if (answer.etag !== undefined && answer.etag !== name) throw new OtherName(answer.etag)
    await begin(partial, answer, download)
    for await (const piece of piecesOf(answer.response, connection.environment.downloadTimeout)) {
      if (partial.length + piece.length > file.size) {
        await partial.empty()
        throw new WrongBytes('it sends more')
      }
      await partial.append(piece)
      report(partial.length)
    }
  } finally {
    await answer.response.body?.cancel().catch(() => undefined)
  }
  if (partial.length < file.size) throw new WrongBytes('the answer ended')
}

/** Checks what an answer says of its bytes before they are read. */
async function begin(partial: PartialFile, { response, size, start }: FileAnswer, download: Download): Promise<void> {
  const { file, connection } = download
  if (response.status === 416) {
    await partial.empty()
    throw new WrongBytes('it has nothing from there on')
  }
  if (!response.ok) throw new HubRefusal(response, connection.accessToken !== undefined)
  if (size !== undefined && size !== file.size) throw new WrongBytes(`it announces ${size} bytes`)
  if (start === partial.length) return
  await partial.empty() // it sends all, though asked for the rest
  if (start !== 0) throw new WrongBytes(`it sends what begins at byte ${start}`)
}

async function check(partial: PartialFile, checksum: Checksum | undefined): Promise<void> {
  if (checksum === undefined) return
  const digest = await partial.digest(checksum.algorithm)
  if (digest === checksum.digest) return
  const name = checksum.algorithm === 'git' ? "git's checksum" : 'the SHA-256'
  throw new WrongChecksum(`they have ${name} ${digest} in place of ${checksum.digest}`)
}

/** What the bytes are checked by; undefined when the Hub says nothing that they could be. */
function checksumOf({ sha256, blobId }: ListedFile, name: string): Checksum | undefined {
  const hash = sha256 ?? name
  if (/^[0-9a-f]{64}$/.test(hash)) return { algorithm: 'sha256', digest: hash }
  const digest = [name, blobId].find(one => /^[0-9a-f]{40}$/.test(one))
  return digest === undefined ? undefined : { algorithm: 'git', digest }
}

/** Whether another try may help. Connections that are not made have been tried before. */
function isPassing(error: unknown, { connection, signal }: Download): boolean {
  if (signal.aborted) return false
  if (error instanceof WrongBytes || error instanceof StalledError || isBroken(error)) return true
  // The address on another host is good for a while only.
  return error instanceof HubRefusal && new URL(error.address).origin !== new URL(connection.hubUrl).origin
}

function notWhole({ address, file }: Download, received: number, cause: Error): TrainerError {
  const reason = isBroken(cause) ? 'the connection broke' : cause.message
  const { kind, id, path } = address
  return new TrainerError(
    'hub',
    `${path} of ${kind} "${id}" does not arrive whole: expected ${file.size} bytes, received ${received} (${reason}; ` +
      `${tries} tries).`,
    { fix: 'Try again later: what has arrived is kept.', cause },
  )
}
