import { confusionMatrix } from '../metrics/confusionMatrix'
import { calibrationOf } from './calibration'
import { classTable } from './classTable'
import { confusionSection } from './confusionSection'
import { Growing } from './growing'
import { html, type Html } from './html'
import { reliabilitySection } from './reliabilitySection'

/** Classes that were predicted, of rows or of tokens: three numbers of each are kept. */
export class ClassPairs {
  readonly #labels = new Growing(new Int32Array())
  readonly #predictions = new Growing(new Int32Array())
  readonly #confidences = new Growing(new Float64Array())

  get length(): number {
    return this.#labels.length
  }

  get labels(): Int32Array {
    return this.#labels.values
  }

  get predictions(): Int32Array {
    return this.#predictions.values
  }

  add(label: number, predicted: number, confidence: number): void {
    this.#labels.push(label)
    this.#predictions.push(predicted)
    this.#confidences.push(confidence)
  }

  /** @param of what has a class: a row, a token. */
  sections(names: readonly string[], of: string): Html {
    const { labels, predictions } = this
    const matrix = confusionMatrix(labels, predictions, { labels: names.map((_, at) => at) })
    const absent = new Set(names.keys())
    for (const each of [labels, predictions]) for (const one of each) absent.delete(one)
    const right = Uint8Array.from(labels, (label, at) => Number(label === predictions[at]))
    const calibration = calibrationOf(this.#confidences.values, right)
    return html`${confusionSection(matrix, names, of)}${classTable(labels, predictions, names, absent)}${reliabilitySection(calibration, of)}`
  }
}
