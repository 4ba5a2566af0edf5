// the normalizer of a tokenizer.json → functions, by the rules of the Rust library
import { TrainerError } from '../errors'
import { bertNormalizer } from './bertNormalizer'
import { byteCharacters, trimEnd, trimStart } from './characters'
import { charsmapNormalizer } from './charsmap'
import type { JsonPart } from './jsonPart'
import { madeHereOrNatively, nativeOf } from './native'
import type { Normalizer } from './normalizer'
import { matchesOf, patternOf, replaceMatches } from './patterns'
import { alignedForm, type UnicodeForm } from './unicodeForms'

/**
 * A normalizer; undefined for null. None is the library's: those use the white space of JavaScript, put a final sigma,
 * read `$&` in a replacement, or know a fixed list in place of the map of SentencePiece.
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
      return native === null ? undefined : { normalize: text => native.normalizeString(text), align: noPlaces(part) }
    },
  )
}

/** The native library does not say what its characters were made of. */
function noPlaces(part: JsonPart): Normalizer['align'] {
  return () => {
    throw new TrainerError(
      'argument',
      `${part.file}: ${part.field} is done by npm's tokenizers, which tells no offsets.`,
      {
        fix: 'Leave returnOffsetsMapping out.',
      },
    )
  }
}

/** A normalizer to which it does not matter what stands beside a character. */
const byCharacter = (normalize: (text: string) => string): Normalizer => ({
  normalize,
  align: text => text.mapped(normalize),
})
const form = (name: UnicodeForm): (() => Normalizer) => {
  return () => ({ normalize: text => text.normalize(name), align: text => alignedForm(text, name) })
}

const normalizers: Readonly<Record<string, (part: JsonPart) => Normalizer>> = {
  Sequence: part => {
    const steps = part
      .at('normalizers')
      .list()
      .map(normalizerOf)
      .filter(step => step !== undefined)
    return {
      normalize: text => steps.reduce((result, step) => step.normalize(result), text),
      align: text => steps.reduce((result, step) => step.align(result), text),
    }
  },
  BertNormalizer: part => bertNormalizer(part.object()),
  Precompiled: part => charsmapNormalizer(part.at('precompiled_charsmap')),
  NFC: form('NFC'),
  NFD: form('NFD'),
  NFKC: form('NFKC'),
  NFKD: form('NFKD'),
  Nmt: () => byCharacter(text => text.replace(nmtDropped, '').replace(nmtBlanks, ' ')),
  Lowercase: () => byCharacter(text => text.replace(/Σ/g, 'σ').toLowerCase()), // no final sigma
  Strip: strip,
  StripAccents: () => byCharacter(text => text.replace(/\p{M}/gu, '')),
  Prepend: part => {
    const prefix = part.at('prepend').text()
    return { normalize: text => (text === '' ? '' : prefix + text), align: text => text.prepended(prefix) }
  },
  Replace: part => {
    const pattern = patternOf(part.at('pattern'))
    const content = part.at('content').text()
    return {
      normalize: text => replaceMatches(text, pattern, content),
      align: text => text.replaced(matchesOf(text.text, pattern), content),
    }
  },
  ByteLevel: () => byCharacter(byteCharacters),
}

function strip(part: JsonPart): Normalizer {
  const left = part.at('strip_left').flag()
  const right = part.at('strip_right').flag()
  const start = (text: string): number => (left ? text.length - trimStart(text).length : 0)
  const end = (text: string): number => (right ? trimEnd(text).length : text.length)
  return {
    normalize: text => text.slice(start(text), end(text)),
    align: text => text.trimmed(start(text.text), Math.max(start(text.text), end(text.text))),
  }
}

// SentencePiece's rules "nmt": some control characters go, and other kinds of blanks become blanks.
// oxlint-disable-next-line no-control-regex -- they are what goes
const nmtDropped = /[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g
const nmtBlanks = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g
