// BERT's normalizer as in the Rust library. The JavaScript library's differs: it puts no blanks around rare Chinese
// characters (those beyond the basic plane), and lower-cases a final sigma differently.
import type { Normalizer } from './normalizer'
import { alignedForm } from './unicodeForms'

/**
 * BERT's normalizer for the options of a `tokenizer.json`: `clean_text`, `handle_chinese_chars`, `strip_accents` (null:
 * as `lowercase`), `lowercase`; all true by default.
 */
export function bertNormalizer(options: Readonly<Record<string, unknown>>): Normalizer {
  const lowercase = options['lowercase'] !== false
  const strips = options['strip_accents'] ?? lowercase
  const clean = (text: string): string =>
    options['clean_text'] === false ? text : text.replace(dropped, '').replace(blanks, ' ')
  const space = (text: string): string =>
    options['handle_chinese_chars'] === false ? text : text.replace(chinese, ' $& ')
  const strip = (text: string): string => text.replace(accents, '')
  const lower = (text: string): string => (lowercase ? text.replace(/Σ/g, 'σ').toLowerCase() : text)
  return {
    normalize: text => {
      if (plain.test(text)) return lowercase ? text.toLowerCase() : text
      const spaced = space(clean(text))
      return lower(strips ? strip(spaced.normalize('NFD')) : spaced)
    },
    align: text => {
      const spaced = text.mapped(character => space(clean(character)))
      return (strips ? alignedForm(spaced, 'NFD').mapped(strip) : spaced).mapped(lower)
    },
  }
}

const plain = /^[\x20-\x7e]*$/
const dropped = /[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu
const blanks = /\p{White_Space}/gu
const accents = /\p{Mn}/gu
const chinese = new RegExp(
  `[${[
    '\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}',
    '\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}',
  ].join('')}]`,
  'gu',
)
