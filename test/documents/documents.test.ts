import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The file that a document means: from the root, or a room's, where `.ts` may be left out. */
function fileOf(path: string): string | undefined {
  return [path, `src/${path}`, `src/${path}.ts`, `src/autodiff/${path}`].find(place => existsSync(join(root, place)))
}

describe.each(['architecture.md', 'gradients.md', 'adding-a-model.md', 'adding-a-head.md'])('docs/%s', document => {
  it('names files that there are', () => {
    const named = [...read(`docs/${document}`).matchAll(/`([\w.-]+\/[\w./-]*\w)`/g)].map(([, path]) => path!)
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter(path => fileOf(path) === undefined)).toEqual([])
  })
})

describe('the walk of one batch in docs/architecture.md', () => {
  const page = read('docs/architecture.md')
  const hops = [...page.matchAll(/^\| (\d+) \| (?:`([^`]+)`|the (?:collator|layout's `feed`)) \(`([^`]+)`/gm)]

  it('is numbered, and as long as the text says', () => {
    expect(hops.map(([, number]) => Number(number))).toEqual(hops.map((_, i) => i + 1))
    expect(page).toContain('handed on by sixteen functions')
    expect(hops).toHaveLength(16)
  })

  it.each(hops.flatMap(([, , name, path]) => (name === undefined ? [] : [[name, path!]])))(
    '%s is in %s',
    (name, path) => {
      const called = name.replace(/^.*\./, '')
      expect(read(fileOf(path)!)).toMatch(new RegExp(`(^|\\W)${called.replace('#', '\\#')}(<[^(]*>)?\\(`, 'm'))
    },
  )
})
