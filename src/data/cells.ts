// CSV and TSV text → rows of cells

/** How a text is cut into cells. */
export interface CellOptions {
  readonly delimiter: string
  /** Whether quotes enclose cells. */
  readonly quoting: boolean
  /** How many rows are left out at the beginning, blank lines counted. */
  readonly skipRows: number
}

/** The rows of a text. */
export interface Cells {
  readonly rows: string[][]
  /** The number of each row in the file, counted from 1, as a spreadsheet shows it; blank lines count. */
  readonly numbers: number[]
  /** The row in which a quote opens that nothing closes. */
  readonly openQuote: number | undefined
}

const lineFeed = 10
const carriageReturn = 13
const quote = 34

/**
 * Cuts a text into rows and cells by the rules of pandas: `\n`, `\r\n` and `\r` end a row, in any mix, outside quotes; a
 * quote encloses a cell only where it begins it; two quotes inside stand for one; what follows a closing quote belongs to
 * the cell; lines of nothing but blanks are skipped.
 */
export function parseCells(text: string, { delimiter, quoting, skipRows }: CellOptions): Cells {
  const rows: string[][] = []
  const numbers: number[] = []
  const blankLine = new RegExp(`${blanksBeside(delimiter)}(?:\r\n|\n|\r|$)`, 'y')
  let openQuote: number | undefined
  let at = 0
  for (let number = 1; at < text.length; number++) {
    blankLine.lastIndex = at
    if (blankLine.test(text)) {
      at = blankLine.lastIndex
      continue
    }
    const row: string[] = []
    for (;;) {
      const cell =
        quoting && text.charCodeAt(at) === quote ? quotedCell(text, at, delimiter) : plainCell(text, at, delimiter)
      row.push(cell.text)
      if (cell.open) openQuote ??= number
      at = cell.end
      if (!text.startsWith(delimiter, at) || at === text.length) break
      at += delimiter.length
    }
    at += text.startsWith('\r\n', at) ? 2 : 1
    if (number <= skipRows) continue
    rows.push(row)
    numbers.push(number)
  }
  return { rows, numbers, openQuote }
}

interface Cell {
  readonly text: string
  /** Where it ends: at a delimiter, at the end of a row or of the text. */
  readonly end: number
  readonly open?: boolean
}

function plainCell(text: string, from: number, delimiter: string): Cell {
  const end = endOfCell(text, from, delimiter)
  return { text: text.slice(from, end), end }
}

function quotedCell(text: string, from: number, delimiter: string): Cell {
  let closing = text.indexOf('"', from + 1)
  while (closing >= 0 && text.charCodeAt(closing + 1) === quote) closing = text.indexOf('"', closing + 2)
  if (closing < 0) return { text: text.slice(from + 1), end: text.length, open: true }
  const end = endOfCell(text, closing + 1, delimiter)
  return { text: text.slice(from + 1, closing).replaceAll('""', '"') + text.slice(closing + 1, end), end }
}

function endOfCell(text: string, from: number, delimiter: string): number {
  const first = delimiter.charCodeAt(0)
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === lineFeed || unit === carriageReturn) return at
    if (unit === first && (delimiter.length === 1 || text.startsWith(delimiter, at))) return at
  }
  return text.length
}

/** The blanks that a line may consist of: spaces and tabs, unless they separate cells. */
function blanksBeside(delimiter: string): string {
  const blanks = [' ', '\t'].filter(blank => !delimiter.includes(blank))
  return blanks.length === 0 ? '' : `[${blanks.join('')}]*`
}
