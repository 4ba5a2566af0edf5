import { readdir, rm } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'

import { TrainerError } from '../errors'
import { errorCode } from './systemErrors'
import { isJsonObject } from '../json'
import { refuseOtherKinds } from './folderKinds'
import { readJsonObject, writeJson } from './json'
import { openSafetensors } from './safetensors'
import { openTorchFile } from './torchFile'
import type { WeightsFile } from './WeightsFile'
import type { DataType, Tensor } from '../tensor'
import { writeSafetensors, type NamedTensors } from './writeSafetensors'

/** The weights of a folder, in whatever files. Only headers are read until a tensor is asked for. */
export interface WeightsSource {
  /** The folder. */
  readonly folder: string
  /** The files that were opened, in order. */
  readonly files: readonly string[]
  /** Each tensor's shape, by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** Each tensor's data type in its file, by name. */
  readonly types: ReadonlyMap<string, DataType>
  /** Reads a tensor as float32. @throws TrainerError for an unknown name. */
  read(name: string): Promise<Tensor<'float32'>>
  close(): Promise<void>
}

const singleFile = 'model.safetensors'

/** What says that a folder is an adapter's. */
export const adapterConfigName = 'adapter_config.json'

/** The weights of an adapter, under PEFT's names of files. */
export const adapterFiles: readonly string[] = ['adapter_model.safetensors', 'adapter_model.bin']
const indexFile = 'model.safetensors.index.json'

/** Files that `saveWeights` writes: those of an older save are removed when the new one is split differently. */
export const weightsFilePattern = /^model(-\d{5,}-of-\d{5,})?\.safetensors$|^model\.safetensors\.index\.json$/

/**
 * Opens a folder's weights: `model.safetensors`, else its shards by `model.safetensors.index.json`, else
 * `pytorch_model.bin` or its shards. Close it after use.
 * @throws TrainerError (`file`) when there are none, or a file is missing, truncated or malformed.
 */
export async function loadWeights(folder: string): Promise<WeightsSource> {
  const names = await modelFileNames(folder)
  if (names.has(singleFile)) return joinFiles(folder, [await openWeightsFile(join(folder, singleFile))])
  if (names.has(indexFile)) return openShards(folder, indexFile)
  if (names.has('pytorch_model.bin'))
    return joinFiles(folder, [await openWeightsFile(join(folder, 'pytorch_model.bin'))])
  if (names.has('pytorch_model.bin.index.json')) return openShards(folder, 'pytorch_model.bin.index.json')
  await refuseOtherKinds(folder)
  throw noWeights(folder, names)
}

/**
 * Opens the weights of an adapter's folder: `adapter_model.safetensors`, else `adapter_model.bin`. Close it after use.
 * @throws TrainerError (`file`) when there are none, or the file is truncated or malformed.
 */
export async function loadAdapterWeights(folder: string): Promise<WeightsSource> {
  const names = await modelFileNames(folder)
  const file = adapterFiles.find(name => names.has(name))
  if (file !== undefined) return joinFiles(folder, [await openWeightsFile(join(folder, file))])
  throw new TrainerError('file', `${folder} has no weights of an adapter: expected ${adapterFiles.join(' or ')}.`, {
    fix: "Save the adapter there with Python's save_pretrained, or with savePretrained.",
  })
}

/** The error for a folder, or a repository, that has no weights: what it has in their place, and what to do. */
export function noWeights(folder: string, names: Iterable<string>): TrainerError {
  const others = [...names].filter(name => /\.(h5|msgpack|ckpt|gguf|onnx|safetensors|bin|pth?)$/.test(name))
  const torch = others.find(name => /\.(ckpt|pth?|bin)$/.test(name))
  const found = others.length > 0 ? `, found ${others.join(', ')}` : ''
  return new TrainerError(
    'file',
    `${folder} has no weights: expected ${singleFile}, ${indexFile} or pytorch_model.bin${found}.`,
    {
      fix:
        torch === undefined
          ? "Save the model there with Python's save_pretrained, or with saveModel."
          : `If ${torch} holds the model's state dict, rename it to pytorch_model.bin.`,
    },
  )
}

/**
 * Writes a model's weights into an existing folder: `model.safetensors`, or `model-0000x-of-0000y.safetensors` with an
 * index when they take more than `maxShardSize`. Then files of an older save are removed.
 * @param options.maxShardSize bytes, or text such as '5GB' (decimal, as in Hugging Face); 50 GB by default.
 * @returns the names of the files written.
 * @throws TrainerError (`file`) when a file cannot be written.
 */
export async function saveWeights(
  folder: string,
  tensors: NamedTensors,
  options: { maxShardSize?: number | string | undefined } = {},
): Promise<string[]> {
  const shards = splitShards([...tensors], parseSize(options.maxShardSize ?? '50GB'))
  const written = shards.length === 1 ? [singleFile] : shards.map((_, i) => shardName(i + 1, shards.length))
  for (const [i, shard] of shards.entries()) await writeSafetensors(join(folder, written[i]!), shard)
  if (shards.length > 1) {
    await writeJson(join(folder, indexFile), describeShards(shards, written), { sorted: true })
    written.push(indexFile)
  }
  for (const name of await readdir(folder)) {
    if (weightsFilePattern.test(name) && !written.includes(name)) await rm(join(folder, name), { force: true })
  }
  return written
}

/**
 * The path in `folder` of a name that the file `source` gave.
 * @throws TrainerError (`file`) when the name leads out of the folder.
 */
