import { packed, packedLayout, type Packing } from '../../src/feeds/packed'
import { paddedLayout } from '../../src/feeds/padded'
import type { MakeTokenLayout } from '../../src/feeds/TokenLayout'

const packing =
  (options: Packing): MakeTokenLayout =>
  own =>
    packed(own, options)

/** The layouts of tokens, packed in every way, by what they are called. */
export const layouts: readonly (readonly [string, MakeTokenLayout])[] = [
  ['the padded layout', paddedLayout],
  ['the packed layout', packedLayout],
  ['the packed layout in one group', packing({ groups: 1 })],
  ['the packed layout in three groups', packing({ groups: 3 })],
  ['the packed layout, rounded', packing({ groups: 1, round: { tokens: 8, length: 5 } })],
  ['the packed layout, rounded to many tokens', packing({ groups: 1, round: { tokens: 64, length: 1 } })],
]
