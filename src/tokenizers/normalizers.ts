// the normalizer of a tokenizer.json → a function, by the rules of the Rust library
import { NFCNormalizer, NFDNormalizer, NFKCNormalizer, NFKDNormalizer } from '@huggingface/tokenizers'
import { bertNormalizer } from './bertNormalizer'
import { byteCharacters, trimEnd, trimStart } from './characters'
import { charsmapNormalizer } from './charsmap'
import type { JsonPart } from './jsonPart'
import { madeHereOrNatively, nativeOf } from './native'
import { patternOf, replaceMatches } from './patterns'

export type Normalizer = (text: string) => string

/**
 * The function of a normalizer; undefined for null. Only the Unicode forms are the library's: its others use the white
 * space of JavaScript, put a final sigma, read `$&` in a replacement, or know a fixed list in place of the map of
 * SentencePiece.
 * @throws TrainerError (`file`) that names the field, and the type if it is supported neither here nor by the native
 * library.
 */
export function normalizerOf(part: JsonPart): Normalizer | undefined {
  if (part.isMissing) return undefined
  return madeHereOrNatively<Normalizer>(
    part,
    () => part.makerIn(normalizers, 'normalizer')(part),
    (library, normalizer) => {
      const native = nativeOf(library, { normalizer }).getNormalizer()
      return native === null ? undefined : text => native.normalizeString(text)
    },
  )
}

const form = (make: new (config: never) => unknown, type: string): ((part: JsonPart) => Normalizer) => {
  const normalizer = new make({ type } as never) as { normalize(text: string): string }
  return () => text => normalizer.normalize(text)
}

const normalizers: Readonly<Record<string, (part: JsonPart) => Normalizer>> = {
  Sequence: part => {
    const steps = part
      .at('normalizers')
      .list()
      .map(one => normalizerOf(one) ?? ((text: string) => text))
    return text => steps.reduce((result, step) => step(result), text)
  },
  BertNormalizer: part => bertNormalizer(part.object()),
  Precompiled: part => charsmapNormalizer(part.at('precompiled_charsmap')),
  NFC: form(NFCNormalizer, 'NFC'),
  NFD: form(NFDNormalizer, 'NFD'),
  NFKC: form(NFKCNormalizer, 'NFKC'),
  NFKD: form(NFKDNormalizer, 'NFKD'),
  Nmt: () => text => text.replace(nmtDropped, '').replace(nmtBlanks, ' '),
  Lowercase: () => text => text.replace(/Σ/g, 'σ').toLowerCase(), // a character at a time: no final sigma
  Strip: part => {
    const left = part.at('strip_left').flag()
    const right = part.at('strip_right').flag()
    return text => {
      const rest = left ? trimStart(text) : text
      return right ? trimEnd(rest) : rest
    }
  },
  StripAccents: () => text => text.replace(/\p{M}/gu, ''),
  Prepend: part => {
    const prefix = part.at('prepend').text()
    return text => (text === '' ? '' : prefix + text)
  },
  Replace: part => {
    const pattern = patternOf(part.at('pattern'))
    const content = part.at('content').text()
    return text => replaceMatches(text, pattern, content)
  },
  ByteLevel: () => byteCharacters,
}

// SentencePiece's rules "nmt": some control characters go, and other kinds of blanks become blanks.
// oxlint-disable-next-line no-control-regex -- they are what goes
const nmtDropped = /[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g
const nmtBlanks = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g
