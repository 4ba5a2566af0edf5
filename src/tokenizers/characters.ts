// classes of characters as the Rust library has them, as sources for regular expressions with the flag u

/** Rust's white space: unlike JavaScript's, it has U+0085 and lacks U+FEFF. */
export const whiteSpace = '\\p{White_Space}'

/** What Rust's regular expressions call `\w`: letters, marks, digits and connectors of all scripts, and the joiners. */
export const wordCharacter = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d'

/** BERT's punctuation: ASCII's signs, and Unicode's punctuation. */
export const punctuation = '!-\\/:-@\\[-`{-~\\p{P}'

const leading = new RegExp(`^[${whiteSpace}]+`, 'u')
const trailing = new RegExp(`[${whiteSpace}]+$`, 'u')
const isWhiteSpace = new RegExp(`^[${whiteSpace}]$`, 'u')

/** The text without the white space before it. */
export function trimStart(text: string): string {
  return text.replace(leading, '')
}

/** The text without the white space after it. */
export function trimEnd(text: string): string {
  // A pattern that ends at the end is tried at every blank of the text: most texts end with something else.
  return text !== '' && isWhiteSpace.test(text.at(-1)!) ? text.replace(trailing, '') : text
}

/** The characters that stand for bytes in byte-level vocabularies (GPT-2's table): the visible ones for themselves. */
const characterOfByte: readonly string[] = (() => {
  const isVisible = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isVisible(byte) ? byte : next++))
})()
const encoder = new TextEncoder()

/** A text as the characters that stand for its UTF-8 bytes. */
export function byteCharacters(text: string): string {
  let result = ''
  for (const byte of encoder.encode(text)) result += characterOfByte[byte]
  return result
}

const byteOfCharacter = new Map(characterOfByte.map((character, byte) => [character, byte]))
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The text of byte-level tokens; one that has another character, which stands for no byte, is taken for text itself. */
export function textOfByteTokens(tokens: readonly string[]): string {
  const bytes = tokens.flatMap(token => {
    const own = Array.from(token, character => byteOfCharacter.get(character))
    return own.every(byte => byte !== undefined) ? own : [...encoder.encode(token)]
  })
  return decoder.decode(Uint8Array.from(bytes))
}

/** The names of a text's UTF-8 bytes in vocabularies with `byte_fallback`: `<0xE2>`, … */
export function byteTokens(text: string): string[] {
  return Array.from(encoder.encode(text), byte => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
}
