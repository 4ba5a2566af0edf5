import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { argumentsDocument } from '../../scripts/argumentsTable'

describe('docs/arguments.md', () => {
  it('is what the table gives', () => {
    expect(readFileSync(join(import.meta.dirname, '../../docs/arguments.md'), 'utf8')).toBe(argumentsDocument())
  })
})
