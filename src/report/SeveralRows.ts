import type { EvaluatedBatch } from '../callbacks/EvaluatedBatch'
import { Tensor } from '../tensor'
import { classTable } from './classTable'
import { Growing } from './growing'
import { type Content, html, type Html } from './html'
import { percentText } from './numbers'
import type { RowCollector } from './RowCollector'
import type { Decoder } from './rowTexts'
import { name } from './name'
import { rowList, type ShownRow, ShownRows } from './shownRows'

/** Labels with their probabilities, of a row those that it has and those that are predicted. */
interface Facts {
  readonly has: readonly (readonly [label: number, probability: number])[]
  readonly predicted: readonly (readonly [label: number, probability: number])[]
}

/** Rows that have several labels each: a byte is kept of each row and label, on either side. */
export class SeveralRows implements RowCollector {
  readonly #names: readonly string[]
  readonly #labels = new Growing(new Uint8Array())
  readonly #predictions = new Growing(new Uint8Array())
  readonly #shown: ShownRows<'wrong' | 'unsure', Facts>

  constructor(names: readonly string[], count: number, decoder: Decoder | undefined) {
    this.#names = names
    this.#shown = new ShownRows(['wrong', 'unsure'], count, decoder)
  }

  get rows(): number {
    return this.#labels.length / this.#names.length
  }

  async add(evaluated: EvaluatedBatch): Promise<void> {
    const { logits } = evaluated.predictions
    const labels = Object.values(evaluated.labels)[0]
    const width = this.#names.length
    const count = evaluated.rows.length
    if (logits?.size !== count * width || labels?.size !== count * width) return
    for (let place = 0; place < count; place++) {
      const probabilities = this.#names.map((_, at) => 1 / (1 + Math.exp(-Number(logits.data[place * width + at]))))
      const given = this.#names.map((_, at) => Number(labels.data[place * width + at]))
      this.#keep(evaluated, place, given, probabilities)
    }
    await this.#shown.readTexts(evaluated)
  }

  #keep(evaluated: EvaluatedBatch, place: number, given: readonly number[], probabilities: readonly number[]): void {
    given.forEach(label => this.#labels.push(Number(label >= 0.5)))
    probabilities.forEach(probability => this.#predictions.push(Number(probability > 0.5)))
    const distance = given.reduce((sum, label, at) => sum + Math.abs(label - probabilities[at]!), 0)
    const isWrong = given.some((label, at) => label >= 0.5 !== probabilities[at]! > 0.5)
    const nearest = Math.min(...probabilities.map(probability => Math.abs(probability - 0.5)))
    const those = (holds: (at: number) => boolean): Facts['has'] =>
      probabilities.flatMap((probability, at) => (holds(at) ? [[at, probability] as const] : []))
    this.#shown.add(evaluated, place, { ...(isWrong && { wrong: distance }), unsure: -nearest }, () => ({
      has: those(at => given[at]! >= 0.5),
      predicted: those(at => probabilities[at]! > 0.5),
    }))
  }

  sections(): Html {
    if (this.rows === 0) return html``
    const table = (data: Uint8Array): Tensor => new Tensor('uint8', data, [this.rows, this.#names.length])
    const list = (title: string, note: string, rows: readonly ShownRow<Facts>[]): Html =>
      rowList(
        title,
        note,
        rows,
        ({ has, predicted }) => html`has ${this.#named(has)}; predicted ${this.#named(predicted)}`,
      )
    return html`${classTable(table(this.#labels.values), table(this.#predictions.values), this.#names)}
      <section>
        <h3>Rows to look at</h3>
        ${list('Most wrong', 'Rows whose labels are furthest from their probabilities, all labels together.', this.#shown.of('wrong'))}
        ${list('Most unsure', 'Rows with a label whose probability is closest to one half.', this.#shown.of('unsure'))}
      </section> `
  }

  #named(labels: Facts['has']): Content {
    if (labels.length === 0) return 'none'
    return labels.map(
      ([label, probability], at) => html`${at > 0 && ', '}${name(this.#names[label]!)} ${percentText(probability)}`,
    )
  }
}
