import { shades } from './heatLevels'

/** A colour's red, green and blue, each 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number]

/** What a page is drawn in. Texts have a contrast of at least 4.5 with what is behind them, lines of 3. */
export interface Palette {
  readonly ground: Colour
  readonly panel: Colour
  readonly text: Colour
  readonly muted: Colour
  readonly rule: Colour
  readonly link: Colour
  /** Lines of charts. */
  readonly looks: readonly Colour[]
  readonly good: Colour
  readonly bad: Colour
  /** The darkest shade of what is right and what is wrong. */
  readonly right: Colour
  readonly wrong: Colour
}

export const light: Palette = {
  ground: [255, 255, 255],
  panel: [245, 247, 249],
  text: [27, 31, 36],
  muted: [87, 96, 106],
  rule: [208, 215, 222],
  link: [11, 92, 173],
  looks: [
    [11, 92, 173],
    [178, 76, 8],
    [26, 127, 75],
    [130, 60, 170],
  ],
  good: [22, 108, 62],
  bad: [179, 38, 30],
  right: [110, 168, 230],
  wrong: [242, 160, 84],
}

export const dark: Palette = {
  ground: [18, 21, 24],
  panel: [28, 32, 37],
  text: [230, 232, 234],
  muted: [160, 168, 176],
  rule: [62, 70, 78],
  link: [120, 180, 245],
  looks: [
    [120, 180, 245],
    [240, 163, 94],
    [96, 200, 140],
    [205, 150, 240],
  ],
  good: [110, 205, 150],
  bad: [250, 140, 130],
  right: [31, 92, 158],
  wrong: [150, 72, 18],
}

/** The shades from none to the darkest; the first that is not none can be told from the ground. */
export function shadesOf({ ground }: Palette, darkest: Colour): Colour[] {
  return Array.from({ length: shades + 1 }, (_, level) => {
    const share = level === 0 ? 0 : 0.3 + (0.7 * level) / shades
    return ground.map((value, at) => Math.round(value + share * (darkest[at]! - value))) as unknown as Colour
  })
}

/** A colour as a style sheet has it. */
export function hexOf(colour: Colour): string {
  return `#${colour.map(value => value.toString(16).padStart(2, '0')).join('')}`
}
