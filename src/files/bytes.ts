/** Bytes to copy or convert at a time: about a millisecond of the event loop. */
export const chunkBytes = 4 << 20

/** Bytes to write: whole, or in pieces if they do not fit into memory together. */
export type ByteSource = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** The bytes of a typed array, not copied. */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
