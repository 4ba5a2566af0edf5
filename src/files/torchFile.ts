import type { FileHandle } from 'node:fs/promises'

import { quoted, TrainerError } from '../errors'
import { log } from '../logging'
import { bytesPerElement, createData, sizeOf, Tensor, type DataType } from '../tensor'
import { bytesOf, chunkBytes } from './bytes'
import { openForReading, readExactly } from './readFile'
import { toFloat32 } from './safetensors'
import { PickledTensor, PickleEnd, unpickle, type Pickled } from './unpickle'
import type { WeightsFile } from './WeightsFile'
import { readZipEntries } from './zip'

/** A pickle of a state dict takes some hundred bytes a tensor: no model needs more than this. */
const pickleLimit = 100_000_000

const storageTypes: Readonly<Record<string, DataType>> = {
  FloatStorage: 'float32',
  DoubleStorage: 'float64',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
}

/** A storage's place in the file, in bytes. */
interface Block {
  readonly start: number
  readonly size: number
}

/**
 * Opens a state dict that PyTorch saved (`pytorch_model.bin`), in the present zip format or the one before version
 * 1.6. Nothing in it is executed.
 * @throws TrainerError (`file`) when it is missing, truncated, or holds anything but tensors by name.
 */
export async function openTorchFile(path: string): Promise<WeightsFile> {
  const handle = await openForReading(path, 'Check the path, or download the model again.')
  try {
    const { size } = await handle.stat()
    const first = new Uint8Array(Math.min(4, size))
    await readExactly(handle, first, 0)
    const read = String.fromCharCode(...first) === 'PK\x03\x04' ? readZipFormat : readOldFormat
    const { value, blocks } = await read(handle, path, size)
    const { tensors, under } = stateDictOf(value, path)
    if (under !== '') log('info', `The weights of ${path} stand under ${under}, and are taken from there.`)
    for (const [name, tensor] of tensors) checkTensor(path, name, tensor, blocks)
    return {
      path,
      shapes: new Map([...tensors].map(([name, tensor]) => [name, tensor.dims])),
      types: new Map([...tensors].map(([name, { storage }]) => [name, typeOf(path, storage.type)])),
      read: name => readTensor(handle, path, name, tensors.get(name), blocks),
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function readZipFormat(
  handle: FileHandle,
  path: string,
  size: number,
): Promise<{ value: Pickled; blocks: Map<string, Block> }> {
  const entries = await readZipEntries(handle, path, size)
  const compressed = [...entries].find(([, { deflated }]) => deflated)
  if (compressed !== undefined) throw malformed(path, `it has the compressed entry ${compressed[0]}`)
  const pickle = [...entries].find(([name]) => name.endsWith('/data.pkl'))
  if (pickle === undefined) throw malformed(path, 'it has no data.pkl')
  const folder = pickle[0].slice(0, -'data.pkl'.length)
  // The entry holds 'little' or 'big': its length tells them apart.
  if (entries.get(`${folder}byteorder`)?.size === 3) throw malformed(path, 'its numbers are big-endian')
  if (pickle[1].size > pickleLimit) throw malformed(path, `its data.pkl takes ${pickle[1].size} bytes`)
  const bytes = new Uint8Array(pickle[1].size)
  if (!(await readExactly(handle, bytes, pickle[1].start))) throw truncated(path)
  const prefix = `${folder}data/`
  const blocks = [...entries]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, block]) => [name.slice(prefix.length), block] as const)
  return { value: unpickle(bytes, path).value, blocks: new Map(blocks) }
}

/**
 * Five pickles (a magic number, a version, the machine, the state dict, the storages' keys), then each storage behind
 * its length.
 */
