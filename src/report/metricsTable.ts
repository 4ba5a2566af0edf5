import type { MetricValue } from '../metrics/Metrics'
import { shortened } from './beginningOf'
import { bestOf, type EvaluatedSet, type Evaluation, metricNames } from './evaluations'
import { html, type Html } from './html'
import { columnText, metricText } from './numbers'
import type { BestEvaluation } from './Report'
import { table, type TableRow } from './table'

/** More evaluations are shown in a table that is closed at first. */
const mostRows = 20
/** A list or an object among the metrics is cut. */
const longest = 60

/** The metrics of each evaluation of a set, with the best marked. */
export function metricsTable(set: EvaluatedSet, by: BestEvaluation | undefined): Html {
  const { evaluations } = set
  const best = bestOf(set, by)
  const names = metricNames(set)
  const columns = ['Step', 'Epoch', ...names].map(title => ({ title, numeric: true }))
  const shown = names.map(name => [name, columnText(evaluations.map(({ metrics }) => metrics[name]))] as const)
  const rows = evaluations.map((one, at) => rowOf(one, shown, at === best?.at && evaluations.length > 1))
  const marked = best === undefined || evaluations.length === 1 ? '' : `; the best by ${best.metric} is marked`
  const kept = rows.filter((_, at) => at >= rows.length - mostRows || at === best?.at)
  const all =
    rows.length > kept.length &&
    html`<details>
      <summary>All ${rows.length} evaluations</summary>
      ${table(`Metrics by evaluation${marked}`, columns, rows)}
    </details> `
  const which = all === false ? '' : `, the last ${mostRows}`
  return html`<section>
    <h3>Metrics</h3>
    ${table(`Metrics by evaluation${which}${marked}`, columns, kept)} ${all}
  </section> `
}

function rowOf(
  { step, epoch, metrics }: Evaluation,
  shown: readonly (readonly [name: string, text: (value: MetricValue) => string])[],
  isBest: boolean,
): TableRow {
  const place = html`${isBest && html`<span class="tag">best</span> `}${metricText(step)}`
  const cells = shown.map(([name, textOf]) => {
    const value = metrics[name]
    const text = value === undefined ? '–' : textOf(value)
    return shortened(text, longest)
  })
  return { cells: [place, metricText(epoch), ...cells], ...(isBest && { kind: 'best' as const }) }
}
