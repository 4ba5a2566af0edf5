// numbers as Python writes them

/** Python's `repr` of a float: the shortest digits, as in JavaScript, with another bound for exponents. */
export function pythonFloat(value: number): string {
  if (!Number.isFinite(value)) return notFinite(value)
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 16) return Number.isInteger(value) ? `${value}.0` : String(value)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** What toFixed can; a tie within the digits that are written has no more. */
const mostPlaces = 100

/** A number with so many decimal places as Python writes it: a tie goes to the even digit, where toFixed rounds it up. */
export function fixedPoint(value: number, places: number): string {
  if (!Number.isFinite(value)) return notFinite(value)
  // a whole number from here on, whose digits toFixed would not write
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}${places === 0 ? '' : `.${'0'.repeat(places)}`}`
  const exact = value.toFixed(mostPlaces)
  const end = exact.length - (mostPlaces - places)
  const cut = exact.slice(0, places === 0 ? end - 1 : end)
  return /^50*$/.test(exact.slice(end)) && '02468'.includes(cut.at(-1)!) ? cut : value.toFixed(places)
}

function notFinite(value: number): string {
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
}
