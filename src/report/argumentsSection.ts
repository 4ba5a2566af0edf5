import { html, type Html } from './html'
import type { Report, ReportedArgument } from './Report'
import { table } from './table'

/** The training arguments: those that are not as by default, and the others behind a click. */
export function argumentsSection({ changedArguments, otherArguments }: Report): Html {
  const shown = (caption: string, given: readonly ReportedArgument[]): Html =>
    table(
      caption,
      [{ title: 'Argument' }, { title: 'Value' }],
      given.map(({ name, value }) => ({ cells: [html`<code>${name}</code>`, html`<code>${value}</code>`] })),
    )
  return html`<section aria-labelledby="arguments">
    <h2 id="arguments">Training arguments</h2>
    ${changedArguments.length === 0 ? html`<p>All are as by default.</p>` : shown('Arguments that differ from their defaults', changedArguments)}
    <details>
      <summary>All others, as by default</summary>
      ${shown('Arguments as by default', otherArguments)}
    </details>
  </section> `
}
