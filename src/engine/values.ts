import { TrainerError } from '../errors'
// the C API's ONNXTensorElementDataType has the numbers of the files
import { dataTypeOf, elementTypes } from '../onnx/wire'
import { bytesPerElement, createData, sizeOf, Tensor, type DataType, type TensorData } from '../tensor'
import type { Api } from './capi'
import { addressOf, memoryAt, type Pointer } from './nativeMemory'

interface Wrapped {
  readonly dtype: DataType
  readonly dims: readonly number[]
  readonly handle: Pointer
}

interface Wraps {
  readonly cpu: Pointer
  readonly byData: WeakMap<TensorData, Wrapped[]>
  readonly collected: FinalizationRegistry<Wrapped[]>
}

const wrapsOf = new WeakMap<Api, Wraps>()
const shape = new BigInt64Array(new ArrayBuffer(8 * 64))
const shapeAt = addressOf(shape)
const nowhere = addressOf(new Uint8Array(shape.buffer))

/**
 * The OrtValue over a tensor's own memory: nothing is copied, both sides read and write the same bytes.
 *
 * It is made once for an array, data type and shape, and freed when the array is collected: keep the tensor alive while
 * ONNX Runtime works with it.
 * @throws TrainerError 'engine' when the array's memory was transferred to another thread.
 */
export function wrapTensor(api: Api, tensor: Tensor): Pointer {
  const wraps = wrapsOf.get(api) ?? openWraps(api)
  const { data, dtype, dims } = tensor
  let known = wraps.byData.get(data)
  if (known !== undefined) {
    for (const wrapped of known)
      if (wrapped.dtype === dtype && sameDims(wrapped.dims, dims) && data.length === sizeOf(dims)) return wrapped.handle
  }
  if (data.length !== sizeOf(dims)) {
    throw new TrainerError(
      'engine',
      `A tensor of shape [${dims.join(', ')}] has lost its memory: ${data.length} elements are left.`,
      {
        fix:
          'Its buffer was transferred, or belongs to a WebAssembly memory that has grown: ' +
          'make the tensor again over the memory where it is now.',
      },
    )
  }
  const at = data.length === 0 ? nowhere : addressOf(data)
  const handle = api.CreateTensorWithDataAsOrtValue(
    wraps.cpu,
    at,
    data.byteLength,
    writeShape(dims),
    dims.length,
    elementTypes[dtype],
  )
  if (known === undefined) {
    wraps.byData.set(data, (known = []))
    wraps.collected.register(data, known)
  }
  known.push({ dtype, dims: [...dims], handle })
  return handle
}

/** The description of the processor's memory; lives as long as the process. */
export function cpuMemory(api: Api): Pointer {
  return (wrapsOf.get(api) ?? openWraps(api)).cpu
}

/** An uninitialised OrtValue in an allocator's memory. */
export function allocateValue(api: Api, allocator: Pointer, dtype: DataType, dims: readonly number[]): Pointer {
  return api.CreateTensorAsOrtValue(allocator, writeShape(dims), dims.length, elementTypes[dtype])
}

/**
 * A copy of an OrtValue in the processor's memory.
 * @param name what errors call it
 */
export function readValue(api: Api, handle: Pointer, name: string): Tensor {
  if (api.IsTensor(handle) === 0n)
    throw new TrainerError('engine', `Output '${name}' is not a tensor but a sequence, a map or an empty optional.`)
  const { dtype, dims } = describeValue(api, handle, name)
  const size = sizeOf(dims)
  const data = createData(dtype, size)
  if (size > 0) {
    const memory = new Uint8Array(memoryAt(api.GetTensorMutableData(handle), size * bytesPerElement(dtype)))
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(memory)
  }
  return new Tensor(dtype, data, dims)
}

/** An OrtValue's data type and shape. */
export function describeValue(api: Api, handle: Pointer, name: string): { dtype: DataType; dims: number[] } {
  const info = api.GetTensorTypeAndShape(handle)
  try {
    return readTypeAndShape(api, info, name)
  } finally {
    api.ReleaseTensorTypeAndShapeInfo(info)
  }
}

/** What an OrtTensorTypeAndShapeInfo says; dimensions that may change are -1. */
export function readTypeAndShape(api: Api, info: Pointer, name: string): { dtype: DataType; dims: number[] } {
  const type = Number(api.GetTensorElementType(info))
  const dtype = dataTypeOf(type)
  if (dtype === undefined)
    throw new TrainerError('engine', `'${name}' has elements of ONNX's type ${type}, which tensors cannot hold.`)
  const rank = Number(api.GetDimensionsCount(info))
  if (rank > 0) api.GetDimensions(info, shapeAt, rank)
  return { dtype, dims: Array.from(shape.subarray(0, rank), Number) }
}

function openWraps(api: Api): Wraps {
  const collected = new FinalizationRegistry<Wrapped[]>(known => {
    for (const { handle } of known) api.ReleaseValue(handle)
  })
  const wraps = { cpu: api.CreateCpuMemoryInfo(0, 0), byData: new WeakMap<TensorData, Wrapped[]>(), collected }
  wrapsOf.set(api, wraps)
  return wraps
}

function sameDims(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function writeShape(dims: readonly number[]): Pointer {
  if (dims.length > shape.length)
    throw new TrainerError('engine', `A tensor has ${dims.length} axes, but the engine takes at most ${shape.length}.`)
  dims.forEach((dim, i) => {
    shape[i] = BigInt(dim)
  })
  return shapeAt
}
