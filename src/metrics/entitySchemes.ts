// entities by a scheme of prefixes, as seqeval's strict mode finds them
import { TrainerError } from '../errors'

export type EntityScheme = 'IOB1' | 'IOB2' | 'IOE1' | 'IOE2' | 'IOBES' | 'BILOU'

/** Words that belong together: `start` is the first one's place, `end` the last one's. */
export interface Entity {
  readonly type: string
  readonly start: number
  readonly end: number
}

/**
 * The prefixes of a scheme, and between which neighbours an entity starts, goes on and ends: the prefix before, the
 * prefix here ('?' is any), and whether their types are the same ('='), different ('!') or either ('*').
 */
interface Scheme {
  readonly prefixes: string
  readonly starts: readonly string[]
  readonly inside: readonly string[]
  readonly ends: readonly string[]
}

/** seqeval's tables, with what they miss: IOB1 and IOE1 do not end, or start, every entity that people would see. */
const schemes: Readonly<Record<EntityScheme, Scheme>> = {
  IOB1: {
    prefixes: 'IOB',
    starts: ['OI*', 'II!', 'BI*', 'IB=', 'BB='],
    inside: ['BI=', 'II='],
    ends: ['II!', 'IO*', 'IB*', 'BO*', 'BI!', 'BB='],
  },
  IOB2: {
    prefixes: 'IOB',
    starts: ['?B*'],
    inside: ['BI=', 'II='],
    ends: ['IO*', 'II!', 'IB*', 'BO*', 'BI!', 'BB*'],
  },
  IOE1: {
    prefixes: 'IOE',
    starts: ['OI*', 'II!', 'EI*', 'EE='],
    inside: ['II=', 'IE='],
    ends: ['II!', 'IO*', 'IE!', 'EI=', 'EE='],
  },
  IOE2: {
    prefixes: 'IOE',
    starts: ['OI*', 'OE*', 'EI*', 'EE*', 'II!', 'IE!'],
    inside: ['IE=', 'II='],
    ends: ['E?*'],
  },
  IOBES: { prefixes: 'IOBES', starts: ['?B*', '?S*'], inside: ['BI=', 'BE=', 'II=', 'IE='], ends: ['S?*', 'E?*'] },
  BILOU: { prefixes: 'IOBUL', starts: ['?B*', '?U*'], inside: ['BI=', 'BL=', 'II=', 'IL='], ends: ['U?*', 'L?*'] },
}

export const schemeNames = Object.keys(schemes) as EntityScheme[]

/** Which prefixes, in the order of the alphabet, tell that labels are in a scheme. */
const recognized: readonly (readonly [EntityScheme, readonly string[]])[] = [
  ['IOB2', ['BIO', 'BI', 'BO', 'B']],
  ['IOE2', ['EIO', 'EI', 'EO', 'E']],
  ['IOBES', ['BEIOS', 'BEIS', 'BEIO', 'BEOS', 'BEI', 'BES', 'BEO', 'BE', 'S']],
  ['BILOU', ['BILOU', 'BILU', 'BILO', 'BLOU', 'BIL', 'BLU', 'BLO', 'BL', 'U']],
]

interface StrictReading {
  readonly scheme?: EntityScheme | null | undefined
  readonly suffix?: boolean | undefined
}

/**
 * The entities of sentences, sentence by sentence, of every side by its name; without a scheme, by the one that the
 * last side's prefixes tell.
 * @throws TrainerError (`data`) for a label whose prefix the scheme does not have, and where no scheme is recognized.
 */
export function strictEntities(
  where: string,
  sides: Readonly<Record<string, readonly (readonly string[])[]>>,
  { scheme, suffix = false }: StrictReading,
): Record<string, Entity[][]> {
  const read = Object.entries(sides).map(([side, rows]) => {
    const place = (row: number, at: number): string =>
      side === 'labels' ? `label ${at}` : `label ${at} of row ${row} of the ${side}`
    return {
      side,
      place,
      rows: rows.map((row, r) => row.map((label, at) => readTag(label, suffix, where, place(r, at)))),
    }
  })
  const name = scheme ?? recognize(where, read.at(-1)!)
  const found = read.map(({ side, place, rows }) => {
    const entities = rows.map((row, r) => sentenceEntities(row, name, at => `${where}: ${place(r, at)}`))
    return [side, entities] as const
  })
  return Object.fromEntries(found)
}

interface Tag {
  readonly label: string
  readonly prefix: string
  readonly type: string
}

const outside: Tag = { label: 'O', prefix: 'O', type: '_' }

function readTag(label: string, suffix: boolean, where: string, place: string): Tag {
  const letters = [...label]
  const prefix = suffix ? letters.at(-1)! : letters[0]!
  if (!'IOBESUL'.includes(prefix))
    throw new TrainerError('data', `${where}: ${place} is "${label}", whose prefix "${prefix}" is in no scheme.`, {
      fix: `Write labels as ${suffix ? 'PER-B, PER-I' : 'B-PER, I-PER'} and O.`,
    })
  const rest = (suffix ? letters.slice(0, -1) : letters.slice(1)).join('')
  return { label, prefix, type: rest.replace(/^-+|-+$/g, '') || '_' }
}

function recognize(where: string, { rows }: { readonly rows: readonly (readonly Tag[])[] }): EntityScheme {
  const prefixes = [...new Set(rows.flat().map(({ prefix }) => prefix))].sort().join('')
  const name = recognized.find(([, sets]) => sets.includes(prefixes))?.[0]
  if (name !== undefined) return name
  throw new TrainerError(
    'data',
    `${where}: the labels have the prefixes ${[...prefixes].join(', ')}, which tell no scheme.`,
    {
      fix: `Name it: scheme: one of ${schemeNames.map(one => `'${one}'`).join(', ')}.`,
    },
  )
}

function sentenceEntities(tags: readonly Tag[], name: EntityScheme, place: (at: number) => string): Entity[] {
  const { prefixes, starts, inside, ends } = schemes[name]
  const all = [...tags, outside]
  const found: Entity[] = []
  let before = outside
  for (let at = 0; at < all.length;) {
    const tag = all[at]!
    if (!prefixes.includes(tag.prefix))
      throw new TrainerError(
        'data',
        `${place(at)} is "${tag.label}", but ${name} has the prefixes ${[...prefixes].join(', ')}.`,
        {
          fix: 'Give the scheme that the labels are in.',
        },
      )
    let end = at + 1
    if (fits(before, tag, starts)) {
      while (end < all.length && fits(all[end - 1]!, all[end]!, inside)) end++
      if (fits(all[end - 1]!, all[end] ?? outside, ends)) found.push({ type: tag.type, start: at, end: end - 1 })
    }
    at = end
    before = all[end - 1]!
  }
  return found
}

function fits(before: Tag, here: Tag, patterns: readonly string[]): boolean {
  return patterns.some(pattern => {
    const [first, second, types] = pattern as unknown as [string, string, string]
    if (first !== '?' && first !== before.prefix) return false
    if (second !== '?' && second !== here.prefix) return false
    return types === '*' || (types === '=') === (before.type === here.type)
  })
}
