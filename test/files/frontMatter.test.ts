import { expect, it } from 'vitest'
import { frontMatterOf, splitFrontMatter } from '../../src/files/frontMatter'

it.each<[string, string | undefined]>([
  ['---\na: 1\n---\nText', 'a: 1\n'],
  ['---\r\na: 1\r\n---\r\n', 'a: 1\r\n'],
  ['---\na: 1\n---', 'a: 1\n'],
  ['\n\n  ---\na: 1\n---  \n', 'a: 1\n'],
  ['\uFEFF---\na: 1\n---\n', 'a: 1\n'],
  ['---\n---\n', ''],
  ['---\na: |\n  ---\n----\n---\n', 'a: |\n  ---\n----\n'],
  ['---\na: x---\n---\nText\n---\n', 'a: x---\n'],
  ['# Title\n\n---\na: 1\n---\n', undefined],
  ['Text\n---\na: 1\n---', undefined],
  ['---\na: 1\n', undefined],
  ['---- a\n---\n', undefined],
  ['', undefined],
])('the YAML at the beginning of %j is %j', (text, yaml) => {
  expect(frontMatterOf(text)).toBe(yaml)
  const parts = splitFrontMatter(text)
  if (parts !== undefined) expect(parts.opening + parts.yaml + parts.rest).toBe(text)
})
