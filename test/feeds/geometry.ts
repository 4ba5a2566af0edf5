import type { Geometry } from '../../src/feeds/TokenLayout'

/** Of a model of two heads, 4 wide each, of 23 words and 12 positions. */
export const geometry: Geometry = {
  heads: 2,
  headSize: 4,
  vocabularySize: 23,
  positions: 12,
  firstPosition: 0,
  positionPadding: undefined,
  segments: 2,
}