async function readOldFormat(
  handle: FileHandle,
  path: string,
  size: number,
): Promise<{ value: Pickled; blocks: Map<string, Block> }> {
  const { values, length } = await readPickles(handle, path, size)
  if (values[0] !== 0x1950a86a20f9469cfc6cn) throw malformed(path, 'it does not begin like a file of torch.save')
  const widths = new Map(
    everyTensor(values[3]).map(({ storage }) => [storage.key, bytesPerElement(typeOf(path, storage.type))]),
  )
  const keys = values[4]
  if (!Array.isArray(keys)) throw malformed(path, 'it has no list of storages')
  const blocks = new Map<string, Block>()
  let at = length
  for (const key of keys) {
    const count = new Uint8Array(8)
    const width = widths.get(String(key))
    if (!(await readExactly(handle, count, at))) throw truncated(path)
    if (width === undefined) throw malformed(path, `no tensor uses its storage ${String(key)}`)
    const block = { start: at + 8, size: Number(new DataView(count.buffer).getBigInt64(0, true)) * width }
    if (block.size < 0 || block.start + block.size > size) throw truncated(path)
    blocks.set(String(key), block)
    at = block.start + block.size
  }
  return { value: values[3], blocks }
}

async function readPickles(
  handle: FileHandle,
  path: string,
  size: number,
): Promise<{ values: Pickled[]; length: number }> {
  for (let limit = 1 << 20; ; limit *= 4) {
    const bytes = new Uint8Array(Math.min(limit, size))
    if (!(await readExactly(handle, bytes, 0))) throw truncated(path)
    try {
      const values: Pickled[] = []
      let length = 0
      while (values.length < 5) {
        const next = unpickle(bytes.subarray(length), path)
        values.push(next.value)
        length += next.length
      }
      return { values, length }
    } catch (error) {
      if (!(error instanceof PickleEnd) || limit >= size || limit >= pickleLimit) throw error
    }
  }
}

/** Keys under which training scripts keep a model's state dict beside other things, the likeliest first. */
const stateDictKeys: readonly Pickled[] = ['state_dict', 'model_state_dict', 'model', 'module', 'net', 'weights']

/**
 * The state dict in a file: the one that lies in it under a usual key, though tensors (a loss, a step) stand beside it;
 * else the dict of tensors that the file holds; else the only one in it.
 * @returns also the keys that lead to it, for messages; empty when it is the whole.
 */
function stateDictOf(value: Pickled, path: string): { tensors: Map<string, PickledTensor>; under: string } {
  if (!(value instanceof Map)) throw malformed(path, 'it is not a dict of tensors')
  const dicts = [...value].filter(
    (entry): entry is [string, Map<Pickled, Pickled>] =>
      typeof entry[0] === 'string' && entry[1] instanceof Map && hasStateDict(entry[1]),
  )
  const usual = stateDictKeys.map(key => dicts.find(([name]) => name === key)).find(dict => dict !== undefined)
  const tensors = tensorsOf(value)
  if (usual === undefined && tensors.size > 0) return { tensors, under: '' }
  const chosen = usual ?? (dicts.length === 1 ? dicts[0] : undefined)
  if (chosen === undefined) {
    const keys = quoted([...value.keys()].map(String))
    const what = dicts.length === 0 ? 'none of them holds' : `${quoted(dicts.map(([key]) => key))} hold`
    throw malformed(path, `it is a dict of ${keys === '' ? 'nothing' : keys}, and ${what} tensors by name`)
  }
  const inner = stateDictOf(chosen[1], path)
  return { tensors: inner.tensors, under: `"${chosen[0]}"${inner.under === '' ? '' : `, ${inner.under}`}` }
}

function hasStateDict(dict: Map<Pickled, Pickled>, depth = 0): boolean {
  if (tensorsOf(dict).size > 0) return true
  return depth < 3 && stateDictKeys.some(key => isDictWith(dict.get(key), depth + 1))
}

function isDictWith(value: Pickled, depth: number): boolean {
  return value instanceof Map && hasStateDict(value, depth)
}

function tensorsOf(dict: Map<Pickled, Pickled>): Map<string, PickledTensor> {
  return new Map(
    [...dict].filter(
      (entry): entry is [string, PickledTensor] => typeof entry[0] === 'string' && entry[1] instanceof PickledTensor,
    ),
  )
}

