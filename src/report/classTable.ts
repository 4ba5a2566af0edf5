import type { ClassLabels } from '../metrics/classLabels'
import { classificationReport } from '../metrics/classificationReport'
import type { Report, ReportScores } from '../metrics/report'
import { html, type Html } from './html'
import { countText } from './numbers'
import { name } from './name'
import { type Column, table, type TableRow } from './table'

const columns: readonly Column[] = [
  { title: 'Class' },
  { title: 'Precision', numeric: true },
  { title: 'Recall', numeric: true },
  { title: 'F1', numeric: true },
  { title: 'Support', numeric: true },
]

/** Precision, recall, F1 and support of each class and their averages, as scikit-learn's classification_report. */
export function classTable(references: ClassLabels, predictions: ClassLabels, names: readonly string[]): Html {
  const labels = names.map((_, at) => at)
  const report = classificationReport(references, predictions, { labels, zeroDivision: 0, outputDict: true })
  return html`<section>
    <h3>Classes</h3>
    ${scoreTable('Precision, recall and F1 of each class; support is how many there are', report as unknown as Report, names)}
  </section> `
}

/** With more classes those that are found worst are shown, and the others behind a click. */
const mostClasses = 30
const worst = 15

/** A report as tables: of its lines those that are numbers of classes have the names of these. */
export function scoreTable(caption: string, report: Report, names: readonly string[] = []): Html {
  const { accuracy, ...lines } = report as Report & { readonly accuracy?: ReportScores | number }
  const isAverage = (line: string): boolean => / avg$/.test(line)
  const classes = Object.entries(lines).filter(([line]) => !isAverage(line))
  const averages = Object.entries(lines).filter(([line]) => isAverage(line))
  const rowOf = ([line, scores]: [string, ReportScores]): TableRow => ({
    cells: [name(names[Number(line)] ?? line), ...cellsOf(scores)],
  })
  const support = averages[0]?.[1].support ?? 0
  const totals: TableRow[] = [
    ...(typeof accuracy === 'number' ? [['Accuracy', '', '', share(accuracy), countText(support)]] : []),
    ...averages.map(([line, scores]) => [average(line), ...cellsOf(scores)]),
  ].map(cells => ({ cells, kind: 'total' }))
  if (classes.length <= mostClasses) return table(caption, columns, [...classes.map(rowOf), ...totals])
  const found = classes.filter(([, { support: count }]) => count > 0)
  const lowest = found.toSorted(([, a], [, b]) => a['f1-score'] - b['f1-score']).slice(0, worst)
  return html`${table(`${caption}: the ${worst} classes with the lowest F1, and all together`, columns, [...lowest.map(rowOf), ...totals])}
    <details>
      <summary>All ${classes.length} classes</summary>
      ${table(caption, columns, [...classes.map(rowOf), ...totals])}
    </details>`
}

function average(line: string): string {
  return `${line[0]!.toUpperCase()}${line.slice(1).replace(/ avg$/, ' average')}`
}

function cellsOf({ precision, recall, 'f1-score': f1, support }: ReportScores): readonly string[] {
  return [share(precision), share(recall), share(f1), countText(support)]
}

function share(value: number): string {
  return value.toFixed(3)
}
