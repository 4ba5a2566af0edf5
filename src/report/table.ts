import { type Content, html, type Html } from './html'

/** A column: how it is called, and whether it has numbers, which stand on the right. */
export interface Column {
  readonly title: string
  readonly numeric?: boolean
}

/** A row: a cell for each column, of which the first names the row. */
export interface TableRow {
  readonly cells: readonly Content[]
  /** Among others of its kind it is the best, or a sum of them. */
  readonly kind?: 'best' | 'total'
}

/** A table with a caption; it scrolls by itself where it is wider than the page, by keyboard too. */
export function table(caption: Content, columns: readonly Column[], rows: readonly TableRow[]): Html {
  const heads = columns.map(({ title, numeric }) =>
    numeric ? html`<th scope="col" class="number">${title}</th>` : html`<th scope="col">${title}</th>`,
  )
  return scrolling(
    'Table',
    html`<table>
      ${captionOf(caption)}
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${rows.map(row => html`${rowOf(row, columns)} `)}
      </tbody>
    </table>`,
  )
}

/** A caption that stays in sight while its table is scrolled. */
export function captionOf(caption: Content): Html {
  return html`<caption>
    <span>${caption}</span>
  </caption>`
}

/** What is wider than a narrow page, in a region that scrolls. */
export function scrolling(what: string, content: Html): Html {
  return html`<div class="scroll" role="group" aria-label="${what}, scrolls sideways" tabindex="0">${content}</div>`
}

function rowOf({ cells, kind }: TableRow, columns: readonly Column[]): Html {
  const all = cells.map((cell, at) => {
    if (at === 0)
      return columns[0]!.numeric
        ? html`<th scope="row" class="number">${cell}</th>`
        : html`<th scope="row">${cell}</th>`
    return columns[at]!.numeric ? html`<td class="number">${cell}</td>` : html`<td>${cell}</td>`
  })
  return kind === undefined
    ? html`<tr>
        ${all}
      </tr>`
    : html`<tr class="${kind}">
        ${all}
      </tr>`
}

/** Names with their values, one below the other. */
export function facts(entries: readonly (readonly [name: string, value: Content])[]): Html {
  const known = entries.filter(([, value]) => value !== undefined && value !== false && value !== '')
  return html`<dl>
    ${known.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div> `,
    )}
  </dl>`
}