/** The tensors of a value and of all dicts and lists in it: an optimizer's too. */
function everyTensor(value: Pickled): PickledTensor[] {
  const seen = new Set<Pickled>()
  const found: PickledTensor[] = []
  const open: Pickled[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (seen.has(next)) continue
    if (next instanceof PickledTensor) found.push(next)
    else if (next instanceof Map || Array.isArray(next)) {
      seen.add(next)
      for (const inner of next.values()) open.push(inner)
    }
  }
  return found
}

/** The window has to lie inside the storage, and the storage inside the file. */
function checkTensor(
  path: string,
  name: string,
  { storage, offset, dims, strides }: PickledTensor,
  blocks: ReadonlyMap<string, Block>,
): void {
  const block = blocks.get(storage.key)
  const width = bytesPerElement(typeOf(path, storage.type))
  if (block === undefined) throw malformed(path, `it has no storage for tensor '${name}'`)
  const last =
    sizeOf(dims) === 0 ? offset : offset + dims.reduce((sum, dim, axis) => sum + (dim - 1) * strides[axis]!, 0) + 1
  if (!Number.isSafeInteger(sizeOf(dims)) || last * width > block.size)
    throw malformed(path, `tensor '${name}' reaches beyond its storage`)
  // A stride of 0 repeats numbers: a few bytes of file could ask for any amount of memory.
  if (sizeOf(dims) * width > block.size) throw malformed(path, `tensor '${name}' is larger than its storage`)
}

async function readTensor(
  handle: FileHandle,
  path: string,
  name: string,
  tensor: PickledTensor | undefined,
  blocks: ReadonlyMap<string, Block>,
): Promise<Tensor<'float32'>> {
  if (tensor === undefined) throw new TrainerError('file', `${path} has no tensor '${name}'.`)
  const { storage, offset, dims, strides } = tensor
  const dtype = typeOf(path, storage.type)
  const { start } = blocks.get(storage.key)!
  const count = sizeOf(dims)
  if (count === 0) return Tensor.zeros('float32', dims)
  const span = dims.reduce((sum, dim, axis) => sum + (dim - 1) * strides[axis]!, 1)
  const values = new Float32Array(span)
  const step = chunkBytes / bytesPerElement(dtype)
  for (let at = 0; at < span; at += step) {
    const piece = createData(dtype, Math.min(step, span - at))
    if (!(await readExactly(handle, bytesOf(piece), start + (offset + at) * bytesPerElement(dtype))))
      throw truncated(path)
    toFloat32(new Tensor(dtype, piece, [piece.length]), values.subarray(at, at + piece.length))
  }
  return new Tensor('float32', isContiguous(dims, strides) ? values : gather(values, dims, strides, count), dims)
}

function isContiguous(dims: readonly number[], strides: readonly number[]): boolean {
  return dims.every((dim, axis) => dim === 1 || strides[axis] === sizeOf(dims.slice(axis + 1)))
}

/** Values of any strides in row-major order. */
function gather(
  values: Float32Array,
  dims: readonly number[],
  strides: readonly number[],
  count: number,
): Float32Array {
  const result = new Float32Array(count)
  const index = dims.map(() => 0)
  let from = 0
  for (let i = 0; i < count; i++) {
    result[i] = values[from]!
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis]!
      if (++index[axis]! < dims[axis]!) break
      from -= strides[axis]! * dims[axis]!
      index[axis] = 0
    }
  }
  return result
}

function typeOf(path: string, storage: string): DataType {
  const dtype = storageTypes[storage]
  if (dtype === undefined) throw malformed(path, `it has storages of type ${storage}`)
  return dtype
}

function malformed(path: string, what: string): TrainerError {
  return new TrainerError('file', `${path} cannot be read as PyTorch's weights: ${what}.`, {
    fix: 'Save the model as safetensors in Python: model.save_pretrained(folder).',
  })
}

function truncated(path: string): TrainerError {
  return new TrainerError('file', `${path} is truncated.`, { fix: 'Download or save it again.' })
}
