/** One check of `npm run verify`. */
export interface Check {
  /** What it tries, and what has to come of it. */
  readonly does: string
  /** What has to be on the machine. */
  readonly needs: string
  /** About how long it takes. */
  readonly takes: string
  /** What it takes behind its name. */
  readonly options: string
  /**
   * Runs it, a line of report at a time, and answers whether it passed.
   * @throws Error for an option that it does not have, and where something that it needs is missing.
   */
  run(options: readonly string[], print: (line: string) => void): Promise<boolean>
}
