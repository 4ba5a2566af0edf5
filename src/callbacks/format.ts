import type { MetricValue } from '../metrics/Metrics'
import type { LogEntry } from './TrainerState'

/** A number with four significant digits, like Python's `%.4g`: `0.4123`, `2.5e-05`, `1.235e+04`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  if (value === 0) return '0'
  const magnitude = Number(value.toExponential(20).split('e')[1])
  const [digits = '', exponent = '0'] = (halfToEven(value, 3 - magnitude) ?? value).toExponential(3).split('e')
  const power = Number(exponent)
  if (power < -4 || power >= 4) {
    return `${digits.replace(/\.?0+$/, '')}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  }
  const plain = Number(`${digits}e${exponent}`).toFixed(3 - power)
  return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain
}

/** A number rounded to a number of decimals (0 or more), exactly half to the even digit: Python's `round`. */
export function roundTo(value: number, decimals: number): number {
  return halfToEven(value, decimals) ?? Number(value.toFixed(decimals))
}

/**
 * The number rounded to the even digit if it is exactly half way between two numbers of d decimals, else `undefined`.
 * It is half way if 2^(d + 1) times it is an odd whole number: half a unit of the last decimal is 1 / (2^(d + 1) 5^d).
 */
function halfToEven(value: number, decimals: number): number | undefined {
  const halves = decimals >= 0 ? value * 2 ** (decimals + 1) : value / (5 * 10 ** (-decimals - 1))
  if (!Number.isInteger(halves) || halves % 2 === 0) return undefined
  const below = ((decimals >= 0 ? halves * 5 ** decimals : halves) - 1) / 2
  const even = below % 2 === 0 ? below : below + 1
  return decimals >= 0 ? even / 10 ** decimals : even * 10 ** -decimals
}

/**
 * A log as one line: Hugging Face's `{'loss': '0.4123', 'learning_rate': '2.5e-05', 'epoch': '1'}`, fractions with four
 * significant digits, without `total_flos`; texts, lists and objects
 * longer than `maxLength` are replaced by a notice.
 */
export function formatLogs(logs: LogEntry, maxLength = 100): string {
  const parts = Object.entries(logs)
    .filter(([key]) => key !== 'total_flos')
    .map(([key, value]) => `'${key}': ${formatValue(value, maxLength)}`)
  return `{${parts.join(', ')}}`
}

function formatValue(value: MetricValue, maxLength: number): string {
  if (typeof value === 'number') return `'${Number.isInteger(value) ? value : formatNumber(value)}'`
  const text = formatNested(value)
  if (text.length > maxLength) {
    const kind = typeof value === 'string' ? 'text' : 'value'
    return `'[a ${kind} of ${text.length} characters, more than the ${maxLength} that are shown]'`
  }
  return typeof value === 'string' ? `'${text}'` : text
}

/** A value as a line prints it: lists and objects as in Python, their fractions with four significant digits. */
export function formatNested(value: MetricValue): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : formatNumber(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const inner = (one: MetricValue): string => (typeof one === 'string' ? `'${one}'` : formatNested(one))
  if (Array.isArray(value)) return `[${value.map(inner).join(', ')}]`
  return `{${Object.entries(value as LogEntry)
    .map(([name, one]) => `'${name}': ${inner(one)}`)
    .join(', ')}}`
}

/**
 * A readable copy of metrics: times as `1:02:03.45`, memory as `5MB`, operations as `3073364GF`, other numbers with
 * four decimals.
 */
export function formatMetrics(metrics: LogEntry): Record<string, MetricValue> {
  return Object.fromEntries(
    Object.entries(metrics).map(([key, value]) => {
      if (typeof value !== 'number') return [key, value]
      if (key.includes('_mem_')) return [key, `${Math.floor(value / 2 ** 20)}MB`]
      if (key.includes('_runtime')) return [key, duration(value)]
      if (key === 'total_flos') return [key, `${Math.floor(Math.trunc(value) / 2 ** 30)}GF`]
      return [key, roundTo(value, 4)]
    }),
  )
}

/** `H:MM:SS.cc`, after the days if there are any; the hundredths are cut off, not rounded. */
function duration(seconds: number): string {
  const whole = Math.trunc(seconds)
  const days = Math.floor(whole / 86_400)
  const hours = Math.trunc(whole / 3600) % 24
  const minutes = Math.trunc(whole / 60) % 60
  const hundredths = Math.trunc(Math.abs(seconds - whole) * 100)
  const twoDigits = (n: number): string => String(n).padStart(2, '0')
  const time = `${hours}:${twoDigits(minutes)}:${twoDigits(whole % 60)}.${twoDigits(hundredths)}`
  return days === 0 ? time : `${days} day${days === 1 ? '' : 's'}, ${time}`
}

/** The lines that `logMetrics` prints: a title, then the metrics sorted by name, keys and values in columns. */
export function metricsLines(split: string, metrics: LogEntry): string[] {
  const formatted = Object.entries(formatMetrics(metrics)).map(
    ([key, value]) => [key, typeof value === 'object' ? formatNested(value) : String(value)] as const,
  )
  const keyWidth = Math.max(0, ...formatted.map(([key]) => key.length))
  const plain = formatted.filter(([key]) => typeof metrics[key] !== 'object')
  const valueWidth = Math.max(0, ...plain.map(([, value]) => value.length))
  const sorted = formatted.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [
    `***** ${split} metrics *****`,
    ...sorted.map(([key, value]) => `  ${key.padEnd(keyWidth)} = ${value.padStart(valueWidth)}`),
  ]
}

/** What the keys of {@link speedMetrics} end with. */
export const speedKeys = ['runtime', 'samples_per_second', 'steps_per_second', 'tokens_per_second'] as const

/**
 * The speed of a run: `<split>_runtime` in seconds, and samples, steps and tokens a second. Only the runtime if that
 * is 0.
 */
export function speedMetrics(
  split: string,
  seconds: number,
  counts: { readonly numSamples?: number; readonly numSteps?: number; readonly numTokens?: number } = {},
): Record<string, number> {
  const runtime = { [`${split}_runtime`]: roundTo(seconds, 4) }
  if (seconds === 0) return runtime
  const { numSamples, numSteps, numTokens } = counts
  return {
    ...runtime,
    ...(numSamples === undefined ? {} : { [`${split}_samples_per_second`]: roundTo(numSamples / seconds, 3) }),
    ...(numSteps === undefined ? {} : { [`${split}_steps_per_second`]: roundTo(numSteps / seconds, 3) }),
    ...(numTokens === undefined ? {} : { [`${split}_tokens_per_second`]: roundTo(numTokens / seconds, 3) }),
  }
}
