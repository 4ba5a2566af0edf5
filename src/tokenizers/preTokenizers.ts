// the pre-tokenizer of a tokenizer.json → functions from text to words, by the rules of the Rust library
import type { AlignedText } from './alignedText'
import { byteCharacters, punctuation, whiteSpace, wordCharacter } from './characters'
import type { JsonPart } from './jsonPart'
import { madeHereOrNatively, nativeOf } from './native'
import { patternOf, type Split, splitAt, splitBehaviors, splitInto } from './patterns'
import { literalPattern } from '../literalPattern'

/** What cuts a text into words. */
export interface PreTokenizer {
  /** The words of a text; `isFirst` says whether it begins where the whole text does. Of a sequence each piece does. */
  words(text: string, isFirst: boolean): readonly string[]
  /** The same for a text that knows where its characters stand, and so which of its pieces begins where the whole does. */
  align(text: AlignedText): readonly AlignedText[]
}

/**
 * A pre-tokenizer; undefined for null. They are written here, since those of the library use
 * JavaScript's classes of characters (`\s`, `\d`, and `\w` for ASCII alone), leave behaviors of Split and Punctuation
 * out, and do not cut at Metaspace's sign.
 * @throws TrainerError (`file`) that names the field, and the type if it is supported neither here nor by the native
 * library.
 */
export function preTokenizerOf(part: JsonPart): PreTokenizer | undefined {
  if (part.isMissing) return undefined
  return madeHereOrNatively<PreTokenizer>(
    part,
    () => part.makerIn(preTokenizers, 'pre-tokenizer')(part),
    (library, value) => {
      const native = nativeOf(library, { pre_tokenizer: value }).getPreTokenizer()
      return native === null ? undefined : cutting(cutsOf(native))
    },
  )
}

const blanks = new RegExp(`[${whiteSpace}]`, 'gu')
const signs = new RegExp(`[${punctuation}]`, 'gu')
const words = new RegExp(`[${wordCharacter}]+|[^${wordCharacter}${whiteSpace}]+`, 'gu')
const bertWords = new RegExp(`[^${whiteSpace}${punctuation}]+|[${punctuation}]`, 'gu')
/** GPT-2's words: contractions; letters, numbers or signs with a blank before them; blanks. */
const gpt2Words = new RegExp(
  [
    "'s|'t|'re|'ve|'m|'ll|'d",
    ' ?\\p{L}+',
    ' ?\\p{N}+',
    ` ?[^${whiteSpace}\\p{L}\\p{N}]+`,
    `[${whiteSpace}]+(?![^${whiteSpace}])`,
    `[${whiteSpace}]+`,
  ].join('|'),
  'gu',
)

/** A pre-tokenizer that cuts a text and leaves its characters as they are; `words` where there is a faster way. */
function cutting(
  split: Split,
  words: PreTokenizer['words'] = text => split(text, (start, end) => text.slice(start, end)),
): PreTokenizer {
  return { words, align: text => split(text.text, (start, end) => text.slice(start, end)) }
}

/** Where the native library cuts: it is asked for what leaves characters as they are, and gives the pieces in order. */
function cutsOf(native: { preTokenizeString(text: string): [string, unknown][] }): Split {
  return (text, cut) => {
    let last = 0
    return native.preTokenizeString(text).map(([word]) => {
      const start = text.indexOf(word, last)
      last = start + word.length
      return cut(start, last)
    })
  }
}

const preTokenizers: Readonly<Record<string, (part: JsonPart) => PreTokenizer>> = {
  Sequence: sequence,
  BertPreTokenizer: () => cutting(splitInto(bertWords), text => text.match(bertWords) ?? []),
  Whitespace: () => cutting(splitInto(words), text => text.match(words) ?? []),
  WhitespaceSplit: () => cutting(splitAt(blanks, 'Removed')),
  CharDelimiterSplit: part => {
    const delimiter = part.at('delimiter').text()
    return cutting(splitAt(new RegExp(literalPattern(delimiter), 'gu'), 'Removed'))
  },
  Punctuation: part => cutting(splitAt(signs, part.at('behavior').oneOf(splitBehaviors, 'Isolated'))),
  Digits: part => cutting(splitAt(/\p{N}/gu, part.at('individual_digits').flag(false) ? 'Isolated' : 'Contiguous')),
  Split: part => {
    const pattern = patternOf(part.at('pattern'))
    return cutting(splitAt(pattern, part.at('behavior').oneOf(splitBehaviors), part.at('invert').flag()))
  },
  FixedLength: part => {
    const length = part.at('length').count(5)
    if (length === 0) throw part.at('length').wrong('a number of characters')
    return cutting(splitInto(new RegExp(`[^]{1,${length}}`, 'gu')))
  },
  ByteLevel: byteLevel,
  Metaspace: metaspace,
}

function sequence(part: JsonPart): PreTokenizer {
  const steps = part
    .at('pretokenizers')
    .list()
    .map(preTokenizerOf)
    .filter(step => step !== undefined)
  return {
    words: (text, isFirst) =>
      steps.reduce<readonly string[]>((pieces, step) => pieces.flatMap(piece => step.words(piece, isFirst)), [text]),
    align: text =>
      steps.reduce<readonly AlignedText[]>((pieces, step) => pieces.flatMap(piece => step.align(piece)), [text]),
  }
}

/** GPT-2's words, if it is to cut, as the characters that stand for their bytes. */
function byteLevel(part: JsonPart): PreTokenizer {
  const prefixes = part.at('add_prefix_space').flag()
  const splits = part.at('use_regex').flag(true)
  const split = splitInto(gpt2Words)
  return {
    words: text => {
      const prefixed = prefixes && !text.startsWith(' ') ? ` ${text}` : text
      const pieces = splits ? (prefixed.match(gpt2Words) ?? []) : [prefixed]
      return pieces.map(byteCharacters)
    },
    align: text => {
      const prefixed = prefixes && !text.text.startsWith(' ') ? text.prepended(' ') : text
      const pieces = splits ? split(prefixed.text, (start, end) => prefixed.slice(start, end)) : [prefixed]
      return pieces.map(piece => piece.mapped(byteCharacters))
    },
  }
}

/** Blanks become a sign, which also goes in front, and each word begins with it. */
function metaspace(part: JsonPart): PreTokenizer {
  const sign = part.at('replacement').text()
  // What 'prepend_scheme' says now was 'add_prefix_space' in older files.
  const missing = part.at('add_prefix_space').flag(true) ? 'always' : 'never'
  const scheme = part.at('prepend_scheme').oneOf(['always', 'first', 'never'], missing)
  const splits = part.at('split').flag(true)
  const split = splitAt(new RegExp(literalPattern(sign), 'gu'), 'MergedWithNext')
  const prepends = (signed: string, isFirst: boolean): boolean =>
    (scheme === 'always' || (scheme === 'first' && isFirst)) && !signed.startsWith(sign)
  return {
    words: (text, isFirst) => {
      const signed = text.replaceAll(' ', () => sign)
      const whole = prepends(signed, isFirst) ? sign + signed : signed
      return splits ? split(whole, (start, end) => whole.slice(start, end)) : [whole]
    },
    align: text => {
      const signed = text.mapped(character => (character === ' ' ? sign : character))
      const whole = prepends(signed.text, text.base === 0) ? signed.prepended(sign) : signed
      return splits ? split(whole.text, (start, end) => whole.slice(start, end)) : [whole]
    },
  }
}
