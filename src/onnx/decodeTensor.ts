import { TrainerError } from '../errors'
import { bytesPerElement, createData, type DataType, sizeOf, Tensor } from '../tensor'
import { asBytes, asFloats, asIntegers, asNumber, asText, type Field, fields } from '../protobuf'
import { malformed } from './malformed'
import { dataTypeOf, externalLocation, protoFields } from './wire'

/**
 * The content of a file stored beside the model's, of which parts are read; the name is a relative path that does not leave the
 * folder.
 */
export type ExternalReader = (
  location: string,
) => Pick<Uint8Array, 'length'> & { subarray(start: number, end: number): Uint8Array }

/**
 * A TensorProto. The data is a view of the bytes where they are aligned to the element type, else a copy.
 * @throws TrainerError naming the tensor when its data does not have the size that its shape requires, before any
 * memory is allocated.
 */
export function decodeTensor(
  bytes: Uint8Array,
  readExternal: ExternalReader | undefined,
): { name: string; tensor: Tensor } {
  const proto = collect(bytes)
  const dtype = dataTypeOf(proto.dataType)
  if (dtype === undefined) {
    throw new TrainerError(
      'file',
      `The tensor "${proto.name}" has the ONNX element type ${proto.dataType}, which cannot be read.`,
    )
  }
  if (!proto.dims.every(d => Number.isSafeInteger(d) && d >= 0))
    throw malformed(`the tensor "${proto.name}" has the shape [${proto.dims.join(', ')}]`)
  const inside = (): ArrayBufferView =>
    proto.raw === undefined ? fromNumbers(proto, dtype) : fromBytes(proto, dtype, proto.raw)
  const data = proto.external ? readOutside(proto, dtype, readExternal) : inside()
  return { name: proto.name, tensor: new Tensor(dtype, data as never, proto.dims) }
}

interface TensorParts {
  name: string
  dataType: number
  raw: Uint8Array | undefined
  external: boolean
  readonly dims: number[]
  /** Where the data is if it is in another file. */
  readonly place: Map<string, string>
  /** The fields of {@link typedNumbers}, which hold the data if `raw` does not. */
  readonly numbers: Field[]
}

function collect(bytes: Uint8Array): TensorParts {
  const parts: TensorParts = {
    name: '',
    dataType: 0,
    raw: undefined,
    external: false,
    dims: [],
    place: new Map(),
    numbers: [],
  }
  for (const field of fields(bytes)) {
    if (typedNumbers.has(field.number)) parts.numbers.push(field)
    else addField(parts, field)
  }
  return parts
}

const typedNumbers: ReadonlySet<number> = new Set([
  protoFields.tensor.floatData,
  protoFields.tensor.doubleData,
  protoFields.tensor.int32Data,
  protoFields.tensor.int64Data,
  protoFields.tensor.uint64Data,
])

function addField(parts: TensorParts, field: Field): void {
  const number = protoFields.tensor
  switch (field.number) {
    case number.dims:
      for (const d of asIntegers(field)) parts.dims.push(Number(d))
      break
    case number.dataType:
      parts.dataType = asNumber(field)
      break
    case number.name:
      parts.name = asText(field)
      break
    case number.rawData:
      parts.raw = asBytes(field)
      break
    case number.dataLocation:
      parts.external = asNumber(field) === externalLocation
      break
    case number.externalData:
      parts.place.set(...readEntry(asBytes(field)))
      break
  }
}

/** A StringStringEntryProto. */
export function readEntry(bytes: Uint8Array): [key: string, value: string] {
  const texts = new Map([...fields(bytes)].map(field => [field.number, asText(field)]))
  return [texts.get(protoFields.entry.key) ?? '', texts.get(protoFields.entry.value) ?? '']
}

function fromBytes({ name, dims }: TensorParts, dtype: DataType, bytes: Uint8Array): ArrayBufferView {
  const wanted = sizeOf(dims) * bytesPerElement(dtype)
  if (bytes.length !== wanted) {
    throw new TrainerError(
      'file',
      `The tensor "${name}" of shape ${dtype}[${dims.join(', ')}] needs ${wanted} bytes, but has ${bytes.length}.`,
    )
  }
  const aligned = bytes.byteOffset % bytesPerElement(dtype) === 0 ? bytes : new Uint8Array(bytes)
  return createData(dtype, sizeOf(dims), aligned.buffer, aligned.byteOffset)
}

function readOutside(parts: TensorParts, dtype: DataType, readExternal: ExternalReader | undefined): ArrayBufferView {
  const { place } = parts
  const [location, offset, length] = [place.get('location') ?? '', place.get('offset') ?? '0', place.get('length')]
  if (!staysInside(location)) {
    throw new TrainerError(
      'file',
      `The tensor "${parts.name}" points to the file "${location}", which is outside the model's folder; ` +
        'such a file is never read.',
    )
  }
  if (readExternal === undefined) {
    throw new TrainerError(
      'file',
      `The tensor "${parts.name}" is stored in the file "${location}", but only the model's own bytes were given.`,
    )
  }
  const file = readExternal(location)
  const wanted = sizeOf(parts.dims) * bytesPerElement(dtype)
  const from = Number(offset)
  const bytes = length === undefined ? wanted : Number(length)
  if (
    !Number.isSafeInteger(from) ||
    !Number.isSafeInteger(bytes) ||
    from < 0 ||
    bytes < 0 ||
    from + bytes > file.length
  ) {
    const said = `${bytes} bytes at offset ${offset} of "${location}"`
    throw new TrainerError(
      'file',
      `The tensor "${parts.name}" is declared to be ${said}, which has ${file.length} bytes.`,
    )
  }
  return fromBytes(parts, dtype, file.subarray(from, from + bytes))
}

function staysInside(location: string): boolean {
  return location !== '' && !/^[/\\]|:|\0/.test(location) && !location.split(/[/\\]/).includes('..')
}

/** The data of the typed field that goes with the type; float16 is stored there as its bits. */
function fromNumbers({ name, dims, numbers }: TensorParts, dtype: DataType): ArrayBufferView {
  const number = typedFields[dtype] ?? protoFields.tensor.int32Data
  const items = numbers
    .filter(field => field.number === number)
    .flatMap((field): readonly (number | bigint)[] =>
      dtype === 'float32' ? asFloats(field, 4) : dtype === 'float64' ? asFloats(field, 8) : asIntegers(field),
    )
  if (items.length !== sizeOf(dims)) {
    const type = `${dtype}[${dims.join(', ')}]`
    throw new TrainerError(
      'file',
      `The tensor "${name}" of shape ${type} needs ${sizeOf(dims)} elements, but has ${items.length}.`,
    )
  }
  const data = createData(dtype, items.length)
  const big = data instanceof BigInt64Array || data instanceof BigUint64Array
  items.forEach((item, i) => {
    data[i] = (big ? BigInt(item) : Number(item)) as never
  })
  return data
}

const typedFields: { readonly [T in DataType]?: number } = {
  float32: protoFields.tensor.floatData,
  float64: protoFields.tensor.doubleData,
  int64: protoFields.tensor.int64Data,
  uint64: protoFields.tensor.uint64Data,
  uint32: protoFields.tensor.uint64Data,
}
