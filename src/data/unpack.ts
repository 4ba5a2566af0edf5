// a compressed data file → what is in it
import { decompressZstd } from 'hyparquet-compressors'
import { TrainerError } from '../errors'
import {
  broken,
  compressionOf,
  firstBytes,
  gunzipBytes,
  readArchive,
  tooMuch,
  type Compression,
} from '../files/compression'
import { readBytes } from '../files/readFile'
import { zstdSize } from './zstdFrames'

/** A data file's bytes, unpacked. */
export interface Unpacked {
  /** Its path, behind an archive's if it is in one: its extension says the format, and errors name it. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** Endings of names that say how a file is compressed. */
const endings: Readonly<Record<string, Compression>> = {
  gz: 'gzip',
  zst: 'zstd',
  zip: 'zip',
  bz2: 'bzip2',
  xz: 'xz',
  lz4: 'lz4',
}

const ending = new RegExp(`\\.(${Object.keys(endings).join('|')})$`, 'i')

/** A file's name without the ending that says how it is compressed. */
export function uncompressedName(file: string): string {
  return file.replace(ending, '')
}

/** Whether a file's name says that it is an archive. */
export function isArchive(file: string): boolean {
  return /\.zip$/i.test(file)
}

/** The most that one file is unpacked to: texts beyond half of it are too long for JavaScript anyway. */
const largestFile = 2 ** 30

/**
 * What a compressed file holds, whatever its name says; undefined for a plain file.
 * @param isData whether a member of an archive is read, by its path there.
 * @throws TrainerError (`file`) when it is broken or cut off, compressed in a way that is not read here, plain though its
 * name says otherwise, or holds more than `limit` bytes.
 */
export async function unpackFile(
  path: string,
  isData: (name: string) => boolean,
  limit = largestFile,
): Promise<readonly Unpacked[] | undefined> {
  const start = await firstBytes(path, 10)
  const compression = compressionOf(start)
  const named = endings[ending.exec(path)?.[1]?.toLowerCase() ?? '']
  if (compression === undefined && named !== undefined) throw notCompressed(path, named, start)
  if (compression === undefined) return undefined
  if (compression !== 'zip') return [await unpackBytes(path, await readBytes(path), limit)]
  const members = await readArchive(path, limit, isData)
  if (members.length === 0) throw emptyArchive(path)
  const unpacked: Unpacked[] = []
  for (const { name, bytes } of members) unpacked.push(await unpackBytes(`${path}/${name}`, bytes, limit))
  return unpacked
}

async function unpackBytes(path: string, bytes: Uint8Array, limit: number): Promise<Unpacked> {
  const compression = compressionOf(bytes)
  if (compression === undefined) return { name: path, bytes }
  const name = uncompressedName(path)
  if (compression === 'gzip') return { name, bytes: await gunzipBytes(path, bytes, limit) }
  if (compression === 'zstd') return { name, bytes: unpackZstd(path, bytes, limit) }
  throw new TrainerError('file', `${path} is compressed by ${compression}, which is not read here.`, {
    fix: `Unpack it${commands[compression] ?? ''}, or compress it by gzip or zstd.`,
  })
}

/** How files are unpacked that are not read here. */
const commands: Readonly<Partial<Record<Compression, string>>> = {
  bzip2: ': bunzip2 FILE',
  xz: ': unxz FILE',
  lz4: ': unlz4 FILE',
}

function unpackZstd(path: string, bytes: Uint8Array, limit: number): Uint8Array {
  try {
    const { claimed, most } = zstdSize(bytes)
    if (claimed > limit) throw tooMuch(path, limit)
    if (claimed > most) throw new Error(`${claimed} bytes are announced, ${most} are there at most`)
    return decompressZstd(bytes)
  } catch (cause) {
    throw cause instanceof TrainerError ? cause : broken(path, 'zstd', cause)
  }
}

function notCompressed(path: string, named: Compression, start: Uint8Array): TrainerError {
  const text = JSON.stringify(new TextDecoder('latin1').decode(start))
  return new TrainerError(
    'file',
    `The name of ${path} says ${named}, but it begins with ${text}: it is not compressed.`,
    {
      fix: `If it holds plain data, rename it: ${uncompressedName(path).split(/[\\/]/).pop()}.`,
    },
  )
}

function emptyArchive(path: string): TrainerError {
  return new TrainerError(
    'file',
    `${path} has no data files in it: parquet, csv, tsv, jsonl, json or txt was expected.`,
  )
}
