// text → tokens that know their words and where they stand in the text
import { cutAtAddedTokens, type TokenMatcher } from './addedTokens'
import { AlignedText } from './alignedText'
import type { Normalizer } from './normalizer'
import type { PreTokenizer } from './preTokenizers'
import type { WordModel } from './vocabularies'

/** The tokens of a text: arrays with an entry for each. */
export interface PlacedTokens {
  readonly ids: number[]
  /** The number of the token's word. */
  readonly words: number[]
  /** Where it begins and ends in the text, in UTF-16 units. */
  readonly places: [number, number][]
  /** What the Rust library calls the token: its text in the vocabulary, or of an added token what stands for it. */
  readonly values: string[]
}

/** The stages that a text goes through. */
export interface PlacingStages {
  readonly raw: TokenMatcher | undefined
  readonly normalized: TokenMatcher | undefined
  readonly normalizer: Normalizer | undefined
  readonly preTokenizer: PreTokenizer | undefined
  readonly model: WordModel
  /** What a token is called that stands for a stretch of a word. */
  nameOf(id: number, stretch: string): string
}

type Put = (id: number, place: [number, number], value: string) => void

/** The tokens of a text, made as without places, and placed as the Rust library places them. */
export function placedTokens(text: string, stages: PlacingStages): PlacedTokens {
  const tokens: PlacedTokens = { ids: [], words: [], places: [], values: [] }
  let word = 0
  const put: Put = (id, place, value) => {
    tokens.ids.push(id)
    tokens.words.push(word)
    tokens.places.push(place)
    tokens.values.push(value)
  }
  const putAdded = (text: AlignedText, id: number): void => {
    put(id, text.place(0, text.text.length), text.text)
    word++
  }
  for (const section of sectionsOf(AlignedText.of(text), stages.raw)) {
    if (section.id !== undefined) putAdded(section.text, section.id)
    else
      for (const part of sectionsOf(stages.normalizer?.align(section.text) ?? section.text, stages.normalized))
        if (part.id !== undefined) putAdded(part.text, part.id)
        else
          for (const one of stages.preTokenizer?.align(part.text) ?? [part.text]) {
            putPieces(one, stages, put)
            word++
          }
  }
  return tokens
}

/** The stretches of a text; those of added tokens have an id. */
function sectionsOf(
  text: AlignedText,
  matcher: TokenMatcher | undefined,
): { text: AlignedText; id?: number | undefined }[] {
  return cutAtAddedTokens(text.text, matcher, (start, end, id) => ({ text: text.slice(start, end), id }))
}

function putPieces(word: AlignedText, { model, nameOf }: PlacingStages, put: Put): void {
  const spans: number[] = []
  for (const [index, id] of model(word.text, spans).entries()) {
    const start = spans[2 * index]!
    const end = spans[2 * index + 1]!
    put(id, word.place(start, end), nameOf(id, word.text.slice(start, end)))
  }
}
