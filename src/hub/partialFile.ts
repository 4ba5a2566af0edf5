// a blob that is being downloaded: beside its place, until it is whole
import { createHash } from 'node:crypto'
import { copyFile, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

import { chunkBytes } from '../files/bytes'
import { isProcessAlive } from '../files/processAlive'

/** What a file's bytes are checked by. */
export interface Checksum {
  readonly algorithm: 'sha256' | 'git'
  readonly digest: string
}

/**
 * `blobs/NAME.HOST-PROCESS.incomplete`, which this process alone writes. What a dead process has left of the same blob
 * is taken over; it is worth something only when the whole has the right checksum.
 */
export class PartialFile {
  readonly #path: string
  readonly #handle: FileHandle
  #length: number

  private constructor(path: string, handle: FileHandle, length: number) {
    this.#path = path
    this.#handle = handle
    this.#length = length
  }

  /**
   * @param name the blob's.
   * @param most how long what is taken over may be; 0 to begin anew.
   */
  static async open(blobs: string, name: string, most: number): Promise<PartialFile> {
    const path = join(blobs, `${name}.${host}-${process.pid}.incomplete`)
    if (most === 0) await rm(path, { force: true })
    else await takeOver(blobs, name, path, most)
    const handle = await open(path, 'a+')
    return new PartialFile(path, handle, (await handle.stat()).size)
  }

  get length(): number {
    return this.#length
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, at)
      at += bytesWritten
      this.#length += bytesWritten
    }
  }

  /** Drops what there is. */
  async empty(): Promise<void> {
    await this.#handle.truncate(0)
    this.#length = 0
  }

  /** The checksum of what lies on the disk. */
  async digest(algorithm: Checksum['algorithm']): Promise<string> {
    const hash = createHash(algorithm === 'git' ? 'sha1' : 'sha256')
    if (algorithm === 'git') hash.update(`blob ${this.#length}\0`)
    const buffer = new Uint8Array(Math.min(chunkBytes, this.#length))
    for (let at = 0; at < this.#length;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) break
      hash.update(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
    return hash.digest('hex')
  }

  /** Makes it the blob: call it when it is whole. */
  async promote(blob: string): Promise<void> {
    await this.#handle.sync()
    await this.#handle.close()
    await rename(this.#path, blob)
  }

  /** Leaves it for another run. */
  async leave(): Promise<void> {
    await this.#handle.close()
  }

  async remove(): Promise<void> {
    await this.#handle.close().catch(() => undefined)
    await rm(this.#path, { force: true })
  }
}

/** Removes what dead processes have left of a blob that is whole now. */
export async function removeLeftovers(blobs: string, name: string): Promise<void> {
  for (const { path, isDead } of await leftoversOf(blobs, name)) if (isDead) await rm(path, { force: true })
}

/** Tells machines apart that share a cache: the number of a process says nothing on another. */
const host = createHash('sha1').update(hostname()).digest('hex').slice(0, 8)
/** Milliseconds since its last change after which what a dead process has left is moved; what is newer is copied. */
const settled = 10_000

/** Brings the longest leftover to `path`. One that may still be written to, by whomever, stays where it is. */
async function takeOver(blobs: string, name: string, path: string, most: number): Promise<void> {
  const usable = (await leftoversOf(blobs, name)).filter(({ size }) => size > 0 && size <= most)
  const longest = usable.sort((one, other) => other.size - one.size)[0]
  if (longest === undefined) return rm(path, { force: true })
  if (longest.path === path) return
  try {
    if (longest.isDead && longest.age > settled) await rename(longest.path, path)
    else await copyFile(longest.path, path)
  } catch {
    await rm(path, { force: true }) // it has just been finished, or taken
  }
}

interface Leftover {
  readonly path: string
  readonly size: number
  /** Milliseconds since it was written to. */
  readonly age: number
  /** Whether it is of a process of this machine that is no more; those that Python names are of unknown processes. */
  readonly isDead: boolean
}

async function leftoversOf(blobs: string, name: string): Promise<Leftover[]> {
  const names = (await readdir(blobs)).filter(one => one.startsWith(`${name}.`) && one.endsWith('.incomplete'))
  const found = names.map(async one => {
    const path = join(blobs, one)
    const file = await stat(path).catch(() => undefined)
    if (file?.isFile() !== true) return []
    const [, where, process] = /\.([0-9a-f]{8})-(\d+)\.incomplete$/.exec(one) ?? []
    const isDead = where === host && !isProcessAlive(Number(process))
    return [{ path, size: file.size, age: Date.now() - file.mtimeMs, isDead }]
  })
  return (await Promise.all(found)).flat()
}
