import { createHash } from 'node:crypto'
import { crc32 as zlibCrc32, deflateRawSync } from 'node:zlib'
import type { PinnedWheel } from '../../src/engine/pinnedWheel'

/** A zip archive with deflated entries (stored ones where `store` says so), as Python's zipfile lays it out. */
export function zipOf(
  contents: Readonly<Record<string, Uint8Array>>,
  store: (name: string) => boolean = () => false,
): Buffer {
  const [local, directory]: [Buffer[], Buffer[]] = [[], []]
  let offset = 0
  for (const [name, content] of Object.entries(contents)) {
    const data = store(name) ? Buffer.from(content) : deflateRawSync(content)
    const fields = Buffer.alloc(26) // what the local header and the directory have in common
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(store(name) ? 0 : 8, 4)
    fields.writeUInt32LE(zlibCrc32(content), 10)
    fields.writeUInt32LE(data.length, 14)
    fields.writeUInt32LE(content.length, 18)
    fields.writeUInt16LE(Buffer.byteLength(name), 22)
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    const entry = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), data])
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, rest, Buffer.from(name))
    local.push(entry)
    offset += entry.length
  }
  const count = Object.keys(contents).length
  const length = Buffer.concat(directory).length
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...local, ...directory, end])
}

/** A pinned wheel of these bytes. */
export function pin(bytes: Uint8Array, members: readonly string[]): PinnedWheel {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return {
    project: 'small-plugin',
    version: '1.0',
    file: 'small_plugin-1.0-py3-none-any.whl',
    sha256,
    bytes: bytes.length,
    members,
  }
}
