/** A stream for text. `isTTY` says whether it is a terminal, `columns` how wide that is. */
export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}
