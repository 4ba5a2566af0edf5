import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { configDocument } from '../../scripts/configTable'

it('docs/config.md is what the table of fields gives', () => {
  expect(readFileSync(join(import.meta.dirname, '../../docs/config.md'), 'utf8')).toBe(configDocument())
})
