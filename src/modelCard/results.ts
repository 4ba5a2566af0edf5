// the log of a run → its results: by name, and as a table
import { speedKeys } from '../callbacks/format'
import type { LogEntry } from '../callbacks/TrainerState'
import type { MetricValue } from '../metrics/Metrics'
import { fixedPoint, pythonFloat } from '../pythonNumbers'

/** The metrics of an evaluation by their names for people: `F1`, `Matthews Correlation`. */
export type Results = ReadonlyMap<string, MetricValue>

/** What the last evaluation came to, without its speed; undefined where there was none. */
export function resultsOf(logHistory: readonly LogEntry[]): Results | undefined {
  const last = logHistory.findLast(isEvaluation)
  return last === undefined ? undefined : new Map(metricsOf(last).map(([key, value]) => [titled(key), value]))
}

/** A row for every evaluation, with the last training loss logged before it; empty without evaluations. */
export function resultsTable(logHistory: readonly LogEntry[]): string[] {
  const rows = tableRows(logHistory)
  const columns = [...new Set(rows.flatMap(row => [...row.keys()]))]
  if (columns.length === 0) return []
  const cells = rows.map(row => columns.map(column => (row.has(column) ? written(column, row.get(column)!) : '')))
  const widths = columns.map((column, i) => Math.max(letters(column), ...cells.map(row => letters(row[i]!))))
  const line = (row: readonly string[]): string =>
    `${row.map((cell, i) => `| ${cell}${' '.repeat(widths[i]! - letters(cell))} `).join('')}|`
  return [line(columns), `${widths.map(width => `|:${'-'.repeat(width)}:`).join('')}|`, ...cells.map(line)]
}

function tableRows(logHistory: readonly LogEntry[]): Map<string, MetricValue>[] {
  let loss: MetricValue = 'No log'
  return logHistory.flatMap(entry => {
    loss = entry.loss ?? loss
    if (!isEvaluation(entry)) return []
    const metrics = metricsOf(entry).map(
      ([key, value]) => [key === 'loss' ? 'Validation Loss' : titled(columnName(key)), value] as const,
    )
    return new Map<string, MetricValue>([
      ['Training Loss', loss],
      ['Epoch', entry.epoch ?? null],
      ['Step', entry.step ?? null],
      ...metrics,
    ])
  })
}

/**
 * A value as Python's card shows it: with four decimals where it has more. Python tells whole numbers from floats; here
 * the name does.
 */
export function written(name: string, value: MetricValue): string {
  if (typeof value === 'string') return value
  const text = pythonValue(name, value)
  const decimals = typeof value === 'number' ? (text.split('.')[1] ?? '') : ''
  return decimals.length > 4 ? fixedPoint(value as number, 4) : text
}

/** A value as Python writes it within a list or a dict. */
function pythonValue(name: string, value: MetricValue): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return isCount(name, value) ? String(value) : pythonFloat(value)
  if (typeof value === 'string') return value.includes("'") ? JSON.stringify(value) : `'${value}'`
  if (Array.isArray(value)) return `[${value.map(item => pythonValue(name, item as MetricValue)).join(', ')}]`
  const entries = Object.entries(value as LogEntry)
  return `{${entries.map(([key, inner]) => `'${key}': ${pythonValue(key, inner)}`).join(', ')}}`
}

/** Whether a metric counts things, by its name: Python's `5`, where another would be `5.0`. */
export function isCount(name: string, value: number): boolean {
  return Number.isInteger(value) && /(^|[ _])(step|steps|number|total|count|samples|support|tokens|seen)$/i.test(name)
}

function isEvaluation(entry: LogEntry): boolean {
  return entry.eval_loss !== undefined
}

/** What says how fast or when an evaluation was, not how good the model is. */
const otherKeys: readonly string[] = [...speedKeys, 'epoch', 'step', 'total_flos']

function metricsOf(entry: LogEntry): [string, MetricValue][] {
  return Object.entries(entry).flatMap(([key, value]) => {
    const name = key.replace(/^eval_/, '')
    return otherKeys.includes(name) || value === undefined ? [] : [[name, value]]
  })
}

/** Python's table cuts the first word off whatever the log has, off what is not of the evaluation too. */
function columnName(key: string): string {
  return key.startsWith('num_input_') ? key.slice('num_'.length) : key
}

/** Python's `capitalize` of each word. */
function titled(key: string): string {
  return key
    .split('_')
    .map(word => {
      const [first = '', ...rest] = word
      return first.toUpperCase() + rest.join('').toLowerCase()
    })
    .join(' ')
}

/** Python counts code points. */
function letters(text: string): number {
  return [...text].length
}
