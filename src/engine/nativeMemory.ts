// addresses and memory, as C and JavaScript share them
import koffi from 'koffi'

/** An address in the process; 0n is C's null. */
export type Pointer = bigint

/** The address of an array's first byte, which stays where it is as long as the array is alive. */
export function addressOf(data: ArrayBufferView): Pointer {
  // A typed array of up to 64 bytes lies on V8's heap, where it moves, until somebody asks for its buffer: this moves
  // it out for good.
  if (data.buffer.byteLength === 0 || data.byteLength === 0) return 0n
  return koffi.address(data) as Pointer
}

/** The memory at an address, not copied: read it before whoever owns it frees it. */
export function memoryAt(pointer: Pointer, bytes: number): ArrayBuffer {
  return bytes === 0 ? new ArrayBuffer(0) : koffi.view(pointer, bytes)
}

/** The zero-terminated UTF-8 text at an address. */
export function textAt(pointer: Pointer): string {
  return pointer === 0n ? '' : koffi.decode.string(pointer)
}

/** The pointers in an array of C. */
export function pointersAt(pointer: Pointer, count: number): Pointer[] {
  return count === 0 ? [] : Array.from(new BigUint64Array(memoryAt(pointer, 8 * count)))
}

// What C is reading just now: without a reference from here the collector may take it in the middle of the call.
const inUse = new Set<object>()

/** Memory that C reads, alive as long as this object is. */
export class NativeMemory {
  readonly address: Pointer
  protected readonly held: readonly ArrayBufferView[]

  constructor(first: ArrayBufferView, others: readonly ArrayBufferView[] = []) {
    this.address = addressOf(first)
    this.held = [first, ...others]
  }

  /** Makes a call that reads the memory, which stays alive for it. */
  use<T>(call: (address: Pointer) => T): T {
    inUse.add(this)
    try {
      return call(this.address)
    } finally {
      inUse.delete(this)
    }
  }

  /** The same for a call that reads the memory until its promise settles. */
  async useLater<T>(call: (address: Pointer) => Promise<T>): Promise<T> {
    inUse.add(this)
    try {
      return await call(this.address)
    } finally {
      inUse.delete(this)
    }
  }
}

/**
 * Texts as C wants them, `const char *const *`.
 * @param wide UTF-16, as paths on Windows are; default UTF-8.
 */
export function nativeTexts(texts: readonly string[], wide = false): NativeMemory {
  const encoded = texts.map(text => (wide ? utf16(text) : new TextEncoder().encode(`${text}\0`)))
  return new NativeMemory(new BigUint64Array(encoded.map(addressOf)), encoded)
}

/** Pointers as C wants them, `void *const *`. */
export function nativePointers(pointers: readonly Pointer[]): NativeMemory {
  return new NativeMemory(new BigUint64Array(pointers))
}

function utf16(text: string): Uint16Array {
  return Uint16Array.from({ length: text.length + 1 }, (_, i) => (i === text.length ? 0 : text.charCodeAt(i)))
}
