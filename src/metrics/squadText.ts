// answers as SQuAD's official scripts compare them, with Python's idea of letters, words and blanks

const punctuation = /[!-/:-@[-`{-~]/g

/** Articles between Python's word boundaries, for which letters and numbers of all scripts and `_` are words. */
const articles = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu

/** What Python's `split` takes for blanks: not U+FEFF, but the separators U+001C to U+001F and U+0085. */
const blanks = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/ // oxlint-disable-line no-control-regex

/** An answer's words: in small letters, without punctuation and English articles. */
export function answerWords(answer: string): string[] {
  const text = answer.toLowerCase().replace(punctuation, '').replace(articles, ' ')
  return text.split(blanks).filter(word => word !== '')
}

/** Whether two answers have the same words in the same order. */
export function isExact(answer: string, other: string): boolean {
  return answerWords(answer).join(' ') === answerWords(other).join(' ')
}

/** F1 of the words that both have, each as often as in both; 0 where there are none. */
export function sharedWords(answer: string, other: string): number {
  const [words, others] = [answerWords(answer), answerWords(other)]
  const left = new Map<string, number>()
  for (const word of others) left.set(word, (left.get(word) ?? 0) + 1)
  let same = 0
  for (const word of words) {
    const count = left.get(word) ?? 0
    if (count === 0) continue
    left.set(word, count - 1)
    same++
  }
  if (same === 0) return 0
  const [precision, recall] = [same / words.length, same / others.length]
  return (2 * precision * recall) / (precision + recall)
}
