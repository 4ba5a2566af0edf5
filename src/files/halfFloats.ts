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
