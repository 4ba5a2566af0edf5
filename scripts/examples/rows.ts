// sixteen rows for each example, in the column layout of the Hub

/** The rows of one file. */
export type Rows = readonly Readonly<Record<string, unknown>>[]

const words = (
  'river stone garden window silver morning letter branch candle harbour copper meadow thunder ribbon lantern valley ' +
  'orchard feather marble island winter saddle bridge pepper violin sparrow canyon mirror cotton glacier'
).split(' ')

const count = 16

/** A text of its own for each row and column: the row's number in words, and some more. */
function textOf(row: number, column = 0, length = 5): string {
  const first = [words[row % words.length], words[(row * 7 + column * 11 + 3) % words.length]]
  return [
    ...first,
    ...Array.from({ length: length - 2 }, (_, at) => words[(row * at + column * 5 + at * at) % 30]),
  ].join(' ')
}

/**
 * Rows with a text in each column, of so many classes in an order that no pattern gives away; 1: numbers from 0 to 5.
 */
export function labelled(columns: readonly string[], classes: number): Rows {
  return rowsOf(row => ({
    ...Object.fromEntries(columns.map((column, at) => [column, textOf(row, at)])),
    label: classes === 1 ? ((row * 5) % 16) / 3 : Math.floor(((row * 0.618) % 1) * classes),
    idx: row,
  }))
}

/** SWAG's rows: a sentence, the beginning of the next, and four endings. */
export function choices(): Rows {
  return rowsOf(row => ({
    sent1: `${textOf(row)}.`,
    sent2: words[(row * 3) % words.length],
    ...Object.fromEntries([0, 1, 2, 3].map(ending => [`ending${ending}`, `${textOf(row, ending + 1, 3)}.`])),
    label: (row * 7 + 1) % 4,
  }))
}

/** Texts, for a model of language. */
export function texts(): Rows {
  return rowsOf(row => ({ text: `${textOf(row, 0, 8)}.` }))
}

/** CoNLL's rows: words, and which of them name a person or a place. */
export function entities(): Rows {
  return rowsOf(row => {
    const [person, place, ...others] = textOf(row).split(' ')
    const isOutside = row % 2 === 0
    return {
      id: String(row),
      tokens: isOutside ? [...others, person, place, 'said', person] : [place, 'said', person, ...others, '.'],
      ner_tags: isOutside ? [0, 0, 0, 1, 2, 0, 5] : [5, 0, 1, 2, 0, 0, 0],
    }
  })
}

/** SQuAD's rows: a question about a context, and two words of it that answer it. */
export function questions(): Rows {
  return rowsOf(row => {
    const context = textOf(row, 0, 16)
    const words = context.split(' ')
    const first = (row * 5) % 15
    return {
      id: `q${row}`,
      question: `What is with ${textOf(row, 1, 3)}?`,
      context,
      answers: {
        text: [words.slice(first, first + 2).join(' ')],
        answer_start: [words.slice(0, first).join(' ').length + Math.min(first, 1)],
      },
    }
  })
}

function rowsOf(make: (row: number) => Record<string, unknown>): Rows {
  return Array.from({ length: count }, (_, row) => make(row))
}
