import { formatNested, formatNumber } from '../callbacks/format'
import type { MetricValue } from '../metrics/Metrics'

/** A count: `12,345`. */
export function countText(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

/** A count with its noun: `1 row`, `12,345 rows`. */
export function countOf(value: number, noun: string): string {
  return `${countText(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** A share from 0 to 1 as `97.3 %`; what is not quite all or nothing is never written as if it were. */
export function percentText(share: number): string {
  if (!Number.isFinite(share)) return '–'
  const percent = share * 100
  if (percent > 0 && percent < 0.1) return '<\u00a00.1\u00a0%'
  if (percent < 100 && percent > 99.9) return '>\u00a099.9\u00a0%'
  return `${percent.toFixed(1)}\u00a0%`
}

/** A metric, with four significant digits where it is a fraction. */
export function metricText(value: MetricValue): string {
  if (typeof value !== 'number') return typeof value === 'string' ? value : formatNested(value)
  return Number.isInteger(value) ? countText(value) : formatNumber(value)
}

/** How the metrics of a column are written: fractions with four decimals each, where that says enough. */
export function columnText(values: readonly (MetricValue | undefined)[]): (value: MetricValue) => string {
  const sizes = values.flatMap(value => (typeof value === 'number' && Number.isFinite(value) ? [Math.abs(value)] : []))
  const isFraction = sizes.some(size => !Number.isInteger(size))
  const isPlain = sizes.every(size => size === 0 || (size >= 1e-3 && size < 1e4))
  if (!isFraction || !isPlain) return metricText
  return value => (typeof value === 'number' && Number.isFinite(value) ? value.toFixed(4) : metricText(value))
}

/** A time: `0.8 ms`, `2.31 s`, `1 h 02 min`. */
export function durationText(seconds: number): string {
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(3))} ms`
  if (seconds < 60) return `${Number(seconds.toPrecision(3))} s`
  const whole = Math.round(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const padded = (part: number): string => String(part).padStart(2, '0')
  return hours > 0 ? `${countText(hours)} h ${padded(minutes)} min` : `${minutes} min ${padded(whole % 60)} s`
}

/** A size: `15.6 GiB`. */
export function sizeText(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}
