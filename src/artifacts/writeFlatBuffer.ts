import { Builder } from 'flatbuffers'
import { type FieldKind, type Schema, type TableOf } from './flatBufferSchema'

/**
 * The bytes of a table.
 * @param size the bytes that are expected, so that nothing is copied while they grow
 */
export function writeFlatBuffer<S extends Schema>(
  schema: S,
  table: TableOf<S>,
  identifier: string,
  size: number,
): Uint8Array {
  const builder = new Builder(size)
  builder.finish(writeTable(builder, schema, table), identifier)
  return builder.asUint8Array()
}

/** What a table refers to is written before it, the last field first. */
function writeTable(builder: Builder, schema: Schema, table: Readonly<Record<string, unknown>>): number {
  const fields = Object.entries(schema).map(([name, kind], slot) => ({ slot, kind, value: table[name] }))
  const given = fields.filter(({ value }) => value !== undefined)
  const written = given
    .toReversed()
    .map(({ slot, kind, value }) => ({ slot, kind, value: isNumber(kind) ? value : writePart(builder, kind, value) }))
  builder.startObject(fields.length)
  for (const { slot, kind, value } of written) {
    if (kind === 'int8') builder.addFieldInt8(slot, value as number, null)
    else if (kind === 'int32') builder.addFieldInt32(slot, value as number, null)
    else if (kind === 'int64') builder.addFieldInt64(slot, value as bigint, null)
    else if (kind === 'float32') builder.addFieldFloat32(slot, value as number, null)
    else builder.addFieldOffset(slot, value as number, 0)
  }
  return builder.endObject()
}

function isNumber(kind: FieldKind): boolean {
  return kind === 'int8' || kind === 'int32' || kind === 'int64' || kind === 'float32'
}

/** Writes a text, vector or table. @returns where it is. */
function writePart(builder: Builder, kind: FieldKind, value: unknown): number {
  if (kind === 'text') return builder.createString(value as string)
  if (kind === 'bytes') return builder.createByteVector(value as Uint8Array)
  if (kind === 'int64s') {
    const numbers = value as readonly bigint[]
    builder.startVector(8, numbers.length, 8)
    for (const number of numbers.toReversed()) builder.addInt64(number)
    return builder.endVector()
  }
  if (kind === 'texts')
    return writeOffsets(
      builder,
      (value as string[]).map(text => builder.createString(text)),
    )
  if (typeof kind === 'object' && 'table' in kind)
    return writeTable(builder, kind.table, value as Record<string, unknown>)
  const inner = (kind as { tables: Schema }).tables
  const tables = value as Record<string, unknown>[]
  return writeOffsets(
    builder,
    tables.map(table => writeTable(builder, inner, table)),
  )
}

function writeOffsets(builder: Builder, offsets: readonly number[]): number {
  builder.startVector(4, offsets.length, 4)
  for (const offset of offsets.toReversed()) builder.addOffset(offset)
  return builder.endVector()
}
