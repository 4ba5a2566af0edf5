import type { FileHandle } from 'node:fs/promises'

import { TrainerError } from '../errors'
import { isJsonObject } from '../json'
import { bytesPerElement, createData, Tensor, type DataType } from '../tensor'
import { bytesOf, chunkBytes } from './bytes'
import { openForReading, readExactly } from './readFile'
import { bfloat16ToFloat32, float16ToFloat32 } from './halfFloats'

/** The header's entry of one tensor. `start` and `end` are bytes from the beginning of the file. */
export interface TensorEntry {
  readonly dtype: DataType
  readonly dims: readonly number[]
  readonly start: number
  readonly end: number
}

/** An open safetensors file: its header is read and checked, tensors are read one by one when they are asked for. */
export interface SafetensorsFile {
  readonly path: string
  /** The strings under `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, TensorEntry>
  /** A tensor in its own data type. @throws TrainerError for a name that the file does not have. */
  read(name: string): Promise<Tensor>
  /** A tensor as float32; float16 and bfloat16 become float32 exactly, other types are rounded. */
  readFloat32(name: string): Promise<Tensor<'float32'>>
  close(): Promise<void>
}

/** safetensors' names of the data types that a tensor can hold. */
export const safetensorsTypes: Readonly<Record<string, DataType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  U8: 'uint8',
  BOOL: 'bool',
}

/** The largest header that is read: the limit of the reference implementation. */
const headerLimit = 100_000_000

/**
 * Opens a safetensors file and checks its header: sizes, bounds, overlaps, holes and duplicates, as the reference
 * implementation does. Close it after use.
 * @throws TrainerError (`file`) when it is missing, truncated or malformed; the message names the file, and the tensor
 * that is at fault.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await openForReading(path, 'Check the path, or download the model again.')
  try {
    const { size } = await handle.stat()
    const { metadata, tensors } = await readHeader(handle, path, size)
    return {
      path,
      metadata,
      tensors,
      read: async name => readTensor(handle, path, name, entryOf(tensors, path, name)),
      readFloat32: async name => readAsFloat32(handle, path, name, entryOf(tensors, path, name)),
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Reads a whole safetensors file: every tensor in its own data type, by name, and the strings under `__metadata__`.
 */
export async function readSafetensors(
  path: string,
): Promise<{ tensors: Map<string, Tensor>; metadata: Readonly<Record<string, string>> }> {
  const file = await openSafetensors(path)
  try {
    const tensors = new Map<string, Tensor>()
    for (const name of file.tensors.keys()) tensors.set(name, await file.read(name))
    return { tensors, metadata: file.metadata }
  } finally {
    await file.close()
  }
}

async function readHeader(
  handle: FileHandle,
  path: string,
  size: number,
): Promise<Pick<SafetensorsFile, 'metadata' | 'tensors'>> {
  const prefix = new Uint8Array(8)
  if (size < 8 || !(await readExactly(handle, prefix, 0)))
    throw truncated(path, `it has ${size} bytes, too few for a header`)
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true))
  if (new TextDecoder().decode(prefix) === 'version ') {
    throw new TrainerError('file', `${path} is not a safetensors file, but a pointer of Git LFS to one.`, {
      fix: 'Fetch the file itself: git lfs pull.',
    })
  }
  if (length > headerLimit)
    throw malformed(path, `its header would take ${length} bytes, more than the ${headerLimit} allowed`)
  if (8 + length > size) throw truncated(path, `its header ends at byte ${8 + length}, the file at byte ${size}`)
  const bytes = new Uint8Array(length)
  if (!(await readExactly(handle, bytes, 8))) throw truncated(path, 'it ended while its header was read')
  const { metadata, entries } = parseHeader(path, bytes)
  const tensors = new Map(entries.map(([name, value]) => [name, checkEntry(path, name, value, 8 + length)]))
  checkLayout(path, tensors, 8 + length, size)
  return { metadata, tensors }
}

function parseHeader(
  path: string,
  bytes: Uint8Array,
): { metadata: Record<string, string>; entries: [string, unknown][] } {
  let header: unknown
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    header = JSON.parse(text)
  } catch (cause) {
    throw malformed(path, `its header is not JSON (${(cause as Error).message})`)
  }
  if (!isJsonObject(header)) throw malformed(path, 'its header is not a JSON object')
  const duplicate = duplicateKey(text)
  if (duplicate !== undefined) throw malformed(path, `its header names tensor '${duplicate}' twice`)
  const metadata = header['__metadata__'] ?? {}
  if (!isJsonObject(metadata) || Object.values(metadata).some(value => typeof value !== 'string')) {
    throw malformed(path, 'its __metadata__ is not an object of strings')
  }
  return {
    metadata: metadata as Record<string, string>,
    entries: Object.entries(header).filter(([name]) => name !== '__metadata__'),
  }
}

