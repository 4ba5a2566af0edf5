import { html, type Html } from './html'
import { shadeOf } from './heatLevels'
import { countOf, percentText } from './numbers'
import { rounded } from './plot'
import { scrolling } from './table'
import { ticksOver } from './ticks'

/** How often each class, a row, is predicted as each, a column. */
export type Matrix = readonly (readonly number[])[]

/** The style of a square by its share of a class. */
export function shadeClass(isRight: boolean, share: number): string {
  return `${isRight ? 'right' : 'wrong'}${shadeOf(share)}`
}

/** So many pairs are named where one points at them. */
const mostNamed = 2000
/** Where the map is in its drawing. */
const [side, left, top] = [600, 52, 34]

/** A square for every pair of classes that occurs, which are called by their numbers. */
export function confusionMap(matrix: Matrix, names: readonly string[], sums: readonly number[], of: string): Html {
  const count = matrix.length
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
        ${ticksOf(count)}
        <text class="label" x="${left + side / 2}" y="12" text-anchor="middle">predicted</text>
        <text class="label" transform="translate(12 ${top + side / 2}) rotate(-90)" text-anchor="middle">true</text>
        ${squaresOf(matrix, names, sums, of)}
      </svg>`,
    )}
  </figure> `
}

function ticksOf(count: number): Html[] {
  return ticksOver(0, count - 1, 10)
    .filter(tick => Number.isInteger(tick) && tick < count)
    .map(tick => {
      const middle = rounded((tick + 0.5) * (side / count))
      return html`<text x="${left + middle}" y="${top - 6}" text-anchor="middle">${tick}</text
        ><text x="${left - 6}" y="${top + middle + 4}" text-anchor="end">${tick}</text> `
    })
}

interface Pair {
  readonly given: number
  readonly predicted: number
  readonly found: number
}

/** Squares of the pairs that occur most have names; all others of a shade are one path, or the page would be large. */
function squaresOf(matrix: Matrix, names: readonly string[], sums: readonly number[], of: string): Html[] {
  const cell = rounded(side / matrix.length)
  const pairs = matrix
    .flatMap((row, given) => row.map((found, predicted): Pair => ({ given, predicted, found })))
    .filter(({ found }) => found > 0)
    .toSorted((a, b) => b.found - a.found)
  const shadeOfPair = ({ given, predicted, found }: Pair): string =>
    shadeClass(given === predicted, found / sums[given]!)
  const cornerOf = ({ given, predicted }: Pair): [x: number, y: number] => [
    rounded(left + (predicted * side) / matrix.length),
    rounded(top + (given * side) / matrix.length),
  ]
  const named = pairs.slice(0, mostNamed).map(pair => {
    const { given, predicted, found } = pair
    const [x, y] = cornerOf(pair)
    const share = percentText(found / sums[given]!)
    const told = `${names[given]} predicted as ${names[predicted]}: ${countOf(found, of)}, ${share}`
    return html`<rect class="${shadeOfPair(pair)}" x="${x}" y="${y}" width="${cell}" height="${cell}"
      ><title>${told}</title></rect
    > `
  })
  const others = new Map<string, string>()
  for (const pair of pairs.slice(mostNamed)) {
    const shade = shadeOfPair(pair)
    others.set(shade, `${others.get(shade) ?? ''}M${cornerOf(pair).join(' ')}h${cell}v${cell}h-${cell}z`)
  }
  const paths = [...others].map(([shade, squares]) => html`<path class="${shade}" d="${squares}" /> `)
  return [...named, ...paths]
}
