import type { LogEntry } from '../callbacks/TrainerState'
import { type EvaluatedSet, metricNames, numberIn, setName } from './evaluations'
import { html, type Html } from './html'
import { lineChart, type Point, type Series } from './lineChart'
import type { Report } from './Report'

/** More metrics have no curves: their table has them all. */
const mostMetrics = 8

/**
 * The curves of a run: loss, learning rate, gradient norm, and the metrics where they were evaluated more than once.
 */
export function curves({ history }: Report, sets: readonly EvaluatedSet[]): Html {
  const training: Series = { name: 'training', points: pointsOf(history, 'loss') }
  const several = sets.length > 1
  const evaluated = sets.map(set => ({ name: nameOf(set, several), points: metricPoints(set, 'loss') }))
  const losses = [training, ...evaluated].filter(({ points }) => points.length > 0)
  const charts = [
    lineChart({ title: 'Loss', label: 'loss', series: losses }),
    ...metricCharts(sets, several),
    lineChart({
      title: 'Learning rate',
      label: 'learning rate',
      series: [{ name: 'learning rate', points: pointsOf(history, 'learning_rate') }],
      fromZero: true,
    }),
    lineChart({
      title: 'Gradient norm before clipping',
      label: 'gradient norm',
      series: [{ name: 'gradient norm', points: pointsOf(history, 'grad_norm') }],
      fromZero: true,
    }),
  ]
  return charts.every(({ markup }) => markup === '')
    ? html`<p>Nothing has been logged yet.</p>`
    : html`<div class="charts">${charts}</div>`
}

/** A chart for each metric that is a number, with a line for each set. */
function metricCharts(sets: readonly EvaluatedSet[], several: boolean): Html[] {
  const names = [...new Set(sets.flatMap(set => metricNames(set)))].filter(name => name !== 'loss')
  return names
    .map(name => ({
      title: `Evaluation: ${name}`,
      label: name,
      series: sets
        .map(set => ({ name: several ? nameOf(set, true) : name, points: metricPoints(set, name) }))
        .filter(({ points }) => points.length > 1),
    }))
    .filter(({ series }) => series.length > 0)
    .slice(0, mostMetrics)
    .map(lineChart)
}

function nameOf({ prefix }: EvaluatedSet, several: boolean): string {
  return several ? (setName(prefix) ?? 'evaluation') : 'evaluation'
}

function pointsOf(history: readonly LogEntry[], key: string): Point[] {
  return history.flatMap(entry => {
    const [x, y] = [numberIn(entry, 'step'), numberIn(entry, key)]
    return x === undefined || y === undefined ? [] : [{ x, y }]
  })
}

function metricPoints({ evaluations }: EvaluatedSet, name: string): Point[] {
  return evaluations.flatMap(({ step, metrics }) => {
    const value = metrics[name]
    return typeof value === 'number' ? [{ x: step, y: value }] : []
  })
}
