// what the bench prints, kept for `--record`

const printed: string[] = []

/** Prints text, and keeps its lines. */
export function say(text: string): void {
  printed.push(...text.split('\n'))
  console.log(text)
}

/** The lines that have been printed so far. */
export function printedLines(): readonly string[] {
  return printed
}

/** Prints rows in columns: the first to the left, figures to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]!.length)))
  const padded = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
  for (const row of [head, ...rows]) say(row.map(padded).join('  ').trimEnd())
}
