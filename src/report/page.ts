import { createHash } from 'node:crypto'
import { sentenceOf } from '../errors'
import { argumentsSection } from './argumentsSection'
import { curves } from './curves'
import { type EvaluatedSet, evaluatedSets, setName } from './evaluations'
import { type Content, html, Html } from './html'
import { machineSection } from './machineSection'
import { metricsTable } from './metricsTable'
import { countOf, countText, metricText } from './numbers'
import type { Report } from './Report'
import type { ReportedRows } from './ReportedRows'
import { style } from './style'
import { summarySection } from './summarySection'
import { timingsSection } from './timingsSection'

/**
 * The page allows its own style sheet, by its sum, and nothing else: no script, no style of a row's text, no address.
 */
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; img-src data:; base-uri 'none'; form-action 'none'`

/** A report as one page that needs nothing beside it. */
export function pageOf(report: Report): string {
  const sets = evaluatedSets(report.history)
  const { title } = report
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title} – training report</title>
        <link rel="icon" href="data:," />
        ${new Html(`<style>${style}</style>`)}
      </head>
      <body>
        <header>
          <h1><bdi>${title}</bdi></h1>
          ${stateOf(report)}
          <nav aria-label="Contents">
            <ul>
              ${contents(sets).map(([id, name]) => html`<li><a href="#${id}">${name}</a></li> `)}
            </ul>
          </nav>
        </header>
        <main>
          ${summarySection(report, sets)}
          <section aria-labelledby="curves">
            <h2 id="curves">Curves</h2>
            ${curves(report, sets)}
          </section>
          ${sets.map((set, at) => evaluationSection(set, idOf(at), report))}${argumentsSection(report)}${timingsSection(report, sets)}${machineSection(report)}
        </main>
        <footer><p>Written by ts-trainer. The page has no scripts and asks no server for anything.</p></footer>
      </body>
    </html> `.markup
}

function contents(sets: readonly EvaluatedSet[]): [id: string, name: string][] {
  return [
    ['summary', 'Summary'],
    ['curves', 'Curves'],
    ...sets.map((set, at): [string, string] => [idOf(at), evaluationTitle(set)]),
    ['arguments', 'Training arguments'],
    ['timings', 'Timings'],
    ['machine', 'Machine and versions'],
  ]
}

/** By number: the name of a set may be any text. */
function idOf(at: number): string {
  return `evaluation-${at + 1}`
}

function evaluationTitle({ prefix }: EvaluatedSet): string {
  const name = setName(prefix)
  return name === undefined ? 'Evaluation' : `Evaluation: ${name}`
}

function evaluationSection(set: EvaluatedSet, id: string, report: Report): Html {
  const last = report.details.get(set.prefix)
  const sections = last && rowSections(last.rows)
  const note =
    last !== undefined &&
    sections?.markup !== '' &&
    html`<p class="note">
      What follows is of the last evaluation, at step ${countText(last.step)}: ${countOf(last.rows.count, 'row')}.
    </p> `
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${evaluationTitle(set)}</h2>
    ${metricsTable(set, report.best)}${note}${sections}
  </section> `
}

/**
 * What the rows come to; where that fails, such as for entities whose types have impossible names, the page is
 * without it.
 */
function rowSections(rows: ReportedRows): Html {
  try {
    return rows.sections()
  } catch (error) {
    return html`<p class="note">They cannot be shown: ${sentenceOf(error)}</p>`
  }
}

/** How far the run is, and when that was: a page that reloads itself would lose its place, and what was opened. */
function stateOf({ status, step, maxSteps, epoch, epochs, writtenAt }: Report): Html {
  const steps = `step ${countText(step)} of ${countText(maxSteps)}`
  const passed = `epoch ${metricText(epoch)} of ${metricText(epochs)}`
  const states: Readonly<Record<Report['status'], string>> = {
    evaluated: 'Evaluated, not trained',
    running: `Running: ${steps}, ${passed}`,
    finished: `Finished: ${countOf(step, 'step')}, ${metricText(epoch)} ${epoch === 1 ? 'epoch' : 'epochs'}`,
    stopped: `Stopped at ${steps}, ${passed}`,
    failed: `Ended by an error at ${steps}, ${passed}`,
  }
  const iso = new Date(writtenAt).toISOString()
  const time = html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`
  const advice: Content = status === 'running' && ' It is written again while the run lasts: reload it to see more.'
  return html`<p class="state"><strong>${states[status]}</strong></p>
    <p class="note">This page was written at ${time}.${advice}</p>`
}
