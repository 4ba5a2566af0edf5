import type { ClassLabels } from '../metrics/classLabels'
import { classificationReport } from '../metrics/classificationReport'
import type { Report, ReportScores } from '../metrics/report'
import { html, type Html } from './html'
import { countText } from './numbers'
import { name } from './shownRows'
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

/** A report as a table: of its lines those that are numbers of classes have the names of these. */
export function scoreTable(caption: string, report: Report, names: readonly string[] = []): Html {
  const { accuracy, ...lines } = report as Report & { readonly accuracy?: ReportScores | number }
  const rows = Object.entries(lines).map(([line, scores]): TableRow => {
    const isAverage = / avg$/.test(line)
    const title = isAverage ? average(line) : name(names[Number(line)] ?? line)
    return { cells: [title, ...cellsOf(scores)], ...(isAverage && { kind: 'total' as const }) }
  })
  const support = Object.values(lines).at(-1)?.support ?? 0
  const whole: TableRow[] =
    typeof accuracy === 'number'
      ? [{ cells: ['Accuracy', '', '', share(accuracy), countText(support)], kind: 'total' }]
      : []
  const at = rows.findIndex(({ kind }) => kind === 'total')
  return table(caption, columns, [...rows.slice(0, at), ...whole, ...rows.slice(at)])
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
