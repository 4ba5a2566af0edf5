/** Where a command writes its text. */
export interface Streams {
  readonly out: (text: string) => void
  readonly error: (text: string) => void
}
