import { html, type Html } from './html'
import { confusionMap, type Matrix, shadeClass } from './confusionMap'
import { countOf, countText, percentText } from './numbers'
import { name } from './name'
import { captionOf, scrolling, table } from './table'

/** With more classes numbers cannot be read in their cells. */
export const mostNumbered = 12
/** So many pairs of classes are listed. */
const listed = 20

/**
 * How often each class is predicted as each: numbers of few classes, a map of many, and the pairs that are mixed up
 * most.
 */
export function confusionSection(matrix: Matrix, names: readonly string[], of: string): Html {
  const sums = matrix.map(row => row.reduce((sum, count) => sum + count, 0))
  return html`<section>
    <h3>Confusion matrix</h3>
    ${matrix.length <= mostNumbered ? numbers(matrix, names, sums, of) : confusionMap(matrix, names, sums, of)}
    ${confusions(matrix, names, sums)}
  </section> `
}

function numbers(matrix: Matrix, names: readonly string[], sums: readonly number[], of: string): Html {
  const heads = names.map(one => html`<th scope="col" class="number">${name(one)}</th>`)
  const rows = matrix.map((row, given) => {
    const cells = row.map((count, predicted) => {
      const share = sums[given] === 0 ? 0 : count / sums[given]!
      const told = `${countOf(count, of)}, ${percentText(share)} of ${names[given]}`
      return html`<td class="number ${shadeClass(given === predicted, share)}" title="${told}">${countText(count)}</td>`
    })
    return html`<tr>
      <th scope="row">${name(names[given]!)}</th>
      ${cells}
    </tr> `
  })
  return scrolling(
    'Confusion matrix',
    html`<table class="matrix">
      ${captionOf(html`How many ${of}s of each class are predicted as each: rows are the true classes, columns the predicted ones. Shades are shares of a row.`)}
      <thead>
        <tr>
          <th scope="col">true \\ predicted</th>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`,
  )
}

function confusions(matrix: Matrix, names: readonly string[], sums: readonly number[]): Html {
  const wrong = matrix
    .flatMap((row, given) => row.map((count, predicted) => ({ given, predicted, count })))
    .filter(({ given, predicted, count }) => given !== predicted && count > 0)
    .toSorted((a, b) => b.count - a.count)
  if (wrong.length === 0) return html`<p>No class is predicted as another.</p> `
  const more = wrong.length > listed ? `: the ${listed} most frequent of ${countText(wrong.length)} pairs` : ''
  return table(
    `What is mixed up${more}`,
    [
      { title: 'True class' },
      { title: 'Predicted class' },
      { title: 'How often', numeric: true },
      { title: 'Of the true class', numeric: true },
    ],
    wrong.slice(0, listed).map(({ given, predicted, count }) => ({
      cells: [name(names[given]!), name(names[predicted]!), countText(count), percentText(count / sums[given]!)],
    })),
  )
}
