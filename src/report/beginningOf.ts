/** The first characters of a text, whole ones: an emoji at the end, which is two of UTF-16, is not cut in half. */
export function beginningOf(text: string, most: number): string {
  const isHalf = /[\ud800-\udbff]/.test(text.charAt(most - 1)) && /[\udc00-\udfff]/.test(text.charAt(most))
  return text.slice(0, isHalf ? most - 1 : most)
}

/** A text of at most so many characters, with `…` at the end of a longer one. */
export function shortened(text: string, most: number): string {
  return text.length > most ? `${beginningOf(text, most)}…` : text
}