/** A key that the outermost object of valid JSON text has twice; JSON.parse would silently keep the last one. */
function duplicateKey(text: string): string | undefined {
  const seen = new Set<string>()
  let depth = 0
  for (const match of text.matchAll(/"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[{}[\]]/gs)) {
    if (match[1] === undefined) depth += match[0] === '{' || match[0] === '[' ? 1 : -1
    else if (depth === 1 && match[2] !== undefined) {
      const key = JSON.parse(`"${match[1]}"`) as string
      if (seen.has(key)) return key
      seen.add(key)
    }
  }
  return undefined
}

function checkEntry(path: string, name: string, value: unknown, dataStart: number): TensorEntry {
  if (!isJsonObject(value)) throw malformed(path, `its entry of tensor '${name}' is not an object`)
  const { dtype, shape, data_offsets: offsets } = value
  const type = typeof dtype === 'string' && Object.hasOwn(safetensorsTypes, dtype) ? safetensorsTypes[dtype] : undefined
  if (type === undefined) {
    const readable = Object.keys(safetensorsTypes).join(', ')
    throw new TrainerError(
      'file',
      `Tensor '${name}' of ${path} has the data type ${JSON.stringify(dtype)}; readable are ${readable}.`,
      { fix: 'Save the model as float32, float16 or bfloat16.' },
    )
  }
  if (!isSizes(shape)) throw malformed(path, `the shape of tensor '${name}' is ${JSON.stringify(shape)}`)
  if (!isSizes(offsets) || offsets.length !== 2)
    throw malformed(path, `the data_offsets of tensor '${name}' are ${JSON.stringify(offsets)}`)
  const [begin, end] = offsets as [number, number]
  const bytes = shape.reduce((size, dim) => size * dim, bytesPerElement(type))
  if (!Number.isSafeInteger(bytes) || end - begin !== bytes) {
    const what = `tensor '${name}' of type ${String(dtype)} and shape [${shape.join(', ')}]`
    throw malformed(path, `${what} takes ${bytes} bytes, its data_offsets ${end - begin}`)
  }
  return { dtype: type, dims: shape, start: dataStart + begin, end: dataStart + end }
}

/** Data must fill the file without holes or overlaps. */
function checkLayout(path: string, tensors: ReadonlyMap<string, TensorEntry>, dataStart: number, size: number): void {
  let at = dataStart
  let before = 'the header'
  for (const [name, entry] of [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (entry.start < at) throw malformed(path, `tensor '${name}' overlaps ${before}`)
    if (entry.start > at)
      throw malformed(path, `there are ${entry.start - at} unclaimed bytes between ${before} and tensor '${name}'`)
    if (entry.end > size) throw truncated(path, `tensor '${name}' ends at byte ${entry.end}, the file at byte ${size}`)
    at = entry.end
    before = `tensor '${name}'`
  }
  if (at !== size) throw malformed(path, `${size - at} bytes follow the last tensor`)
}

async function readTensor(handle: FileHandle, path: string, name: string, entry: TensorEntry): Promise<Tensor> {
  // A fresh array is always aligned, wherever the data lies in the file.
  const data = createData(entry.dtype, (entry.end - entry.start) / bytesPerElement(entry.dtype))
  if (!(await readExactly(handle, bytesOf(data), entry.start)))
    throw truncated(path, `it ended while tensor '${name}' was read`)
  return new Tensor(entry.dtype, data, entry.dims)
}

/** Converts piece by piece, so that a large half-precision tensor does not block the event loop. */
async function readAsFloat32(
  handle: FileHandle,
  path: string,
  name: string,
  entry: TensorEntry,
): Promise<Tensor<'float32'>> {
  if (entry.dtype === 'float32') return (await readTensor(handle, path, name, entry)) as Tensor<'float32'>
  const width = bytesPerElement(entry.dtype)
  const result = Tensor.zeros('float32', entry.dims)
  const step = chunkBytes / 4 / width
  for (let at = 0; at < result.size; at += step) {
    const count = Math.min(step, result.size - at)
    const piece = {
      dtype: entry.dtype,
      dims: [count],
      start: entry.start + at * width,
      end: entry.start + (at + count) * width,
    }
    toFloat32(await readTensor(handle, path, name, piece), result.data.subarray(at, at + count))
  }
  return result
}

/** Writes a tensor's values as float32 into `target`, which has the tensor's size. */
export function toFloat32(tensor: Tensor, target: Float32Array): void {
  if (tensor.dtype === 'float16') float16ToFloat32(tensor.data as Uint16Array, target)
  else if (tensor.dtype === 'bfloat16') bfloat16ToFloat32(tensor.data as Uint16Array, target)
  else if (tensor.data instanceof BigInt64Array || tensor.data instanceof BigUint64Array) {
    for (let i = 0; i < target.length; i++) target[i] = Number(tensor.data[i])
  } else target.set(tensor.data)
}

function entryOf(tensors: ReadonlyMap<string, TensorEntry>, path: string, name: string): TensorEntry {
  const entry = tensors.get(name)
  if (entry === undefined)
    throw new TrainerError('file', `${path} has no tensor '${name}'; it has ${tensors.size} others.`)
  return entry
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(size => Number.isSafeInteger(size) && size >= 0)
}

function truncated(path: string, what: string): TrainerError {
  return new TrainerError('file', `${path} is truncated: ${what}.`, { fix: 'Download or save it again.' })
}

function malformed(path: string, what: string): TrainerError {
  return new TrainerError('file', `${path} is not a valid safetensors file: ${what}.`, {
    fix: 'Download or save it again.',
  })
}
