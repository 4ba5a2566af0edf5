import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { cases, hostileTexts } from '../../scripts/verify/reportCases'
import { beginningOf, shortened } from '../../src/report/beginningOf'
import { type Colour, dark, light, type Palette, shadesOf } from '../../src/report/colours'
import { html, visible } from '../../src/report/html'
import { Largest } from '../../src/report/Largest'
import { longestText } from '../../src/report/rowTexts'
import { pageOf } from '../../src/report/page'
import { scatterChart } from '../../src/report/scatterChart'
import { ticksOver, tickText } from '../../src/report/ticks'

const known = (
  'html head meta title link style body header h1 h2 h3 h4 p strong b time nav ul ol li a main footer section dl div dt dd ' +
  'figure figcaption span svg path rect circle text g table caption thead tbody tr th td details summary bdi code'
).split(' ')

interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
}

/** The elements of a page in their order. @throws Error where they are not one within the other. */
function elementsOf(page: string): Element[] {
  const open: string[] = []
  const found: Element[] = []
  const text = page.replace('<!doctype html>', '').replace(/(<style>).*?(<\/style>)/s, '$1$2')
  for (const [tag, end, name = '', rest = ''] of text.matchAll(/<(\/?)([a-zA-Z0-9]*)((?:[^<>"]|"[^"<>]*")*)>/g)) {
    if (end === '/') {
      if (open.pop() !== name) throw new Error(`${tag} ends nothing`)
      continue
    }
    const attributes = new Map([...rest.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!]))
    if (
      rest
        .replace(/[\w-]+="[^"]*"/g, '')
        .replace('/', '')
        .trim() !== ''
    )
      throw new Error(`not attributes: ${tag}`)
    found.push({ name, attributes })
    if (!rest.trimEnd().endsWith('/')) open.push(name)
  }
  if (open.length > 0) throw new Error(`not ended: ${open.join(' ')}`)
  if (/[<>]/.test(text.replace(/<(\/?)([a-zA-Z0-9]*)((?:[^<>"]|"[^"<>]*")*)>/g, '')))
    throw new Error('a bracket in a text')
  return found
}

describe.each(cases)('the page $name', ({ make }) => {
  const made = make().then(pageOf)

  it('is well formed, of elements that do nothing', async () => {
    const elements = elementsOf(await made)
    expect([...new Set(elements.map(({ name }) => name))].filter(name => !known.includes(name))).toEqual([])
    for (const { name, attributes } of elements) {
      const acting = [...attributes.keys()].filter(key => /^on|^style$|^src$|^srcset$|^action$/.test(key))
      expect(acting).toEqual([])
      if (name === 'a') expect(attributes.get('href')).toMatch(/^#[\w-]+$/)
      if (name === 'link') expect(attributes.get('href')).toBe('data:,')
    }
  })

  it('allows its own style sheet and nothing else', async () => {
    const page = await made
    const [, style] = /<style>(.*?)<\/style>/s.exec(page)!
    const sum = createHash('sha256').update(style!).digest('base64')
    expect(
      elementsOf(page)
        .find(({ attributes }) => attributes.has('http-equiv'))!
        .attributes.get('content'),
    ).toBe(
      `default-src &#39;none&#39;; style-src &#39;sha256-${sum}&#39;; img-src data:; base-uri &#39;none&#39;; form-action &#39;none&#39;`,
    )
  })

  it('has landmarks, headings in order, names of drawings and tables', async () => {
    const elements = elementsOf(await made)
    const named = (name: string): Element[] => elements.filter(one => one.name === name)
    for (const landmark of ['header', 'nav', 'main', 'footer', 'h1', 'title']) {
      const count = landmark === 'title' ? 1 : named(landmark).length // drawings have titles too
      expect(count, landmark).toBe(1)
    }
    const levels = elements.flatMap(({ name }) => (/^h\d$/.test(name) ? [Number(name[1])] : []))
    levels.forEach((level, at) => expect(level).toBeLessThanOrEqual((levels[at - 1] ?? 0) + 1))
    expect(named('caption')).toHaveLength(named('table').length)
    expect(named('th').every(({ attributes }) => attributes.has('scope'))).toBe(true)
    for (const { attributes } of named('svg'))
      expect(attributes.get('aria-hidden') ?? attributes.get('aria-label')).toBeTruthy()
    const ids = elements.flatMap(({ attributes }) => attributes.get('id') ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    const links = elements.flatMap(({ name, attributes }) => (name === 'a' ? [attributes.get('href')!.slice(1)] : []))
    expect(links).toEqual(ids)
  })
})

describe('texts', () => {
  it('are escaped in a template, markup is not', () => {
    const inner = html`<b>${'<i>"\'&'}</b>`
    expect(html`<p title="${'"><script>'}">${inner}${[1, inner]}${false}${undefined}</p>`.markup).toBe(
      `<p title="&quot;&gt;&lt;script&gt;"><b>&lt;i&gt;&quot;&#39;&amp;</b>1<b>&lt;i&gt;&quot;&#39;&amp;</b></p>`,
    )
  })

  it('show their controls, and keep lines, tabs and whole characters', () => {
    expect(visible('a\u0000b\u001b\u202ec\u2069\ud83d')).toBe('a[U+0000]b[U+001B][U+202E]c[U+2069][U+D83D]')
    expect(visible('two\r\nlines\tא 日本 👩‍👧')).toBe('two\nlines\tא 日本 👩‍👧')
  })

  it('are cut between characters', () => {
    expect([3, 4, 5, 6].map(most => shortened('abc👧d', most))).toEqual(['abc…', 'abc…', 'abc👧…', 'abc👧d'])
    expect(beginningOf('ab\ud83d', 3)).toBe('ab\ud83d') // half a character is not made whole
  })

  it('are cut at so many characters, and the page says how many there were', async () => {
    const page = pageOf(await cases.find(({ name }) => name === 'hostile')!.make())
    expect(hostileTexts.some(text => text.length === 1_000_000)).toBe(true)
    expect(page.length).toBeLessThan(250_000)
    expect(page).toContain('all 1,000,000 characters')
    expect(page).toContain(`and ${(1_000_000 - longestText).toLocaleString('en-US')} characters more`)
    expect(page).toContain('[U+0000]')
  })
})

describe('colours', () => {
  /** Contrast by WCAG 2.2. */
  function contrast(one: Colour, other: Colour): number {
    const luminance = (colour: Colour): number => {
      const [red, green, blue] = colour.map(value => {
        const share = value / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      }) as [number, number, number]
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    const [high, low] = [luminance(one), luminance(other)].toSorted((a, b) => b - a) as [number, number]
    return (high + 0.05) / (low + 0.05)
  }

  it.each(Object.entries({ light, dark }) as [string, Palette][])('of %s can be read', (_, palette) => {
    const { ground, panel, text, muted, link, good, bad, looks, right, wrong } = palette
    for (const colour of [text, muted, link, good, bad]) expect(contrast(colour, ground)).toBeGreaterThanOrEqual(4.5)
    for (const behind of [panel, ...shadesOf(palette, right), ...shadesOf(palette, wrong)])
      expect(contrast(text, behind)).toBeGreaterThanOrEqual(4.5)
    for (const colour of looks) expect(contrast(colour, ground)).toBeGreaterThanOrEqual(3)
    expect(contrast(muted, panel)).toBeGreaterThanOrEqual(4.5)
  })
})

describe('predicted and true numbers', () => {
  const drawn = (count: number, valueOf: (at: number) => number): string => {
    const values = Array.from({ length: count }, (_, at) => valueOf(at))
    return scatterChart(values, values).markup
  }

  it('are dots, and of many rows squares', () => {
    expect(drawn(400, at => at).match(/<circle/g)).toHaveLength(400)
    expect(drawn(401, at => at - 400).match(/<rect/g)).toHaveLength(40)
    expect(drawn(401, at => at - 400)).toContain('predicted -10 to 0')
  })

  it('are one dot where all are the same', () => {
    const markup = drawn(1000, () => 3)
    expect(markup.match(/<circle/g)).toHaveLength(1)
    expect(markup).not.toMatch(/NaN|darker/)
  })
})

describe('ticks', () => {
  it('are round, equally far apart, and around what they are of', () => {
    for (const [low, high] of [
      [0, 1],
      [0.61, 0.83],
      [-3.2, 17],
      [1, 230],
      [0, 3e-5],
      [5, 5],
      [0, 0],
      [-2, -2],
      [1e9, 3e9],
    ] as const) {
      const ticks = ticksOver(low, high, 5)
      const step = ticks[1]! - ticks[0]!
      expect(ticks.length).toBeGreaterThan(1)
      expect(ticks.length).toBeLessThanOrEqual(9)
      expect(ticks[0]).toBeLessThanOrEqual(low)
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(high)
      expect([1, 2, 5]).toContain(Number(step.toExponential(3).split('e')[0]))
      ticks.forEach((tick, at) => expect(tick - ticks[0]!).toBeCloseTo(at * step, 10))
    }
    expect(ticksOver(0.61, 0.83, 5)).toEqual([0.6, 0.65, 0.7, 0.75, 0.8, 0.85])
  })

  it('are written without what rounding leaves', () => {
    expect([0, 0.1, 0.30000000000000004].map(tick => tickText(tick, 0.1))).toEqual(['0', '0.1', '0.3'])
    expect([tickText(20_000, 5000), tickText(2e-5, 1e-5), tickText(3e6, 1e6)]).toEqual(['20,000', '2e-5', '3e6'])
  })
})

it('the largest of many are those that a sort finds, the earlier first', () => {
  const scores = Array.from({ length: 500 }, (_, at) => (at * 7919) % 101)
  const largest = new Largest<number>(12)
  scores.forEach((score, at) => largest.add(score, () => at))
  const sorted = scores.map((_, at) => at).toSorted((a, b) => scores[b]! - scores[a]! || a - b)
  expect(largest.items).toEqual(sorted.slice(0, 12))
  const none = new Largest<number>(0)
  none.add(1, () => 1)
  expect(none.items).toEqual([])
})
