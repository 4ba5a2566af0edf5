// what the page says of predictions, against scikit-learn and NumPy: scripts/fixtures/report.py
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Tensor } from '../../src/index'
import { softmax } from '../../src/probabilities'
import { calibrationOf } from '../../src/report/calibration'
import { ClassRows } from '../../src/report/ClassRows'
import type { ReportedRows } from '../../src/report/ReportedRows'
import { ValueRows } from '../../src/report/ValueRows'

interface Predicted {
  readonly logits: readonly (readonly number[])[]
  readonly labels: readonly number[]
  readonly wrong: readonly number[]
}

interface ClassCase extends Predicted {
  readonly confusion: readonly (readonly number[])[]
  readonly report: Readonly<Record<string, Readonly<Record<string, number>>>> & { readonly accuracy: number }
  readonly bins: readonly number[]
  readonly accuracies: readonly number[]
  readonly confidences: readonly number[]
  readonly error: number
  readonly unsure: readonly number[]
}

interface ValueCase extends Predicted {
  readonly absolute: number
  readonly squared: number
}

const { values, ...classes } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/report.json'), 'utf8'),
) as Readonly<Record<string, ClassCase>> & { readonly values: ValueCase }

/** The page's sections of predictions that come in batches. */
async function sectionsOf(reported: ReportedRows, { logits, labels }: Predicted): Promise<string> {
  const size = 7
  for (let start = 0; start < labels.length; start += size) {
    const rows = labels.slice(start, start + size).map((_, at) => start + at)
    await reported.add({
      prefix: 'eval',
      batch: {},
      rows,
      predictions: { logits: Tensor.from('float32', logits.slice(start, start + size)) },
      labels: { labels: Tensor.from('float64', labels.slice(start, start + size)) },
      wholeRow: async at => ({ text: `the text of row ${rows[at]}` }),
    })
  }
  return reported.sections().markup
}

/** The texts of the cells of the table with a caption, row by row. */
function cellsOf(markup: string, caption: string): string[][] {
  const table = markup.split('<table').find(part => part.includes(caption))!
  const body = table.slice(table.indexOf('<tbody>'), table.indexOf('</tbody>'))
  return body
    .split('<tr')
    .slice(1)
    .map(row =>
      [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => cell!.replace(/<[^>]*>/g, '').trim()),
    )
}

/** The rows of a list, by the texts in them. */
function listed(markup: string, title: string): number[] {
  const list = markup.slice(markup.indexOf(`<h4>${title}</h4>`)).split('</ol>', 1)[0]!
  return [...list.matchAll(/the text of row (\d+)/g)].map(([, row]) => Number(row))
}

describe.each(Object.entries(classes))('classes, case %s', (_, given) => {
  const names = given.confusion.map((_row, at) => `class ${at}`)
  const markup = sectionsOf(new ClassRows(names, 10, undefined), given)

  it('has the confusion matrix', async () => {
    const found = cellsOf(await markup, 'are predicted as each')
    expect(found).toEqual(given.confusion.map((row, at) => [names[at], ...row.map(String)]))
  })

  it('has the report of classes', async () => {
    const { accuracy, 'macro avg': macro, 'weighted avg': weighted, ...each } = given.report
    const scores = (row: Readonly<Record<string, number>> | undefined): string[] => [
      ...['precision', 'recall', 'f1-score'].map(score => row![score]!.toFixed(3)),
      String(row!['support']),
    ]
    expect(cellsOf(await markup, 'Precision, recall and F1')).toEqual([
      ...names.map((name, at) => [name, ...scores(each[at])]),
      ['Accuracy', '', '', accuracy.toFixed(3), String(given.labels.length)],
      ['Macro average', ...scores(macro)],
      ['Weighted average', ...scores(weighted)],
    ])
  })

  it('has the reliability and its error', async () => {
    const rows = given.logits.map(logits => softmax(logits))
    const confidences = rows.map(row => Math.max(...row))
    const right = rows.map((row, at) => Number(row.indexOf(confidences[at]!) === given.labels[at]))
    const { bins, error } = calibrationOf(confidences, right)
    const filled = bins.filter(({ count }) => count > 0)
    expect(error).toBeCloseTo(given.error, 12)
    expect(bins.map(({ count }) => count)).toEqual(given.bins)
    filled.forEach(({ accuracy, confidence }, at) => {
      expect(accuracy).toBeCloseTo(given.accuracies[at]!, 12)
      expect(confidence).toBeCloseTo(given.confidences[at]!, 12)
    })
    const percent = given.error * 100
    expect(await markup).toContain(
      `Expected calibration error <b>${percent < 0.1 ? '&lt;\u00a00.1' : percent.toFixed(1)}\u00a0%</b>`,
    )
  })

  it('has the rows most wrong and most unsure', async () => {
    expect(listed(await markup, 'Most wrong')).toEqual(given.wrong)
    expect(listed(await markup, 'Most unsure')).toEqual(given.unsure)
  })
})

describe('numbers', () => {
  it('have their errors and the rows that are furthest off', async () => {
    const markup = await sectionsOf(new ValueRows(1, 10, undefined), values)
    const facts = [...markup.matchAll(/<dd>([\d.]+)<\/dd>/g)].map(([, value]) => Number(value))
    expect(facts).toEqual([values.absolute, values.squared].map(value => Number(value.toPrecision(4))))
    expect(listed(markup, 'Largest errors')).toEqual(values.wrong)
    expect(markup.match(/<circle class="point"/g)).toHaveLength(values.labels.length)
  })
})
