// Unicode's normal forms, with the places of the characters
import type { AlignedText, Change } from './alignedText'

export type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD'

/**
 * A text in a normal form. Each character stands where the Rust library (the crate unicode-normalization-alignments)
 * puts it: of those that one character is decomposed into, the later ones are additions; marks take their changes along
 * when they are brought into order; and what is composed adds the changes up, less one for each character after the first.
 */
export function alignedForm(text: AlignedText, form: UnicodeForm): AlignedText {
  const normal = text.text.normalize(form)
  if (normal === text.text) return text
  const decomposing = form === 'NFC' || form === 'NFD' ? 'NFD' : 'NFKD'
  const parts = Array.from(text.text).flatMap(character =>
    Array.from(character.normalize(decomposing), (part, index): Change => [part, index === 0 ? 0 : 1]),
  )
  const take = taker(parts)
  const ordered = Array.from(text.text.normalize(decomposing), character => take(character, 0)[0])
  return text.transformed(form === decomposing ? ordered : composed(normal, ordered))
}

/** The characters of a composed text, each made of the first parts that are left and fit. */
function composed(text: string, parts: readonly Change[]): Change[] {
  const take = taker(parts)
  return Array.from(text, character => {
    const [first, ...others] = Array.from(character.normalize('NFD'))
    let [[, change], place] = take(first!, 0)
    for (const other of others) {
      const [part, found] = take(other, place)
      change += part[1] - 1
      place = found
    }
    return [character, change]
  })
}

/** A function that takes the first of the parts that are left which is a character, from a place on; with its place. */
function taker(parts: readonly Change[]): (character: string, from: number) => [Change, number] {
  const taken = new Uint8Array(parts.length)
  let first = 0
  return (character, from) => {
    while (taken[first] === 1) first++
    let place = Math.max(first, from)
    while (taken[place] === 1 || parts[place]![0] !== character) place++
    taken[place] = 1
    return [parts[place]!, place]
  }
}
