import { describe, expect, it } from 'vitest'
import { matchingPaths } from '../../src/data/patterns'
import { hash32 } from '../../src/random'

const paths = [
  'a.csv',
  'data/a.csv',
  'data/b.csv',
  'data/x/y/c.csv',
  'data/x/.hidden.csv',
  'data/é.csv',
  'new\nline.csv',
]

describe('a pattern of paths', () => {
  it.each<[string, readonly string[]]>([
    ['*.csv', ['a.csv', 'new\nline.csv']],
    ['./a.csv', ['a.csv']],
    ['data/*.csv', ['data/a.csv', 'data/b.csv', 'data/é.csv']],
    ['data/?.csv', ['data/a.csv', 'data/b.csv', 'data/é.csv']],
    ['data/[ab].csv', ['data/a.csv', 'data/b.csv']],
    ['data/[!a].csv', ['data/b.csv', 'data/é.csv']],
    ['**/c.csv', ['data/x/y/c.csv']],
    ['data/**/a.csv', ['data/a.csv']],
    ['**', ['a.csv', 'data/a.csv', 'data/b.csv', 'data/x/y/c.csv', 'data/é.csv', 'new\nline.csv']],
    ['data/x/.*.csv', ['data/x/.hidden.csv']],
    ['data', []],
  ])('%s', (pattern, expected) => {
    expect(matchingPaths(pattern, paths)).toEqual(expected.toSorted())
  })

  it('is what the regular expression of its parts is', () => {
    let drawn = 0
    const below = (most: number): number => hash32(11, drawn++) % most
    const parts: readonly (readonly [string, string])[] = [
      ['**/', '(?:.+/)?'],
      ['**', '.*'],
      ['*', '[^/]*'],
      ['?', '[^/]'],
      ['[ab]', '[ab]'],
      ['a', 'a'],
      ['b', 'b'],
      ['/', '/'],
    ]
    let matches = 0
    for (let round = 0; round < 3000; round++) {
      const chosen = Array.from({ length: 1 + below(5) }, () => parts[below(parts.length)]!)
      const path = Array.from({ length: 1 + below(7) }, () => 'ab/'[below(3)]!).join('')
      const pattern = chosen.map(([written]) => written).join('')
      const split = pattern
        .split(/(\*\*\/|\*\*|\*|\?|\[ab\])/)
        .map(part => parts.find(([w]) => w === part)?.[1] ?? part)
      const expected = new RegExp(`^${split.join('')}$`).test(path)
      expect([pattern, path, matchingPaths(pattern, [path]).length === 1]).toEqual([pattern, path, expected])
      if (expected) matches++
    }
    expect(matches).toBeGreaterThan(300)
  })

  it('of many wildcards takes no longer for it', () => {
    expect(matchingPaths('**a'.repeat(40) + 'b', ['a'.repeat(2000)])).toEqual([])
  })

  it('that is none is refused', () => {
    expect(() => matchingPaths('[z-a].csv', paths)).toThrow(/is not a pattern of paths.*goes upwards/)
  })
})
