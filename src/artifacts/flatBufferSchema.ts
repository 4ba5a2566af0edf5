// FlatBuffers as far as a checkpoint needs them: what a table's fields may be, and what each is in JavaScript

/** What a field of a table holds. A table of tables is as deep as its schema, whatever a file says. */
export type FieldKind =
  | 'int8'
  | 'int32'
  | 'int64'
  | 'float32'
  | 'text'
  | 'bytes'
  | 'int64s'
  | 'texts'
  | { table: Schema }
  | { tables: Schema }

/** The fields of a table by name, in the order of their slots. */
export interface Schema {
  readonly [field: string]: FieldKind
}

/** The value of a field. */
export type FieldValue<Kind> = Kind extends 'int8' | 'int32' | 'float32'
  ? number
  : Kind extends 'int64'
    ? bigint
    : Kind extends 'text'
      ? string
      : Kind extends 'bytes'
        ? Uint8Array
        : Kind extends 'int64s'
          ? readonly bigint[]
          : Kind extends 'texts'
            ? readonly string[]
            : Kind extends { readonly table: infer Inner }
              ? TableOf<Inner>
              : Kind extends { readonly tables: infer Inner }
                ? readonly TableOf<Inner>[]
                : never

/** A table as an object; a field that is absent is undefined. */
export type TableOf<S> = { readonly [Field in keyof S]?: FieldValue<S[Field]> | undefined }

/** The bytes that a field takes in its table: a number's own, or an offset's. */
export function inlineWidth(kind: FieldKind): number {
  if (kind === 'int8') return 1
  return kind === 'int64' ? 8 : 4
}
