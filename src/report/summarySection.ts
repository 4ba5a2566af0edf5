import { bestOf, type EvaluatedSet, setName } from './evaluations'
import { html, type Html } from './html'
import { countText, metricText } from './numbers'
import type { Report } from './Report'
import { facts } from './table'

/** What a run is and came to, in a few lines. */
export function summarySection(report: Report, sets: readonly EvaluatedSet[]): Html {
  const { model, trainRows, details } = report
  const rows = [...details].map(([prefix, last]) => rowsText(setName(prefix), last.rows.count)).filter(Boolean)
  return html`<section aria-labelledby="summary">
    <h2 id="summary">Summary</h2>
    ${facts([
      ['Model', model && html`${model.name}${model.source !== undefined && html` from <bdi>${model.source}</bdi>`}`],
      ['Parameters', model && parametersText(model)],
      ['Task', model?.task.replaceAll('-', ' ')],
      ['Training rows', trainRows === undefined ? undefined : countText(trainRows)],
      ['Evaluated rows', rows.join(', ')],
      ...sets.flatMap(set => bestFacts(set, report)),
    ])}
  </section> `
}

function rowsText(name: string | undefined, rows: number): string {
  return rows === 0 ? '' : name === undefined ? countText(rows) : `${name} ${countText(rows)}`
}

function parametersText({ parameters, trained }: NonNullable<Report['model']>): string {
  return trained === parameters
    ? countText(parameters)
    : `${countText(parameters)}, of which ${countText(trained)} are trained`
}

/** The best evaluation and the last, where they differ. */
function bestFacts(set: EvaluatedSet, { best: by }: Report): [string, string][] {
  const best = bestOf(set, by)
  if (best === undefined) return []
  const of = setName(set.prefix) === undefined ? '' : ` of ${setName(set.prefix)}`
  const text = (at: number): string => {
    const { metrics, step } = set.evaluations[at]!
    const shown = Object.entries(metrics).filter(([, value]) => typeof value === 'number')
    const first = shown.slice(0, 4).map(([name, value]) => `${name} ${metricText(value)}`)
    return `${first.join(', ')} at step ${countText(step)}`
  }
  const last = set.evaluations.length - 1
  const latest: [string, string] = [`Last evaluation${of}`, text(last)]
  return best.at === last ? [latest] : [[`Best evaluation${of}, by ${best.metric}`, text(best.at)], latest]
}
