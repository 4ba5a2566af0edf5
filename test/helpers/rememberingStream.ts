interface RememberingStream {
  readonly written: string[]
  readonly isTTY: boolean
  readonly columns: number
  readonly rows: number
  write(text: string): boolean
}

/** A stream that remembers what was written: a terminal of 80 columns, or a pipe. */
export function rememberingStream(isTTY: boolean): RememberingStream {
  const written: string[] = []
  return {
    written,
    isTTY,
    columns: 80,
    rows: 24,
    write: text => {
      written.push(text)
      return true
    },
  }
}
