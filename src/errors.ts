/** The kind of an error, for programs; the message is for people. */
export type ErrorCode =
  | 'argument' // an option or a parameter with a wrong value
  | 'data' // a row, a column or a label
  | 'file' // missing, truncated, malformed, not writable
  | 'model' // a config or weights that do not fit
  | 'graph' // malformed, or not differentiable
  | 'engine' // the runtime: library, provider, memory, execution
  | 'hub' // the Hugging Face Hub: not reached, refused, not there
  | 'training' // the loop: a loss that is not finite, nothing to train
  | 'internal' // a fault of ts-trainer itself

/**
 * The one error class of ts-trainer.
 *
 * The message says what was expected, what was given and where; `fix` says what to do, and ends the message.
 */
export class TrainerError extends Error {
  override readonly name = 'TrainerError'
  readonly code: ErrorCode
  declare readonly fix: string | undefined
  /** The message without what to do. */
  declare readonly problem: string

  constructor(code: ErrorCode, message: string, options: { fix?: string; cause?: unknown } = {}) {
    super(
      options.fix === undefined ? message : `${message} ${options.fix}`,
      'cause' in options ? { cause: options.cause } : undefined,
    )
    this.code = code
    // not enumerable: Node would print them again after the message
    Object.defineProperties(this, { fix: { value: options.fix }, problem: { value: message } })
  }
}

/** A fault of a row's label: rows that are only predicted need none, and are advised otherwise. */
export class LabelError extends TrainerError {
  constructor(problem: string, fix?: string) {
    super('data', problem, fix === undefined ? {} : { fix })
  }

  /** The same fault with other advice. */
  advising(fix: string): TrainerError {
    return new TrainerError('data', this.problem, { fix, cause: this })
  }
}

/** Memory ran out, of the machine or of a device: smaller batches may do. */
export class OutOfMemoryError extends TrainerError {
  constructor(problem: string, options: { readonly fix?: string; readonly cause?: unknown }) {
    super('engine', problem, options)
  }
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}

/** What an error says as a sentence, which another may follow. */
export function sentenceOf(error: unknown): string {
  return messageOf(error)
    .trimEnd()
    .replace(/(?<![.!?…])$/, '.')
}

/** Names in a message: "a", "b". */
export function quoted(names: readonly string[]): string {
  return names.map(name => `"${name}"`).join(', ')
}

/**
 * The candidate closest to what was written, if one is so close that it may be a slip.
 * @param most how many letters may differ; by default a third of what was written, and at least two.
 */
export function nearest(
  written: string,
  candidates: Iterable<string>,
  most = Math.max(2, Math.floor(written.length / 3)),
): string | undefined {
  let best: string | undefined
  let bestDistance = most + 1
  for (const candidate of candidates) {
    const distance = editDistance(written.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Levenshtein's distance: the fewest insertions, deletions and substitutions of one character. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
