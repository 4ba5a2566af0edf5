import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { operatorsDocument } from '../../scripts/operatorsTable'
import { elementwise } from '../../src/lowering/elementwise'
import { movement } from '../../src/lowering/movement'
import { products } from '../../src/lowering/products'
import { reductions } from '../../src/lowering/reductions'

const page = operatorsDocument()

it('docs/operators.md is what the table of lowerings gives', () => {
  expect(readFileSync(join(import.meta.dirname, '../../docs/operators.md'), 'utf8')).toBe(page)
})

it.each(Object.keys({ ...elementwise, ...movement, ...products, ...reductions }))(
  '%s is held against PyTorch',
  name => {
    const [row] = page.split('\n').filter(line => line.startsWith(`| \`${name}\` |`))
    expect(row).toMatch(/\| [^|]*(?:operators|windows)\.json[^|]* \|$/)
  },
)
