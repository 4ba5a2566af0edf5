import { html, type Html } from './html'
import { shadeOf } from './heatLevels'
import { countOf, countText, percentText } from './numbers'
import { rounded } from './plot'
import { name } from './name'
import { captionOf, scrolling, table } from './table'
import { ticksOver } from './ticks'

/** With more classes numbers cannot be read in their cells. */
const mostNumbered = 12
/** So many pairs of classes are listed. */
const listed = 20

/** How often each class is predicted as each: numbers of few classes, a map of many, and the pairs that are mixed up most. */
export function confusionSection(matrix: readonly (readonly number[])[], names: readonly string[], of: string): Html {
  const sums = matrix.map(row => row.reduce((sum, count) => sum + count, 0))
  return html`<section>
    <h3>Confusion matrix</h3>
    ${matrix.length <= mostNumbered ? numbers(matrix, names, sums, of) : map(matrix, names, sums, of)}
    ${confusions(matrix, names, sums)}
  </section> `
}

type Matrix = readonly (readonly number[])[]

function shadeClass(isRight: boolean, share: number): string {
  return `${isRight ? 'right' : 'wrong'}${shadeOf(share)}`
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

/** A square for every pair that occurs. */
function map(matrix: Matrix, names: readonly string[], sums: readonly number[], of: string): Html {
  const count = matrix.length
  const [side, left, top] = [600, 52, 34]
  const cell = side / count
  const squares = matrix.flatMap((row, given) =>
    row.flatMap((found, predicted) => {
      if (found === 0) return []
      const share = found / sums[given]!
      const told = `${names[given]} predicted as ${names[predicted]}: ${countOf(found, of)}, ${percentText(share)}`
      const [x, y] = [rounded(left + predicted * cell), rounded(top + given * cell)]
      const shade = shadeClass(given === predicted, share)
      return [
        html`<rect class="${shade}" x="${x}" y="${y}" width="${rounded(cell)}" height="${rounded(cell)}"
          ><title>${told}</title></rect
        > `,
      ]
    }),
  )
  const ticks = ticksOver(0, count - 1, 10)
    .filter(tick => Number.isInteger(tick) && tick < count)
    .map(tick => {
      const middle = rounded((tick + 0.5) * cell)
      return html`<text x="${left + middle}" y="${top - 6}" text-anchor="middle">${tick}</text
        ><text x="${left - 6}" y="${top + middle + 4}" text-anchor="end">${tick}</text> `
    })
  const right = matrix.reduce((sum, row, at) => sum + row[at]!, 0)
  const all = sums.reduce((sum, one) => sum + one, 0)
  const summary = `Confusion matrix of ${count} classes: ${percentText(right / all)} of ${countOf(all, of)} lie on the diagonal. The pairs that are mixed up most are listed below.`
  return html`<figure class="map">
    <figcaption>
      Confusion matrix, classes by number: down the true class, across the predicted one. Shades are shares of a row:
      <span class="swatch right8"></span> right, <span class="swatch wrong8"></span> wrong. Point at a square for the
      names.
    </figcaption>
    ${scrolling(
      'Confusion matrix',
      html`<svg viewBox="0 0 ${left + side + 8} ${top + side + 8}" role="img" aria-label="${summary}">
        <rect class="ground" x="${left}" y="${top}" width="${side}" height="${side}" />
        ${ticks}
        <text class="label" x="${left + side / 2}" y="12" text-anchor="middle">predicted</text>
        <text class="label" transform="translate(12 ${top + side / 2}) rotate(-90)" text-anchor="middle">true</text>
        ${squares}
      </svg>`,
    )}
  </figure> `
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
