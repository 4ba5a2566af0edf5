import type { EvaluatedBatch } from '../callbacks/EvaluatedBatch'
import { Growing } from './growing'
import { html, type Html } from './html'
import { metricText } from './numbers'
import { numbersOf } from './numbersOf'
import type { ReportedRows } from './ReportedRows'
import type { Decoder } from './rowTexts'
import { scatterChart } from './scatterChart'
import { rowList, rowsSection, ShownRows } from './shownRows'
import { facts } from './table'

interface Facts {
  readonly labels: Float64Array
  readonly predicted: Float64Array
}

/** Rows for which numbers are predicted, one or several: two numbers are kept of each. */
export class ValueRows implements ReportedRows {
  readonly #width: number
  readonly #labels = new Growing(new Float64Array())
  readonly #predictions = new Growing(new Float64Array())
  readonly #shown: ShownRows<'wrong', Facts>

  /** @param width how many numbers are predicted for a row. */
  constructor(width: number, count: number, decoder: Decoder | undefined) {
    this.#width = width
    this.#shown = new ShownRows(['wrong'], count, decoder)
  }

  get count(): number {
    return this.#labels.length / this.#width
  }

  async add(evaluated: EvaluatedBatch): Promise<void> {
    const { logits } = evaluated.predictions
    const given = Object.values(evaluated.labels)[0]
    const size = evaluated.rows.length * this.#width
    if (logits?.size !== size || given?.size !== size) return
    for (let place = 0; place < evaluated.rows.length; place++) {
      const predicted = numbersOf(logits, place * this.#width, this.#width)
      const labels = numbersOf(given, place * this.#width, this.#width)
      labels.forEach(label => this.#labels.push(label))
      predicted.forEach(value => this.#predictions.push(value))
      const distance = labels.reduce((sum, label, at) => sum + Math.abs(label - predicted[at]!), 0)
      this.#shown.add(evaluated, place, { wrong: distance }, () => ({ labels, predicted }))
    }
    await this.#shown.readTexts(evaluated)
  }

  sections(): Html {
    if (this.count === 0) return html``
    const [labels, predictions] = [this.#labels.values, this.#predictions.values]
    const errors = labels.map((label, at) => label - predictions[at]!)
    const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length
    const known = facts([
      ['Mean absolute error', metricText(mean(errors.map(Math.abs)))],
      ['Root of the mean squared error', metricText(Math.sqrt(mean(errors.map(error => error * error))))],
    ])
    return html`<section>
        <h3>Predicted and true numbers</h3>
        ${known}
        <div class="charts">${scatterChart(labels, predictions)}</div>
      </section>
      ${rowsSection(rowList('Largest errors', 'Rows whose prediction is furthest from the truth.', this.#shown.of('wrong'), one => factsOf(one)))} `
  }
}

function factsOf({ labels, predicted }: Facts): Html {
  const all = (values: Float64Array): string => Array.from(values, metricText).join(', ')
  if (labels.length > 1) return html`is ${all(labels)}, predicted ${all(predicted)}`
  return html`is ${all(labels)}, predicted ${all(predicted)}, off by ${metricText(predicted[0]! - labels[0]!)}`
}
