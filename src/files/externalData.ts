import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { TrainerError } from '../errors'
import { mayBeLfsPointer, refuseLfsPointer } from './lfsPointer'
import { openError } from './readFile'

/** A file of which parts are read where they are asked for. */
export interface PartlyRead {
  /** In bytes. */
  readonly length: number
  /** The bytes from `start` to before `end`, which are within the file. */
  subarray(start: number, end: number): Uint8Array
}

/**
 * The files beside a model's that its tensors are stored in; `use` is given what opens them, each once, and they are
 * closed after it.
 * @param model the model's path: names are relative to its folder, whatever folder the process is in.
 * @throws TrainerError (`file`) when one is missing, cannot be read, or is a pointer of Git LFS.
 */
export function withFilesBeside<T>(model: string, use: (open: (name: string) => PartlyRead) => T): T {
  const opened = new Map<string, PartlyRead>()
  const handles: number[] = []
  const open = (name: string): PartlyRead => {
    const known = opened.get(name)
    if (known !== undefined) return known
    const path = join(dirname(model), name)
    const handle = openedFile(path)
    handles.push(handle)
    const file = partsOf(path, handle)
    opened.set(name, file)
    return file
  }
  try {
    return use(open)
  } finally {
    for (const handle of handles) closeSync(handle)
  }
}

function openedFile(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (cause) {
    throw openError(path, cause, 'The model keeps its weights in it: put it beside the model, under this name.')
  }
}

function partsOf(path: string, handle: number): PartlyRead {
  const found = fstatSync(handle)
  if (!found.isFile()) throw new TrainerError('file', `${path} is not a file.`)
  const subarray = (start: number, end: number): Uint8Array => {
    const bytes = new Uint8Array(end - start)
    for (let at = 0; at < bytes.length;) {
      const count = readSync(handle, bytes, at, Math.min(bytes.length - at, 2 ** 30), start + at)
      if (count === 0) throw new TrainerError('file', `${path} became shorter while it was read.`)
      at += count
    }
    return bytes
  }
  if (mayBeLfsPointer(found.size)) refuseLfsPointer(path, subarray(0, found.size))
  return { length: found.size, subarray: sharing(path, found.size, subarray) }
}

/** Tensors may name one region of a file, whose bytes they share then; but so many are no longer weights that are tied. */
const mostShared = { times: 16, bytes: 2 ** 28 }

/** Reads each region once. @throws TrainerError (`file`) where regions overlap, or one is named too often. */
function sharing(path: string, length: number, read: PartlyRead['subarray']): PartlyRead['subarray'] {
  const known = new Map<string, Uint8Array>()
  let distinct = 0
  let named = 0
  return (start, end) => {
    const region = `${start}-${end}`
    named += end - start
    if (!known.has(region)) distinct += end - start
    if (distinct > length || named > Math.max(mostShared.times * length, mostShared.bytes)) {
      const total = `come to ${distinct > length ? distinct : named} bytes at byte ${start}`
      const why = distinct > length ? 'so that some overlap' : 'one region again and again'
      throw new TrainerError('file', `The tensors that name parts of ${path} ${total}, but it has ${length}: ${why}.`, {
        fix: 'Export the model again; its weights belong one after another.',
      })
    }
    const bytes = known.get(region) ?? read(start, end)
    known.set(region, bytes)
    return bytes
  }
}
