/**
 * Round numbers on an axis, about `count` of them: multiples of 1, 2 or 5 times a power of ten, from the first that is not
 * above `low` to the first that is not below `high`.
 */
export function ticksOver(low: number, high: number, count: number): number[] {
  const span = high > low ? high - low : Math.abs(high) || 1
  const step = niceStep(span / count)
  const middle = high > low ? undefined : high
  const first = Math.floor((middle === undefined ? low : middle - span / 2) / step + 1e-9)
  const last = Math.ceil((middle === undefined ? high : middle + span / 2) / step - 1e-9)
  const decimals = Math.max(0, -Math.floor(Math.log10(step)))
  return Array.from({ length: last - first + 1 }, (_, at) => rounded((first + at) * step, decimals))
}

/** The least of 1, 2, 5 and 10 times a power of ten that is not below a number. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 5, 10].find(factor => factor * power >= least * (1 - 1e-9)) ?? 10)
}

/** Without the digits that adding up steps leaves; toFixed knows 100 decimals. */
function rounded(value: number, decimals: number): number {
  return decimals > 100 ? value : Number(value.toFixed(decimals)) + 0
}

/** A number on an axis whose ticks are `step` apart: `0.25`, `10,000`, `2e-5`. */
export function tickText(value: number, step: number): string {
  if (value === 0) return '0'
  if (step < 1e-3 || Math.abs(value) >= 1e6) return exponential(value)
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}

function exponential(value: number): string {
  return Number(value.toPrecision(6)).toExponential().replace('e+', 'e')
}
