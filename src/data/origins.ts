// where arrays come from: which cells of a dataset they hold

/** The column of a dataset that an array holds, and the row of its first cell. */
export interface Origin {
  readonly column: string
  readonly firstRow: number
}

const origins = new WeakMap<object, Origin>()

/** Notes where an array comes from, so that errors about its cells can name the column and the row. */
export function markOrigin(values: object, column: string, firstRow: number): void {
  origins.set(values, { column, firstRow })
}

/** Where an array comes from; undefined for one that `map` did not make. */
export function originOf(values: object): Origin | undefined {
  return origins.get(values)
}
