import { html, type Html } from './html'
import { metricText } from './numbers'
import { Plot } from './plot'

/** A value at a step. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A line: each has a pattern of its own beside its colour. */
export interface Series {
  readonly name: string
  readonly points: readonly Point[]
}

/** What a chart of lines shows. */
export interface LineChart {
  readonly title: string
  /** What is up, with its unit if it has one. */
  readonly label: string
  readonly series: readonly Series[]
  /** 0 is on the axis; otherwise it begins near the least value. */
  readonly fromZero?: boolean
}

/** As many columns of a line can be told apart, and as many of its values pointed at. */
const columns = 400
const pointed = 120
/** Patterns of lines and colours, which begin anew when they are used up. */
const looks = 4

/** Lines over the steps of a run. Values are told where one points at them. */
export function lineChart({ title, label, series, fromZero = false }: LineChart): Html {
  const shown = series.map(one => ({ ...one, points: one.points.filter(isFinitePoint) }))
  const points = shown.flatMap(one => one.points)
  const left = series.reduce((sum, one) => sum + one.points.length, 0) - points.length
  if (points.length === 0) return html``
  const [low, high] = rangeOf(points.map(({ y }) => y))
  const [first, last] = rangeOf(points.map(({ x }) => x))
  const plot = new Plot(
    { label: 'step', low: first, high: last, exact: true },
    { label, low: fromZero ? Math.min(0, low) : low, high },
  )
  const drawn = plot.draw(
    `${title}. ${shown.map(one => summaryOf(one)).join(' ')}`,
    html`${shown.map((one, at) => lineOf(plot, one, at))}`,
  )
  const note = left > 0 && html`<p class="note">${left} values that are not finite are left out.</p>`
  return html`<figure>
    <figcaption>
      ${title}${series.length > 1 && html`<span class="legend">${shown.map(({ name }, at) => keyOf(name, at))}</span>`}
    </figcaption>
    ${drawn}${note}
  </figure> `
}

function isFinitePoint({ x, y }: Point): boolean {
  return Number.isFinite(x) && Number.isFinite(y)
}

/** The least and the greatest: lists may be too long for Math.min. */
export function rangeOf(values: readonly number[]): [number, number] {
  return [
    values.reduce((least, value) => Math.min(least, value), Infinity),
    values.reduce((greatest, value) => Math.max(greatest, value), -Infinity),
  ]
}

function summaryOf({ name, points }: Series): string {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return `${name}: no values.`
  if (points.length === 1) return `${name}: ${metricText(first.y)} at step ${first.x}.`
  const [low, high] = rangeOf(points.map(({ y }) => y))
  return (
    `${name}: from ${metricText(first.y)} at step ${first.x} to ${metricText(last.y)} at step ${last.x}, ` +
    `between ${metricText(low)} and ${metricText(high)}.`
  )
}

function keyOf(name: string, at: number): Html {
  const sample = html`<svg class="key" viewBox="0 0 28 10" aria-hidden="true">
    <path class="line look${at % looks}" d="M0 5H28" />
  </svg>`
  return html`<span>${sample} ${name}</span>`
}

function lineOf(plot: Plot, { name, points }: Series, at: number): Html {
  const path = thinned(points)
    .map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${plot.x(x)} ${plot.y(y)}`)
    .join('')
  const each = Math.ceil(points.length / pointed)
  const dots = points
    .filter((_, i) => i % each === 0 || i === points.length - 1)
    .map(({ x, y }) => {
      const text = `${name} at step ${x}: ${metricText(y)}`
      return html`<circle
        class="dot look${at % looks}${points.length > 30 && ' quiet'}"
        cx="${plot.x(x)}"
        cy="${plot.y(y)}"
        r="3"
        ><title>${text}</title></circle
      > `
    })
  return html`<path class="line look${at % looks}" d="${path}" /> ${dots}`
}

/** Of many points the lowest and the highest of each column of the drawing, which look the same. */
function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= 2 * columns) return points
  return Array.from({ length: columns }, (_, column) => {
    const [from, to] = [column, column + 1].map(edge => Math.floor((edge * points.length) / columns)) as [
      number,
      number,
    ]
    const held = points.slice(from, to)
    const low = held.reduce((least, point) => (point.y < least.y ? point : least))
    const high = held.reduce((greatest, point) => (point.y > greatest.y ? point : greatest))
    return low.x <= high.x ? [low, high] : [high, low]
  }).flat()
}
