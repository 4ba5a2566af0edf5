import type { EvaluatedBatch } from '../callbacks/EvaluatedBatch'
import { sigmoid } from '../probabilities'
import { Tensor } from '../tensor'
import { classTable } from './classTable'
import { Growing } from './growing'
import { type Content, html, type Html } from './html'
import { percentText } from './numbers'
import { numbersOf } from './numbersOf'
import type { ReportedRows } from './ReportedRows'
import type { Decoder } from './rowTexts'
import { name } from './name'
import { rowList, rowsSection, ShownRows } from './shownRows'

/** Labels with their probabilities, of a row those that it has and those that are predicted. */
interface Facts {
  readonly has: readonly (readonly [label: number, probability: number])[]
  readonly predicted: readonly (readonly [label: number, probability: number])[]
  /** The label whose probability is closest to one half. */
  readonly nearest: readonly [label: number, probability: number]
}

/** Rows that have several labels each: a byte is kept of each row and label, on either side. */
export class SeveralRows implements ReportedRows {
  readonly #names: readonly string[]
  readonly #labels = new Growing(new Uint8Array())
  readonly #predictions = new Growing(new Uint8Array())
  readonly #shown: ShownRows<'wrong' | 'unsure', Facts>

  constructor(names: readonly string[], count: number, decoder: Decoder | undefined) {
    this.#names = names
    this.#shown = new ShownRows(['wrong', 'unsure'], count, decoder)
  }

  get count(): number {
    return this.#labels.length / this.#names.length
  }

  async add(evaluated: EvaluatedBatch): Promise<void> {
    const { logits } = evaluated.predictions
    const labels = Object.values(evaluated.labels)[0]
    const width = this.#names.length
    const count = evaluated.rows.length
    if (logits?.size !== count * width || labels?.size !== count * width) return
    for (let place = 0; place < count; place++) {
      const probabilities = sigmoid(numbersOf(logits, place * width, width))
      const given = numbersOf(labels, place * width, width)
      this.#keep(evaluated, place, given, probabilities)
    }
    await this.#shown.readTexts(evaluated)
  }

  #keep(evaluated: EvaluatedBatch, place: number, given: Float64Array, probabilities: Float64Array): void {
    given.forEach(label => this.#labels.push(Number(label >= 0.5)))
    probabilities.forEach(probability => this.#predictions.push(Number(probability > 0.5)))
    const distance = given.reduce((sum, label, at) => sum + Math.abs(label - probabilities[at]!), 0)
    const isWrong = given.some((label, at) => label >= 0.5 !== probabilities[at]! > 0.5)
    const distanceOf = (at: number): number => Math.abs(probabilities[at]! - 0.5)
    const nearest = given.reduce((least, _, at) => (distanceOf(at) < distanceOf(least) ? at : least), 0)
    const those = (holds: (at: number) => boolean): Facts['has'] =>
      Array.from(probabilities, (probability, at) => [at, probability] as const).filter(([at]) => holds(at))
    this.#shown.add(evaluated, place, { ...(isWrong && { wrong: distance }), unsure: -distanceOf(nearest) }, () => ({
      has: those(at => given[at]! >= 0.5),
      predicted: those(at => probabilities[at]! > 0.5),
      nearest: [nearest, probabilities[nearest]!],
    }))
  }

  sections(): Html {
    if (this.count === 0) return html``
    const table = (data: Uint8Array): Tensor => new Tensor('uint8', data, [this.count, this.#names.length])
    const [wrong, unsure] = [this.#shown.of('wrong'), this.#shown.of('unsure')]
    const factsOf = ({ has, predicted }: Facts): Html =>
      html`has ${this.#named(has)}; predicted ${this.#named(predicted)}`
    return html`${classTable(table(this.#labels.values), table(this.#predictions.values), this.#names)}
    ${rowsSection(
      rowList(
        'Most wrong',
        'Rows whose labels are furthest from their probabilities, all labels together.',
        wrong,
        factsOf,
      ),
      rowList(
        'Most unsure',
        'Rows with a label whose probability is closest to one half.',
        unsure,
        facts => html`${this.#named([facts.nearest])}: ${factsOf(facts)}`,
      ),
    )} `
  }

  #named(labels: Facts['has']): Content {
    if (labels.length === 0) return 'none'
    return labels.map(
      ([label, probability], at) => html`${at > 0 && ', '}${name(this.#names[label]!)} ${percentText(probability)}`,
    )
  }
}
