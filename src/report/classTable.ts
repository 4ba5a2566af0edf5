import type { ClassLabels } from '../metrics/classLabels'
import { classificationReport } from '../metrics/classificationReport'
import type { Report, ReportScores } from '../metrics/report'
import { html, type Html } from './html'
import { countText } from './numbers'
import { name } from './name'
import { type Column, table, type TableRow } from './table'

const columns = (first: string): readonly Column[] => [
  { title: first },
  { title: 'Precision', numeric: true },
  { title: 'Recall', numeric: true },
  { title: 'F1', numeric: true },
  { title: 'Support', numeric: true },
]

/**
 * Precision, recall, F1 and support of each class and their averages, as scikit-learn's classification_report.
 * @param absent the numbers of classes that no label and no prediction is of: named, but in no average.
 */
export function classTable(
  references: ClassLabels,
  predictions: ClassLabels,
  names: readonly string[],
  absent: ReadonlySet<number> = new Set(),
): Html {
  const labels = names.map((_, at) => at).filter(at => !absent.has(at))
  const report = classificationReport(references, predictions, { labels, zeroDivision: 0, outputDict: true })
  return html`<section>
    <h3>Classes</h3>
    ${scoreTable('Precision, recall and F1 of each class; support is how many there are', report as unknown as Report, names)}
    ${absentNote([...absent].map(at => names[at]!))}
  </section> `
}

function absentNote(absent: readonly string[]): Html {
  if (absent.length === 0) return html``
  const more = absent.length > mostClasses ? ` … (${absent.length})` : ''
  return html`<p>
    In no label and no prediction, and in no average:
    ${absent.slice(0, mostClasses).map(one => html`${name(one)} `)}${more}
  </p>`
}

/** With more classes those that are found worst are shown, and the others behind a click. */
const mostClasses = 30
const worst = 15

/** A report as tables: of its lines those that are numbers of classes have the names of these. */
export function scoreTable(caption: string, report: Report, names?: readonly string[]): Html {
  const titles = columns(names === undefined ? 'Type' : 'Class')
  const { accuracy, ...lines } = report as Report & { readonly accuracy?: ReportScores | number }
  const isAverage = (line: string): boolean => line.endsWith(' avg')
  const classes = Object.entries(lines).filter(([line]) => !isAverage(line))
  const averages = Object.entries(lines).filter(([line]) => isAverage(line))
  const rowOf = ([line, scores]: [string, ReportScores]): TableRow => ({
    cells: [name(names?.[Number(line)] ?? line), ...cellsOf(scores)],
  })
  const support = averages[0]?.[1].support ?? 0
  const totals: TableRow[] = [
    ...(typeof accuracy === 'number' ? [['Accuracy', '', '', share(accuracy), countText(support)]] : []),
    ...averages.map(([line, scores]) => [average(line), ...cellsOf(scores)]),
  ].map(cells => ({ cells, kind: 'total' }))
  if (classes.length <= mostClasses) return table(caption, titles, [...classes.map(rowOf), ...totals])
  const found = classes.filter(([, { support: count }]) => count > 0)
  const lowest = found.toSorted(([, a], [, b]) => a['f1-score'] - b['f1-score']).slice(0, worst)
  return html`${table(`${caption}: the ${worst} classes with the lowest F1, and all together`, titles, [...lowest.map(rowOf), ...totals])}
    <details>
      <summary>All ${classes.length} classes</summary>
      ${table(caption, titles, [...classes.map(rowOf), ...totals])}
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
