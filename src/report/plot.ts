import { shortened } from './beginningOf'
import { html, type Html } from './html'
import { ticksOver, tickText } from './ticks'

/** As much of a name as there is room for beside the axis. */
const longestLabel = 25

/** What an axis shows: its name with the unit, and the numbers that have to be on it. */
export interface AxisRange {
  readonly label: string
  readonly low: number
  readonly high: number
  /** About how many ticks; 5 unless given. */
  readonly ticks?: number
  /** Ends at `low` and `high`, and not at the ticks around them. */
  readonly exact?: boolean
}

/** A frame with two axes, in units of its drawing, which grows and shrinks with the page. */
export class Plot {
  readonly width = 440
  readonly height: number
  readonly #left = 64
  readonly #right = 14
  readonly #top = 12
  readonly #bottom = 48
  readonly #across: Axis
  readonly #up: Axis

  constructor(across: AxisRange, up: AxisRange, height = 250) {
    this.height = height
    this.#across = axisOf(across)
    this.#up = axisOf(up)
  }

  x(value: number): number {
    return rounded(this.#left + shareOf(value, this.#across) * (this.width - this.#left - this.#right))
  }

  y(value: number): number {
    return rounded(this.height - this.#bottom - shareOf(value, this.#up) * (this.height - this.#top - this.#bottom))
  }

  /**
   * The drawing with its axes.
   * @param summary what it shows, in words.
   */
  draw(summary: string, content: Html): Html {
    const [right, bottom] = [this.width - this.#right, this.height - this.#bottom]
    const across = this.#across.ticks.map(tick => {
      const x = this.x(tick)
      const text = tickText(tick, this.#across.step)
      return html`<path class="grid" d="M${x} ${this.#top}V${bottom}" /><text
          x="${x}"
          y="${bottom + 18}"
          text-anchor="middle"
          >${text}</text
        > `
    })
    const up = this.#up.ticks.map(tick => {
      const y = this.y(tick)
      const text = tickText(tick, this.#up.step)
      return html`<path class="grid" d="M${this.#left} ${y}H${right}" /><text
          x="${this.#left - 6}"
          y="${y + 4}"
          text-anchor="end"
          >${text}</text
        > `
    })
    const middle = { x: (this.#left + right) / 2, y: (this.#top + bottom) / 2 }
    return html`<svg viewBox="0 0 ${this.width} ${this.height}" role="img" aria-label="${summary}">
      ${across}${up}
      <path class="axis" d="M${this.#left} ${this.#top}V${bottom}H${right}" />
      <text class="label" x="${middle.x}" y="${this.height - 8}" text-anchor="middle">${this.#across.label}</text>
      <text class="label" transform="translate(12 ${middle.y}) rotate(-90)" text-anchor="middle">
        ${shortened(this.#up.label, longestLabel)}
      </text>
      ${content}
    </svg>`
  }
}

interface Axis {
  readonly label: string
  readonly low: number
  readonly high: number
  readonly ticks: readonly number[]
  readonly step: number
}

function axisOf({ label, low, high, ticks: count = 5, exact = false }: AxisRange): Axis {
  const around = ticksOver(low, high, count)
  const step = around[1]! - around[0]!
  if (!exact || high <= low) return { label, low: around[0]!, high: around.at(-1)!, ticks: around, step }
  return { label, low, high, ticks: around.filter(tick => tick >= low && tick <= high), step }
}

function shareOf(value: number, { low, high }: Axis): number {
  return (value - low) / (high - low)
}

/** A hundredth of a unit cannot be seen, and further digits would be most of the page. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
