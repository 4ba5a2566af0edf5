import { expect, it } from 'vitest'
import { circles, runtimeImportsOf } from './imports'

it('tells what is imported for types alone from what runs', () => {
  const file = [
    "import type { A } from './a'",
    "import { type B } from './b'",
    "import { type C, c } from './c'",
    "export type { D } from './d'",
    "export { e } from './e'",
    "import './f'",
  ].join('\n')
  expect(runtimeImportsOf(file)).toEqual(['./c', './e', './f'])
})

it('finds circles', () => {
  const sources = new Map([
    ['a.ts', "import type { B } from './b'"],
    ['b.ts', "import { c } from './c'"],
    ['c.ts', "import type { A } from './a'\nimport { d } from './d'"],
    ['d.ts', ''],
  ])
  expect(circles(sources)).toEqual(['a.ts → b.ts → c.ts → a.ts'])
})
