// BERT's normalizer as in the Rust library. The JavaScript library's differs: it puts no blanks around rare Chinese
// characters (those beyond the basic plane), and lower-cases a final sigma differently.

/**
 * BERT's normalizer for the options of a `tokenizer.json`: `clean_text`, `handle_chinese_chars`, `strip_accents` (null:
 * as `lowercase`), `lowercase`; all true by default.
 */
export function bertNormalizer(options: Readonly<Record<string, unknown>>): (text: string) => string {
  const lowercase = options['lowercase'] !== false
  const strip = options['strip_accents'] ?? lowercase
  return text => {
    if (plain.test(text)) return lowercase ? text.toLowerCase() : text
    let result = text
    if (options['clean_text'] !== false) result = result.replace(dropped, '').replace(blanks, ' ')
    if (options['handle_chinese_chars'] !== false) result = result.replace(chinese, ' $& ')
    if (strip) result = result.normalize('NFD').replace(accents, '')
    return lowercase ? result.replace(/Σ/g, 'σ').toLowerCase() : result
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
