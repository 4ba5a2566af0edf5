import type { EvaluatedBatch } from '../callbacks/EvaluatedBatch'
import { ignoredIndex } from '../labelColumn'
import { entityReport } from '../metrics/seqeval'
import { highestOf, softmax } from '../probabilities'
import type { Tensor } from '../tensor'
import { ClassPairs } from './ClassPairs'
import { scoreTable } from './classTable'
import { Growing } from './growing'
import { html, type Html } from './html'
import { countOf, countText, percentText } from './numbers'
import { numbersOf } from './numbersOf'
import type { ReportedRows } from './ReportedRows'
import type { Decoder } from './rowTexts'
import { name } from './name'
import { rowList, rowsSection, ShownRows } from './shownRows'

/** A token that was taken for another class than its own. */
interface WrongToken {
  readonly token: string
  readonly label: number
  readonly predicted: number
  readonly probability: number
}

interface Facts {
  readonly counted: number
  readonly wrong: readonly WrongToken[]
}

/** Entities are counted in so many tokens: they are compared as texts, of which more would take much memory. */
const mostTokens = 1_000_000
/** Of a row so many wrong tokens are listed. */
const listed = 10

/** Rows whose tokens have classes: three numbers are kept of each token, and one of each row. */
export class TokenRows implements ReportedRows {
  readonly #names: readonly string[]
  readonly #decoder: Decoder | undefined
  readonly #pairs = new ClassPairs()
  readonly #ends = new Growing(new Float64Array())
  readonly #shown: ShownRows<'wrong', Facts>

  constructor(names: readonly string[], count: number, decoder: Decoder | undefined) {
    this.#names = names
    this.#decoder = decoder
    this.#shown = new ShownRows(['wrong'], count, decoder)
  }

  get count(): number {
    return this.#ends.length
  }

  async add(evaluated: EvaluatedBatch): Promise<void> {
    const { logits } = evaluated.predictions
    const labels = Object.values(evaluated.labels)[0]
    if (labels?.dims.length !== 2 || logits?.size !== labels.size * this.#names.length) return
    for (let place = 0; place < evaluated.rows.length; place++) this.#take(evaluated, place, logits, labels)
    await this.#shown.readTexts(evaluated)
  }

  #take(evaluated: EvaluatedBatch, place: number, logits: Tensor, labels: Tensor): void {
    const [length, width] = [labels.dims[1]!, this.#names.length]
    const wrong: (Omit<WrongToken, 'token'> & { readonly at: number })[] = []
    let [loss, counted] = [0, 0]
    for (let at = place * length; at < (place + 1) * length; at++) {
      const label = Number(labels.data[at])
      if (label === ignoredIndex) continue
      const probabilities = softmax(numbersOf(logits, at * width, width))
      const predicted = highestOf(probabilities)
      const probability = probabilities[predicted]!
      this.#pairs.add(label, predicted, probability)
      loss -= Math.log(probabilities[label]!)
      counted++
      if (label !== predicted && wrong.length <= listed) wrong.push({ at, label, predicted, probability })
    }
    this.#ends.push(this.#pairs.length)
    if (wrong.length === 0) return
    this.#shown.add(evaluated, place, { wrong: loss / counted }, () => ({
      counted,
      wrong: wrong.map(({ at, ...rest }) => ({ ...rest, token: this.#tokenOf(evaluated, at, place, length) })),
    }))
  }

  #tokenOf({ batch }: EvaluatedBatch, at: number, place: number, length: number): string {
    const id = batch['input_ids']?.data[at]
    if (this.#decoder === undefined || id === undefined) return `token ${at - place * length}`
    return this.#decoder.decode([Number(id)]).trim()
  }

  sections(): Html {
    if (this.#pairs.length === 0) return html``
    return html`${this.#entities()}${this.#pairs.sections(this.#names, 'token')}
    ${rowsSection(rowList('Most wrong', 'Rows with wrong tokens, those first whose true classes seemed least likely, on average over their tokens.', this.#shown.of('wrong'), facts => this.#factsOf(facts)))} `
  }

  /** The table of entities, where the names of the classes are those of beginnings and insides. */
  #entities(): Html {
    if (!this.#names.some(one => /^[BIESLU]-/.test(one))) return html``
    const { labels, predictions } = this.#pairs
    const ends = [...this.#ends.values].filter(end => end <= mostTokens)
    const inRows = (classes: Int32Array): string[][] =>
      ends.map((end, row) => Array.from(classes.subarray(ends[row - 1] ?? 0, end), one => this.#names[one]!))
    const [references, found] = [inRows(labels), inRows(predictions)]
    if (references.flat().every(one => one === 'O') && found.flat().every(one => one === 'O')) return html``
    const report = entityReport(references, found, { zeroDivision: 0, outputDict: true })
    const note = ends.length < this.count && html`<p class="note">Of the first ${countOf(ends.length, 'row')}.</p>`
    return html`<section>
      <h3>Entities</h3>
      ${scoreTable('Whole entities, found at the right place with the right type, as seqeval counts them', report)}${note}
    </section> `
  }

  #factsOf({ counted, wrong }: Facts): Html {
    const more = wrong.length > listed && ', …'
    const all = wrong
      .slice(0, listed)
      .map(
        ({ token, label, predicted, probability }, at) =>
          html`${at > 0 && ', '}${name(token)}: is ${name(this.#names[label]!)}, predicted
          ${name(this.#names[predicted]!)} ${percentText(probability)}`,
      )
    return html`${countText(counted)} tokens; ${all}${more}`
  }
}