function pathInside(folder: string, name: string, source: string): string {
  if (name === '' || isAbsolute(name) || /[\\:\0]/.test(name) || name.split('/').includes('..')) {
    throw new TrainerError(
      'file',
      `${source} names the file ${JSON.stringify(name)}, which is not inside its folder.`,
      { fix: 'Do not use this folder unless you trust its source.' },
    )
  }
  return join(folder, name)
}

/**
 * Fills shards in the given order, like huggingface_hub: a tensor above the limit gets its own shard at once, the
 * others fill the current one.
 */
function splitShards(tensors: (readonly [string, Tensor])[], limit: number): (readonly [string, Tensor])[][] {
  const shards: (readonly [string, Tensor])[][] = []
  let current: (readonly [string, Tensor])[] = []
  let size = 0
  for (const entry of tensors) {
    const bytes = entry[1].data.byteLength
    if (bytes > limit) {
      shards.push([entry])
      continue
    }
    if (size + bytes > limit) {
      shards.push(current)
      current = []
      size = 0
    }
    current.push(entry)
    size += bytes
  }
  return current.length > 0 || shards.length === 0 ? [...shards, current] : shards
}

function describeShards(shards: readonly (readonly (readonly [string, Tensor])[])[], files: readonly string[]): object {
  const all = shards.flat()
  return {
    metadata: {
      total_parameters: all.reduce((sum, [, tensor]) => sum + tensor.size, 0),
      total_size: all.reduce((sum, [, tensor]) => sum + tensor.data.byteLength, 0),
    },
    weight_map: Object.fromEntries(shards.flatMap((shard, i) => shard.map(([name]) => [name, files[i]]))),
  }
}

function shardName(number: number, count: number): string {
  const digits = (value: number): string => String(value).padStart(5, '0')
  return `model-${digits(number)}-of-${digits(count)}.safetensors`
}

/** Bytes from a number or from text such as '500MB'; units are decimal, as in Hugging Face. */
function parseSize(size: number | string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)B?\s*$/i.exec(String(size))
  const bytes =
    match === null ? NaN : Number(match[1]) * 1000 ** ' KMGT'.indexOf(match[2] === '' ? ' ' : match[2]!.toUpperCase())
  if (bytes >= 1) return bytes
  throw new TrainerError(
    'argument',
    `maxShardSize should be a number of bytes or text such as '5GB', not ${JSON.stringify(size)}.`,
  )
}

async function openShards(folder: string, index: string): Promise<WeightsSource> {
  const source = join(folder, index)
  const map = await readWeightMap(source)
  const paths = [...new Set(Object.values(map))].map(name => pathInside(folder, name, source))
  const files: WeightsFile[] = []
  try {
    for (const path of paths) files.push(await openWeightsFile(path))
    const present = new Set(files.flatMap(file => [...file.shapes.keys()]))
    for (const [name, file] of Object.entries(map)) {
      if (present.has(name)) continue
      throw new TrainerError('file', `${source} says that tensor '${name}' is in ${file}, but it is not.`, {
        fix: 'Download the model again.',
      })
    }
    return joinFiles(folder, files)
  } catch (error) {
    await Promise.all(files.map(file => file.close()))
    throw error
  }
}

/** The file of each tensor, by an index. @throws TrainerError (`file`) when it is missing or malformed. */
export async function readWeightMap(index: string): Promise<Readonly<Record<string, string>>> {
  const map = (await readJsonObject(index))['weight_map']
  if (isJsonObject(map) && Object.values(map).every(file => typeof file === 'string'))
    return map as Readonly<Record<string, string>>
  throw new TrainerError('file', `${index} has no weight_map from tensor names to files.`, {
    fix: 'Download or save the model again.',
  })
}

async function openWeightsFile(path: string): Promise<WeightsFile> {
  if (!path.endsWith('.safetensors')) return openTorchFile(path)
  const file = await openSafetensors(path)
  const shapes = new Map([...file.tensors].map(([name, entry]) => [name, entry.dims]))
  const types = new Map([...file.tensors].map(([name, entry]) => [name, entry.dtype]))
  return { path, shapes, types, read: name => file.readFloat32(name), close: () => file.close() }
}

function joinFiles(folder: string, files: readonly WeightsFile[]): WeightsSource {
  const owner = new Map(files.flatMap(file => [...file.shapes.keys()].map(name => [name, file] as const)))
  return {
    folder,
    files: files.map(file => file.path),
    shapes: new Map(files.flatMap(file => [...file.shapes])),
    types: new Map(files.flatMap(file => [...file.types])),
    async read(name) {
      const file = owner.get(name)
      if (file === undefined) throw new TrainerError('file', `The weights of ${folder} have no tensor '${name}'.`)
      return file.read(name)
    },
    async close() {
      await Promise.all(files.map(file => file.close()))
    },
  }
}

/** The names in a folder. @throws TrainerError (`file`) when there is no such folder. */
async function modelFileNames(folder: string): Promise<Set<string>> {
  try {
    return new Set(await readdir(folder))
  } catch (cause) {
    const what =
      errorCode(cause) === 'ENOENT'
        ? `There is no folder ${folder}`
        : `Cannot read the folder ${folder}: ${(cause as Error).message}`
    throw new TrainerError('file', `${what}.`, { fix: 'Give the folder of a saved or downloaded model.', cause })
  }
}

/** Whether a folder has weights, a model's or an adapter's, with every file there and whole by its header. */
export async function hasWholeWeights(folder: string): Promise<boolean> {
  try {
    const names = await modelFileNames(folder)
    const isAdapter = names.has(adapterConfigName)
    await (await (isAdapter ? loadAdapterWeights(folder) : loadWeights(folder))).close()
    return true
  } catch (error) {
    if (error instanceof TrainerError) return false
    throw error
  }
}
