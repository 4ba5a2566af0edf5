/** Where text goes, whether a terminal is behind it, and how many columns that has. */
export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}
