import type { EvaluatedBatch } from '../callbacks/EvaluatedBatch'
import { ignoredIndex } from '../labelColumn'
import { highest, softmax } from '../probabilities'
import { ClassPairs } from './ClassPairs'
import { html, type Html } from './html'
import { percentText } from './numbers'
import { numbersOf } from './numbersOf'
import type { ReportedRows } from './ReportedRows'
import type { Decoder } from './rowTexts'
import { name } from './name'
import { rowList, rowsSection, ShownRows } from './shownRows'

/** What a row was taken for. */
interface Facts {
  readonly label: number
  readonly predicted: number
  readonly next: number
  /** The probabilities of these three. */
  readonly ofLabel: number
  readonly ofPredicted: number
  readonly ofNext: number
}

/** Rows that each have one class. */
export class ClassRows implements ReportedRows {
  readonly #names: readonly string[]
  readonly #pairs = new ClassPairs()
  readonly #shown: ShownRows<'wrong' | 'unsure', Facts>

  constructor(names: readonly string[], count: number, decoder: Decoder | undefined) {
    this.#names = names
    this.#shown = new ShownRows(['wrong', 'unsure'], count, decoder)
  }

  get count(): number {
    return this.#pairs.length
  }

  async add(evaluated: EvaluatedBatch): Promise<void> {
    const { logits } = evaluated.predictions
    const labels = Object.values(evaluated.labels)[0]
    const width = this.#names.length
    const count = evaluated.rows.length
    if (logits?.size !== count * width || labels?.size !== count) return
    for (let place = 0; place < count; place++) {
      const label = Number(labels.data[place])
      if (label === ignoredIndex) continue
      const probabilities = softmax(numbersOf(logits, place * width, width))
      const [predicted, next] = highest(probabilities, 2) as [number, number]
      const [ofLabel, ofPredicted, ofNext] = [probabilities[label]!, probabilities[predicted]!, probabilities[next]!]
      this.#pairs.add(label, predicted, ofPredicted)
      const scores = { ...(predicted !== label && { wrong: -ofLabel }), unsure: ofNext - ofPredicted }
      this.#shown.add(evaluated, place, scores, () => ({ label, predicted, next, ofLabel, ofPredicted, ofNext }))
    }
    await this.#shown.readTexts(evaluated)
  }

  sections(): Html {
    if (this.count === 0) return html``
    return html`${this.#pairs.sections(this.#names, 'row')}
    ${rowsSection(
      rowList(
        'Most wrong',
        'Rows of another class than was predicted, those first whose true class seemed least likely.',
        this.#shown.of('wrong'),
        facts => this.#wrong(facts),
      ),
      rowList(
        'Most unsure',
        'Rows between two classes, right or wrong, those first whose two likeliest classes are closest.',
        this.#shown.of('unsure'),
        facts => this.#unsure(facts),
      ),
    )} `
  }

  #wrong({ label, predicted, ofLabel, ofPredicted }: Facts): Html {
    return html`is ${this.#named(label, ofLabel)}, predicted ${this.#named(predicted, ofPredicted)}`
  }

  #unsure({ label, predicted, next, ofPredicted, ofNext }: Facts): Html {
    const verdict = label === predicted ? html`<span class="good">right</span>` : html`<span class="bad">wrong</span>`
    return html`is ${name(this.#names[label]!)}, predicted ${this.#named(predicted, ofPredicted)} (${verdict}), next
    ${this.#named(next, ofNext)}`
  }

  #named(label: number, probability: number): Html {
    return html`${name(this.#names[label]!)} ${percentText(probability)}`
  }
}
