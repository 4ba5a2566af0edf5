import type { Calibration, CalibrationBin } from './calibration'
import { html, type Html } from './html'
import { countOf, countText, percentText } from './numbers'
import { Plot, rounded } from './plot'
import { table } from './table'

/** How often predictions are right, by how sure the model was of them. */
export function reliabilitySection({ bins, error }: Calibration, of: string): Html {
  const filled = bins.filter(({ count }) => count > 0)
  const all = filled.reduce((sum, { count }) => sum + count, 0)
  const sure = filled.reduce((sum, { count, confidence }) => sum + count * confidence, 0) / all
  const right = filled.reduce((sum, { count, accuracy }) => sum + count * accuracy, 0) / all
  const tends =
    sure - right > 0.02
      ? 'The model is surer than it is right.'
      : right - sure > 0.02
        ? 'The model is right more often than it is sure.'
        : 'On the whole the model is about as sure as it is right.'
  return html`<section>
    <h3>Reliability</h3>
    <p>
      Expected calibration error <b>${percentText(error)}</b>, over ${bins.length} bins of confidence: the mean distance
      of the bars from the diagonal, by the number of ${of}s. Mean confidence is ${percentText(sure)}, accuracy
      ${percentText(right)}. ${tends}
    </p>
    <div class="charts">${chart(filled, error, of)}</div>
    <details>
      <summary>The bins as a table</summary>
      ${table(
        'Confidence and accuracy by bin',
        [
          { title: 'Confidence' },
          { title: `${of[0]!.toUpperCase()}${of.slice(1)}s`, numeric: true },
          { title: 'Mean confidence', numeric: true },
          { title: 'Accuracy', numeric: true },
        ],
        filled.map(({ low, high, count, confidence, accuracy }) => ({
          cells: [
            `${low.toFixed(3)} to ${high.toFixed(3)}`,
            countText(count),
            percentText(confidence),
            percentText(accuracy),
          ],
        })),
      )}
    </details>
  </section> `
}

/** A bar for each bin that has rows, as wide as the bin; a dot where its mean confidence is. */
function chart(bins: readonly CalibrationBin[], error: number, of: string): Html {
  const range = { low: 0, high: 1, exact: true }
  const plot = new Plot({ ...range, label: 'confidence' }, { ...range, label: 'accuracy' }, 300)
  const bars = bins.map(({ low, high, count, confidence, accuracy }) => {
    const told = `${countOf(count, of)} with confidence ${low.toFixed(2)} to ${high.toFixed(2)}, on average ${percentText(confidence)}: ${percentText(accuracy)} right`
    const [x, y, floor] = [plot.x(low), plot.y(accuracy), plot.y(0)]
    return html`<g
      ><title>${told}</title
      ><rect
        class="bar"
        x="${rounded(x + 1)}"
        y="${y}"
        width="${rounded(plot.x(high) - x - 2)}"
        height="${rounded(floor - y)}" /><circle class="mean" cx="${plot.x(confidence)}" cy="${y}" r="3.5"
    /></g> `
  })
  const summary = `Reliability: accuracy by confidence in ${bins.length} bins that have ${of}s; expected calibration error ${percentText(error)}.`
  const diagonal = html`<path class="diagonal" d="M${plot.x(0)} ${plot.y(0)}L${plot.x(1)} ${plot.y(1)}" />`
  return html`<figure>
    <figcaption>Accuracy by confidence: bars on the dashed line would be as right as they are sure</figcaption>
    ${plot.draw(summary, html`${bars}${diagonal}`)}
  </figure>`
}
