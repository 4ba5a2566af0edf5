// random texts of all kinds: unicode, blanks, what tokenizers treat specially, empty ones, too long ones
import type { MersenneTwister } from '../../src/random'

const pieces = [
  ...'the and over left visited car night part fact week Nairobi Katya Initech Zagreb Osaka praat links'.split(' '),
  ...'naïve Café Ångström e\u0301 Straße İstanbul ÀÉÎ Ελλάδα Москва مرحبا שלום 日本 東京 한국어 हिन्दी ไทย'.split(' '),
  ...'😀 👩‍👩‍👧 🇩🇪 ✈️ ﬁ Ⅳ ½ ™ ﷽ 𝒜 𐍈'.split(' '),
  ...'1 42 3.14 5.975,74 18:30 U.S. e-mail C++ #1 @me http://a.b/c?d=e don’t don\'t "quoted" (so) … — – -'.split(' '),
  ...['[SEP]', '[CLS]', '</s>', '<s>', '[UNK]', '##ing', '▁', 'Ġ', '\u200b', '\u00ad', '\ufeff', '\u0000', '\u0301'],
]
const separators = [' ', ' ', ' ', ' ', '', '  ', ', ', '. ', '\n', '\t', '\r\n', '\u00a0', '\u3000', '-', '\u2028']

/** Makes choices, as a function of a seed. */
export interface Choices {
  one<T>(list: readonly T[]): T
  chance(probability: number): boolean
  text(most?: number): string
}

export function choices(twister: MersenneTwister): Choices {
  const one = <T>(list: readonly T[]): T => list[Math.floor(twister.uniform() * list.length)]!
  const chance = (probability: number): boolean => twister.uniform() < probability
  const text = (most = chance(0.12) ? 120 : 14): string => {
    const count = Math.floor(twister.uniform() * (most + 1))
    let text = chance(0.1) ? one(separators) : ''
    for (let i = 0; i < count; i++) text += one(pieces) + (i < count - 1 || chance(0.1) ? one(separators) : '')
    return text
  }
  return { one, chance, text }
}
