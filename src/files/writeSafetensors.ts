import { bytesPerElement, type DataType, type Tensor } from '../tensor'
import { bytesOf } from './bytes'
import { writeFileWhole } from './writeFile'
import { safetensorsTypes } from './safetensors'

/** Named tensors, as a map or any other iterable of pairs. */
export type NamedTensors = Iterable<readonly [string, Tensor]>

/**
 * Writes tensors as one safetensors file: beside its place, flushed, then renamed.
 *
 * The bytes are those that Python's library writes: wide types first, then by name, the header padded so that all data
 * is aligned. Arrays may be over shared memory. The event loop stays free meanwhile, so the tensors must not change
 * until the promise is fulfilled.
 * @param metadata strings under `__metadata__`; `format: 'pt'`, which Python's transformers requires, is added.
 * @returns the file's size in bytes.
 * @throws TrainerError (`file`) when the file cannot be written; an older one stays as it was.
 */
export async function writeSafetensors(
  path: string,
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<number> {
  const sorted = [...tensors].sort(
    ([nameA, a], [nameB, b]) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype) || compareText(nameA, nameB),
  )
  const header = encodeHeader(sorted, metadata)
  return writeFileWhole(path, [header, ...sorted.map(([, tensor]) => bytesOf(tensor.data))])
}

function encodeHeader(
  tensors: readonly (readonly [string, Tensor])[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let at = 0
  const entries: [string, unknown][] = tensors.map(([name, tensor]) => {
    const begin = at
    at += tensor.data.byteLength
    return [name, { dtype: typeNames.get(tensor.dtype), shape: tensor.dims, data_offsets: [begin, at] }]
  })
  // fromEntries defines own properties: a tensor called __proto__ is a name like any other.
  const json = JSON.stringify(Object.fromEntries([['__metadata__', { format: 'pt', ...metadata }], ...entries]))
  const text = new TextEncoder().encode(json)
  const header = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true)
  header.set(text, 8)
  return header
}

const typeNames = new Map<DataType, string>(Object.entries(safetensorsTypes).map(([name, dtype]) => [dtype, name]))

/** The order of code units, the same in every locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
