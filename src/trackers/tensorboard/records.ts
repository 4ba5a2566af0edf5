// bytes → records as TensorFlow's files hold them, each with the check sums of its length and of itself

/**
 * A record: its length, the check sum of the length, the bytes, their check sum; numbers begin with their lowest
 * byte.
 */
export function record(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(bytes.length + 16)
  const view = new DataView(framed.buffer)
  view.setBigUint64(0, BigInt(bytes.length), true)
  view.setUint32(8, maskedChecksum(framed.subarray(0, 8)), true)
  framed.set(bytes, 12)
  view.setUint32(12 + bytes.length, maskedChecksum(bytes), true)
  return framed
}

/** CRC-32C, turned and shifted: a check sum of bytes that hold check sums would tell little. */
function maskedChecksum(bytes: Uint8Array): number {
  const sum = crc32c(bytes)
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0
}

/** Castagnoli's CRC. */
export function crc32c(bytes: Uint8Array): number {
  let sum = ~0
  for (const byte of bytes) sum = table[(sum ^ byte) & 0xff]! ^ (sum >>> 8)
  return ~sum >>> 0
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1
  return sum
})
