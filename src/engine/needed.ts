import { closeSync, openSync, readSync } from 'node:fs'

/**
 * The libraries that a library of Linux names as needed: DT_NEEDED of a 64-bit little-endian ELF file; none for another
 * kind of file.
 *
 * Layout: System V ABI, "Object Files" and "Program Loading and Dynamic Linking".
 */
export function neededLibraries(path: string): string[] {
  const file = openSync(path, 'r')
  try {
    return readNeeded((at, length) => {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(file, bytes, 0, length, at))
    })
  } finally {
    closeSync(file)
  }
}

type Read = (at: number, length: number) => Buffer

const [loaded, dynamic] = [1, 2] // program header types
const [needed, stringTable, stringBytes] = [1, 5, 10] // tags of the dynamic section

function readNeeded(read: Read): string[] {
  const header = read(0, 64)
  if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) return []
  const size = header.readUInt16LE(54)
  const table = read(Number(header.readBigUInt64LE(32)), size * header.readUInt16LE(56))
  const segments = Array.from({ length: Math.floor(table.length / size) }, (_, i) => {
    const field = (at: number): number => Number(table.readBigUInt64LE(i * size + at))
    return { type: table.readUInt32LE(i * size), offset: field(8), address: field(16), bytes: field(32) }
  })
  const section = segments.find(({ type }) => type === dynamic)
  if (section === undefined) return []
  const bytes = read(section.offset, section.bytes)
  const entries = Array.from({ length: Math.floor(bytes.length / 16) }, (_, i) => ({
    tag: Number(bytes.readBigInt64LE(16 * i)),
    value: Number(bytes.readBigUInt64LE(16 * i + 8)),
  }))
  const valueOf = (wanted: number): number => entries.find(({ tag }) => tag === wanted)?.value ?? 0
  const address = valueOf(stringTable)
  const holding = segments.find(s => s.type === loaded && address >= s.address && address < s.address + s.bytes)
  if (holding === undefined) return []
  const texts = read(address - holding.address + holding.offset, valueOf(stringBytes))
  const textAt = (at: number): string => texts.toString('utf8', at, texts.indexOf(0, at))
  return entries.filter(({ tag }) => tag === needed).map(({ value }) => textAt(value))
}
