/**
 * Every example at work: a tiny model with random weights learns sixteen rows by heart. A line for each; ends with status
 * 1 where one does not learn them.
 *
 * Run: npm run examples                      all of them
 *      npm run examples -- glue/cola smsa    some
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cases, type ExampleCase } from './examples/cases'
import { runExample } from './examples/run'

const named = process.argv.slice(2)
const unknown = named.filter(name => cases.every(({ script }) => script !== name))
if (unknown.length > 0) {
  console.error(`There is no example ${unknown.join(', ')}; there are ${cases.map(({ script }) => script).join(', ')}.`)
  process.exit(1)
}
for (const example of cases) if (named.length === 0 || named.includes(example.script)) await report(example)

async function report(example: ExampleCase): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ts-trainer-example-'))
  const start = performance.now()
  try {
    const { passed, text } = await runExample(example, folder)
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    console.log(`${passed ? '✓' : '✗'} ${example.script.padEnd(20)} ${text.padEnd(32)} ${seconds.padStart(5)} s`)
    if (!passed) process.exitCode = 1
  } catch (error) {
    console.log(`✗ ${example.script.padEnd(20)} ${(error as { stderr?: string }).stderr ?? String(error)}`)
    process.exitCode = 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
