import { type EvaluatedSet, numberIn, setName } from './evaluations'
import { html, type Html } from './html'
import { countText, durationText } from './numbers'
import type { Report } from './Report'
import { facts } from './table'

/** Where the time goes. */
export function timingsSection({ history, stepTimes, rowsPerStep }: Report, sets: readonly EvaluatedSet[]): Html {
  const whole = history.findLast(entry => entry['train_runtime'] !== undefined) ?? {}
  const [runtime, rate] = [numberIn(whole, 'train_runtime'), numberIn(whole, 'train_samples_per_second')]
  const sorted = stepTimes.toSorted()
  const quantile = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))]!
  const seconds = stepTimes.reduce((sum, one) => sum + one, 0)
  const known = sorted.length > 0
  return html`<section aria-labelledby="timings">
    <h2 id="timings">Timings</h2>
    ${facts([
      ['Training, evaluations included', runtime && durationText(runtime)],
      ['Rows a second, evaluations included', rate && speedText(rate)],
      ['Rows a second in updates', known && speedText((rowsPerStep * stepTimes.length) / seconds)],
      ['Update, median', known && durationText(quantile(0.5))],
      ['Update, 95 of 100 within', known && durationText(quantile(0.95))],
      ...sets.map(set => evaluationTime(set)),
    ])}
  </section> `
}

function evaluationTime({ prefix, evaluations }: EvaluatedSet): [string, string | undefined] {
  const { seconds, rowsPerSecond } = evaluations.at(-1)!
  const name = setName(prefix)
  const speed = rowsPerSecond === undefined ? '' : `, ${speedText(rowsPerSecond)} rows a second`
  return [
    `Last evaluation${name === undefined ? '' : ` of ${name}`}`,
    seconds === undefined ? undefined : `${durationText(seconds)}${speed}`,
  ]
}

function speedText(rate: number): string {
  return rate >= 100 ? countText(rate) : String(Number(rate.toPrecision(3)))
}
