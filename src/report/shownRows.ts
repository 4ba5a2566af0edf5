import type { EvaluatedBatch } from '../callbacks/EvaluatedBatch'
import { shortened } from './beginningOf'
import { type Content, html, type Html } from './html'
import { Largest } from './Largest'
import { countText } from './numbers'
import { type Decoder, type RowText, textsOf } from './rowTexts'

/** A row that the page may show. */
export interface ShownRow<Facts> {
  /** Which row of the dataset it is, from 0. */
  readonly row: number
  readonly facts: Facts
  readonly place: number
  texts?: readonly RowText[]
}

/** The rows of an evaluation that stand out by one thing or another; their texts are read when they are found. */
export class ShownRows<Kind extends string, Facts> {
  readonly #lists: Readonly<Record<Kind, Largest<ShownRow<Facts>>>>
  readonly #decoder: Decoder | undefined

  /** @param count how many of each kind are kept. */
  constructor(kinds: readonly Kind[], count: number, decoder: Decoder | undefined) {
    const lists = kinds.map(kind => [kind, new Largest<ShownRow<Facts>>(count)] as const)
    this.#lists = Object.fromEntries(lists) as Record<Kind, Largest<ShownRow<Facts>>>
    this.#decoder = decoder
  }

  /** Takes a row of a batch by how much it stands out, for each kind; of one that is left out it does not. */
  add({ rows }: EvaluatedBatch, place: number, scores: Partial<Record<Kind, number>>, facts: () => Facts): void {
    let made: ShownRow<Facts> | undefined
    const make = (): ShownRow<Facts> => (made ??= { row: rows[place]!, place, facts: facts() })
    for (const [kind, score] of Object.entries(scores)) this.#lists[kind as Kind].add(score as number, make)
  }

  /** Reads the texts of those rows of a batch that are still shown. */
  async readTexts(evaluated: EvaluatedBatch): Promise<void> {
    for (const list of Object.values(this.#lists) as Largest<ShownRow<Facts>>[])
      for (const item of list.items) item.texts ??= await textsOf(evaluated, item.place, this.#decoder)
  }

  of(kind: Kind): readonly ShownRow<Facts>[] {
    return this.#lists[kind].items
  }
}

/** As much of a text is seen at once. */
const seen = 320

/** The part of a page with lists of rows; nothing without any. */
export function rowsSection(...lists: readonly Html[]): Html {
  if (lists.every(({ markup }) => markup === '')) return html``
  return html`<section>
    <h3>Rows to look at</h3>
    <p class="note">
      Rows are counted from 0 in the dataset that was evaluated. Where that is a part of a file, they are not the
      file's.
    </p>
    ${lists}
  </section> `
}

/** Rows with their texts, one below the other; nothing for none. */
export function rowList<Facts>(
  title: string,
  note: string,
  rows: readonly ShownRow<Facts>[],
  factsOf: (facts: Facts) => Content,
): Html {
  if (rows.length === 0) return html``
  return html`<h4>${title}</h4>
    <p class="note">${note}</p>
    <ol class="rows">
      ${rows.map(
        ({ row, facts, texts = [] }) =>
          html`<li>
            <p class="facts"><span class="place">Row ${countText(row)}</span> ${factsOf(facts)}</p>
            ${texts.map(text => textOf(text, texts.length > 1))}
          </li> `,
      )}
    </ol> `
}

/** A text, of a long one the beginning; it has a direction and a line of its own whatever is in it. */
function textOf({ column, text, length }: RowText, isNamed: boolean): Html {
  const name = isNamed && html`<span class="column" dir="ltr">${column}</span> `
  if (length <= seen) return html`<p class="text" dir="auto">${name}${words(text)}</p> `
  const left = length - text.length
  const rest = left > 0 && more(`and ${countText(left)} characters more, which this page leaves out`)
  return html`<details class="text">
    <summary dir="auto">${name}${words(shortened(text, seen))} ${more(`all ${countText(length)} characters`)}</summary>
    <p class="text" dir="auto">${words(text)} ${rest}</p>
  </details> `
}

function words(text: string): Html {
  return html`<span class="words">${text}</span>`
}

function more(text: string): Html {
  return html`<span class="more" dir="ltr">${text}</span>`
}
