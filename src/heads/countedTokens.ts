// the tokens whose labels count, for a head that costs much for each token
import { ignoredIndex } from '../labelColumn'
import { Tensor } from '../tensor'
import type { CountedTokens } from './Head'

/** What the number of tokens is rounded up to a multiple of: at least one, and fewer different shapes. */
const multiple = 16

/**
 * Of a masked language model's tokens those that are to be guessed, some 15 %: the product with the table of words is
 * most of what a small model computes.
 */
export const countedTokens: CountedTokens = {
  declare(graph) {
    const counted = graph.input('counted_tokens', 'int32', ['counted'])
    const index = graph.input('counted_places', 'int32', ['tokens'])
    const mask = graph.input('is_counted', 'float32', ['tokens'])
    return encoded => graph.gather(encoded, counted, 0, { inverse: { index, mask } })
  },
  feed({ inputs, count }) {
    const { data: labels } = inputs.labels as Tensor<'int32'>
    const size = Math.max(1, Math.ceil(count / multiple)) * multiple
    const tokens = new Int32Array(size) // those behind the last are the first token, with no label
    const ofCounted = new Int32Array(size).fill(ignoredIndex)
    const places = new Int32Array(labels.length)
    const isCounted = new Float32Array(labels.length)
    let place = 0
    labels.forEach((label, token) => {
      if (label === ignoredIndex) return
      tokens[place] = token
      ofCounted[place] = label
      places[token] = place++
      isCounted[token] = 1
    })
    return {
      inputs: {
        labels: new Tensor('int32', ofCounted, [size]),
        counted_tokens: new Tensor('int32', tokens, [size]),
        counted_places: new Tensor('int32', places, [labels.length]),
        is_counted: new Tensor('float32', isCounted, [labels.length]),
      },
      count,
    }
  },
}
