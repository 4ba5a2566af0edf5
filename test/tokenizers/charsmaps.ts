// random maps of SentencePiece, written in its own binary form (a darts-clone double array, then the texts)
import { addedTexts, atoms, pick, type Draw } from './randomTokenizers'

interface Node {
  readonly children: Map<number, Node>
  value?: number
}

/** The base64 of a map with some of the replacements of NFKC and lower case, and some that are made up. */
export function randomCharsmap(draw: Draw): string {
  const map = new Map<string, string>()
  const some = [...atoms, ...addedTexts].filter(text => Buffer.byteLength(text) < 12)
  for (const text of some) {
    const folded = text.normalize('NFKC').toLowerCase()
    if (folded !== text && draw(3) > 0) map.set(text, folded)
    else if (draw(8) === 0) map.set(text, pick(draw, ['', ' ', 'x', 'é', '▁']))
  }
  return writeCharsmap(map)
}

/** The base64 of a map from texts to texts. */
export function writeCharsmap(map: ReadonlyMap<string, string>): string {
  const root: Node = { children: new Map() }
  const texts: Buffer[] = []
  let length = 0
  for (const [key, text] of map) {
    let node = root
    for (const byte of Buffer.from(key)) {
      if (!node.children.has(byte)) node.children.set(byte, { children: new Map() })
      node = node.children.get(byte)!
    }
    node.value = length
    texts.push(Buffer.from(`${text}\0`))
    length += texts.at(-1)!.length
  }
  const units = doubleArray(root)
  const trie = Buffer.alloc(4 + 4 * units.length)
  trie.writeUInt32LE(4 * units.length, 0)
  for (const [index, unit] of units.entries()) trie.writeUInt32LE(unit >>> 0, 4 + 4 * index)
  return Buffer.concat([trie, ...texts]).toString('base64')
}

/** Each node's children lie at one base, xor their bytes; a value lies at the base itself, with the sign bit set. */
function doubleArray(root: Node): number[] {
  const units: number[] = [0]
  const used = new Set([0])
  let lowest = 1
  const place = (node: Node, at: number, label: number): void => {
    const labels = [...(node.value === undefined ? [] : [0]), ...node.children.keys()]
    while (used.has(lowest)) lowest++
    let base = lowest
    while (labels.some(one => used.has(base ^ one))) base++
    for (const one of labels) used.add(base ^ one)
    units[at] = label | (node.value === undefined ? 0 : 0x100) | ((at ^ base) << 10)
    if (node.value !== undefined) units[base] = 0x80000000 | node.value
    for (const [byte, child] of node.children) place(child, base ^ byte, byte)
  }
  place(root, 0, 0)
  const size = Math.ceil((Math.max(...used) + 1) / 256) * 256
  return Array.from({ length: size }, (_, index) => units[index] ?? 0)
}
