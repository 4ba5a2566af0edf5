import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

/** Every block of TypeScript in a document stands in a test's file, which runs it. */
export function expectInDocument(document: string, test: string): void {
  const page = readFileSync(join(import.meta.dirname, '../../docs', document), 'utf8')
  const source = readFileSync(fileURLToPath(test), 'utf8')
  const blocks = [...page.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, code]) => code!)
  expect(blocks.length).toBeGreaterThan(0)
  for (const block of blocks) expect(source).toContain(block)
}
