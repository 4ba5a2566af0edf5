// the pre-tokenizer of a tokenizer.json → a function from text to words, by the rules of the Rust library
import { byteCharacters, punctuation, whiteSpace, wordCharacter } from './characters'
import type { JsonPart } from './jsonPart'
import { madeHereOrNatively, nativeOf } from './native'
import { patternOf, splitBehaviors, splitText } from './patterns'
import { literalPattern } from '../literalPattern'

/** Words of a text; `isFirst` says whether it begins where the whole text does. */
export type PreTokenizer = (text: string, isFirst: boolean) => readonly string[]

/**
 * The function of a pre-tokenizer; undefined for null. They are written here, since those of the library use
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
      return native === null ? undefined : text => native.preTokenizeString(text).map(([word]) => word)
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

const preTokenizers: Readonly<Record<string, (part: JsonPart) => PreTokenizer>> = {
  Sequence: part => {
    const steps = part.at('pretokenizers').list().map(sequenceStep)
    return (text, isFirst) =>
      steps.reduce<readonly Piece[]>((pieces, step) => pieces.flatMap(step), [{ text, isFirst }]).map(one => one.text)
  },
  BertPreTokenizer: () => text => text.match(bertWords) ?? [],
  Whitespace: () => text => text.match(words) ?? [],
  WhitespaceSplit: () => text => splitText(text, blanks, 'Removed'),
  CharDelimiterSplit: part => {
    const delimiter = part.at('delimiter').text()
    return text => text.split(delimiter).filter(piece => piece !== '')
  },
  Punctuation: part => {
    const behavior = part.at('behavior').oneOf(splitBehaviors, 'Isolated')
    return text => splitText(text, signs, behavior)
  },
  Digits: part => {
    const behavior = part.at('individual_digits').flag(false) ? 'Isolated' : 'Contiguous'
    return text => splitText(text, /\p{N}/gu, behavior)
  },
  Split: part => {
    const pattern = patternOf(part.at('pattern'))
    const behavior = part.at('behavior').oneOf(splitBehaviors)
    const invert = part.at('invert').flag()
    return text => splitText(text, pattern, behavior, invert)
  },
  FixedLength: part => {
    const length = part.at('length').count(5)
    if (length === 0) throw part.at('length').wrong('a number of characters')
    const pattern = new RegExp(`[^]{1,${length}}`, 'gu')
    return text => text.match(pattern) ?? []
  },
  ByteLevel: part => {
    const prefixes = part.at('add_prefix_space').flag()
    const splits = part.at('use_regex').flag(true)
    return text => {
      const prefixed = prefixes && !text.startsWith(' ') ? ` ${text}` : text
      const pieces = splits ? (prefixed.match(gpt2Words) ?? []) : [prefixed]
      return pieces.map(byteCharacters)
    }
  },
  Metaspace: metaspace,
}

interface Piece {
  readonly text: string
  readonly isFirst: boolean
}

/** One step of a sequence. What follows a stretch that a step removes does not stand first any more. */
function sequenceStep(part: JsonPart): (piece: Piece) => readonly Piece[] {
  const split = preTokenizerOf(part) ?? ((text: string) => [text])
  const removes = !['ByteLevel', 'Metaspace'].includes(part.at('type').text())
  return ({ text, isFirst }) =>
    split(text, isFirst).map((one, index) => ({
      text: one,
      isFirst: isFirst && index === 0 && (!removes || text.startsWith(one)),
    }))
}

/** Blanks become a sign, which also goes in front, and each word begins with it. */
function metaspace(part: JsonPart): PreTokenizer {
  const sign = part.at('replacement').text()
  // What 'prepend_scheme' says now was 'add_prefix_space' in older files.
  const missing = part.at('add_prefix_space').flag(true) ? 'always' : 'never'
  const scheme = part.at('prepend_scheme').oneOf(['always', 'first', 'never'], missing)
  const splits = part.at('split').flag(true)
  const pattern = new RegExp(literalPattern(sign), 'gu')
  return (text, isFirst) => {
    const signed = text.replaceAll(' ', () => sign)
    const prepends = (scheme === 'always' || (scheme === 'first' && isFirst)) && !signed.startsWith(sign)
    const whole = prepends ? sign + signed : signed
    return splits ? splitText(whole, pattern, 'MergedWithNext') : [whole]
  }
}
