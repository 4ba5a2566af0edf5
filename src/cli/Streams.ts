/** What is piped in, or typed. */
export type Input = AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean | undefined }

/** What a command reads from and writes to. */
export interface Streams {
  /** Results, a line or several. What it returns is waited for before more of many is written: a reader may be slow. */
  readonly out: (text: string) => unknown
  /** Notes and progress. */
  readonly error: (text: string) => unknown
  /** Standard input by default. */
  readonly input?: Input
  /** Ctrl-C, for those who cannot press it: aborting is pressing. */
  readonly interrupt?: AbortSignal
}
