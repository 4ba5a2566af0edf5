import { shadeOf } from './heatLevels'
import { html, type Html } from './html'
import { rangeOf } from './lineChart'
import { countOf, metricText } from './numbers'
import { Plot, rounded } from './plot'

/** With more rows than this squares say how many rows there are, in place of a dot for each. */
const mostDots = 400
const squares = 40

/** Predicted against true numbers: what is right lies on the diagonal. */
export function scatterChart(labels: ArrayLike<number>, predictions: ArrayLike<number>): Html {
  const points = Array.from({ length: labels.length }, (_, at) => [labels[at]!, predictions[at]!] as const).filter(
    ([label, predicted]) => Number.isFinite(label) && Number.isFinite(predicted),
  )
  if (points.length === 0) return html``
  const [low, high] = rangeOf(points.flat())
  const plot = new Plot({ label: 'true', low, high }, { label: 'predicted', low, high }, 380)
  const isDotted = points.length <= mostDots || low === high
  const drawn = isDotted ? dots(plot, low === high ? points.slice(0, 1) : points) : shares(plot, points, low, high)
  const summary = `Predicted against true numbers of ${countOf(points.length, 'row')}, from ${metricText(low)} to ${metricText(high)}.`
  const diagonal = html`<path class="diagonal" d="M${plot.x(low)} ${plot.y(low)}L${plot.x(high)} ${plot.y(high)}" />`
  return html`<figure>
    <figcaption>
      Predicted against true numbers: what is right lies on the dashed
      line${!isDotted && '; the darker a square, the more rows'}
    </figcaption>
    ${plot.draw(summary, html`${drawn}${diagonal}`)}
  </figure>`
}

type Points = readonly (readonly [label: number, predicted: number])[]

function dots(plot: Plot, points: Points): Html {
  return html`${points.map(([label, predicted]) => {
    const told = `true ${metricText(label)}, predicted ${metricText(predicted)}`
    return html`<circle class="point" cx="${plot.x(label)}" cy="${plot.y(predicted)}" r="3"
      ><title>${told}</title></circle
    > `
  })}`
}

function shares(plot: Plot, points: Points, low: number, high: number): Html {
  const step = (high - low) / squares
  const placeOf = (value: number): number => Math.min(squares - 1, Math.floor((value - low) / step))
  const counts = new Map<number, number>()
  for (const [label, predicted] of points) {
    const at = placeOf(label) * squares + placeOf(predicted)
    counts.set(at, (counts.get(at) ?? 0) + 1)
  }
  const [, most] = rangeOf([...counts.values()])
  return html`${[...counts].map(([at, count]) => {
    const [label, predicted] = [low + Math.floor(at / squares) * step, low + (at % squares) * step]
    const [x, y] = [plot.x(label), plot.y(predicted + step)]
    const told = `${countOf(count, 'row')}: true ${metricText(label)} to ${metricText(label + step)}, predicted ${metricText(predicted)} to ${metricText(predicted + step)}`
    const shade = Math.max(2, shadeOf(count / most)) // one row can be told from none
    return html`<rect
      class="right${shade}"
      x="${x}"
      y="${y}"
      width="${rounded(plot.x(label + step) - x)}"
      height="${rounded(plot.y(predicted) - y)}"
      ><title>${told}</title></rect
    > `
  })}`
}
