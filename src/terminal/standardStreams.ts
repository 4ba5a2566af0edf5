import type { TextStream } from './TextStream'

/** Standard output. A function, since importing must not open the stream. */
export function standardOutput(): TextStream {
  return process.stdout
}

/** Standard error; see {@link standardOutput}. */
export function standardError(): TextStream {
  return process.stderr
}
