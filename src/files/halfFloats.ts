/** IEEE half-precision bits as float32, exactly; a table of all 65,536 values is made on first use. */
export function float16ToFloat32(bits: Uint16Array, target: Float32Array): void {
  const table = (float16Table ??= makeFloat16Table())
  for (let i = 0; i < bits.length; i++) target[i] = table[bits[i]!]!
}

/** bfloat16 bits as float32, exactly: they are the upper half of a float32. */
export function bfloat16ToFloat32(bits: Uint16Array, target: Float32Array): void {
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length)
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16
}

let float16Table: Float32Array | undefined

function makeFloat16Table(): Float32Array {
  return Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits >> 15 ? -1 : 1
    const exponent = (bits >> 10) & 31
    const fraction = bits & 1023
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  })
}

/** A number rounded to the nearest that float16 has, halves to the even one; beyond 65504 it is infinite. */
export function roundToFloat16(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value
  const step = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -14) - 10)
  const steps = value / step
  const below = Math.floor(steps)
  const isHalf = steps - below === 0.5
  const rounded = (isHalf ? below + Math.abs(below % 2) : Math.round(steps)) * step
  return Math.abs(rounded) > 65504 ? Math.sign(value) * Infinity : rounded
}

/** float32 numbers as IEEE half-precision bits, rounded to the nearest, halves to the even one; beyond 65504 infinite. */
export function float32ToFloat16(values: Float32Array, target: Uint16Array): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < words.length; i++) target[i] = halfBits(words[i]!)
}

/** The half-precision bits of a float32's. */
function halfBits(word: number): number {
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 // not a number
  if (magnitude >= 0x477ff000) return sign | 0x7c00 // rounded, it is beyond 65504
  if (magnitude >= 0x38800000) return sign | roundedShift(magnitude - 0x38000000, 13) // the exponent's bias is 15 instead of 127
  const shift = 126 - (magnitude >>> 23)
  return shift > 24 ? sign : sign | roundedShift((magnitude & 0x7fffff) | 0x800000, shift)
}

/** Bits without the lowest ones, rounded to the nearest, halves to the even one. */
function roundedShift(bits: number, shift: number): number {
  const half = 1 << (shift - 1)
  const rest = bits & (2 * half - 1)
  const whole = bits >>> shift
  return rest > half || (rest === half && (whole & 1) === 1) ? whole + 1 : whole
}
