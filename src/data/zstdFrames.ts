// zstd data → how much its frames hold, as their headers say, before anything is unpacked

/** How many bytes zstd frames hold. */
export interface ZstdSize {
  /** What their headers say; of a frame whose header does not, the most that its blocks can hold. */
  readonly claimed: number
  /** The most that their blocks can hold. */
  readonly most: number
}

/**
 * How much zstd frames hold.
 *
 * Layout: RFC 8878, sections 3.1.1 and 3.1.2.
 * @throws Error when a frame is cut off or malformed.
 */
export function zstdSize(bytes: Uint8Array): ZstdSize {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let [claimed, most] = [0, 0]
  for (let at = 0; at < bytes.length;) {
    const magic = view.getUint32(at, true)
    if (magic >>> 4 === 0x184d2a5) {
      at += 8 + view.getUint32(at + 4, true)
      if (at > bytes.length) throw new RangeError('unexpected end of file')
      continue
    }
    if (magic !== 0xfd2fb528) throw new Error('unexpected bytes behind a frame')
    const frame = readFrame(view, at + 4)
    claimed += frame.claimed
    most += frame.most
    at = frame.end
  }
  return { claimed, most }
}

interface Frame extends ZstdSize {
  /** Where it ends. */
  readonly end: number
}

/** The bytes of a field of the frame's header, by two bits of its descriptor. */
const dictionaryBytes = [0, 1, 2, 4] as const

function readFrame(view: DataView, start: number): Frame {
  const descriptor = view.getUint8(start)
  const isSingleSegment = (descriptor & 32) !== 0
  if (!isSingleSegment && windowSize(view.getUint8(start + 1)) > largestWindow)
    throw new Error(`a window of more than ${largestWindow} bytes`)
  const contentAt = start + 1 + (isSingleSegment ? 0 : 1) + dictionaryBytes[(descriptor & 3) as 0]
  const flag = descriptor >> 6
  const contentBytes = flag === 0 && !isSingleSegment ? 0 : 2 ** flag
  const blocks = readBlocks(view, contentAt + contentBytes)
  const end = blocks.end + ((descriptor & 4) !== 0 ? 4 : 0)
  if (end > view.byteLength) throw new RangeError('unexpected end of file')
  return { claimed: contentSize(view, contentAt, contentBytes) ?? blocks.most, most: blocks.most, end }
}

/** What the zstd program takes without being asked to. */
const largestWindow = 2 ** 27

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

function contentSize(view: DataView, at: number, bytes: number): number | undefined {
  switch (bytes) {
    case 0:
      return undefined
    case 1:
      return view.getUint8(at)
    case 2:
      return view.getUint16(at, true) + 256
    case 4:
      return view.getUint32(at, true)
    default:
      return Number(view.getBigUint64(at, true))
  }
}

/** The most that a compressed block holds. */
const largestBlock = 131072

function readBlocks(view: DataView, start: number): Omit<Frame, 'claimed'> {
  let most = 0
  for (let at = start; ;) {
    const header = view.getUint16(at, true) + view.getUint8(at + 2) * 65536
    const [isLast, type, length] = [header & 1, (header >> 1) & 3, header >>> 3]
    if (type === 3) throw new Error('a block of a kind that there is not')
    most += type === 2 ? largestBlock : length
    at += 3 + (type === 1 ? 1 : length)
    if (at > view.byteLength) throw new RangeError('unexpected end of file')
    if (isLast === 1) return { most, end: at }
  }
}
