import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const index = pathToFileURL(join(import.meta.dirname, '../../src/index.ts')).href

/** Counts the scripts that a process loads from a package; its debugger hears of all of them. */
const script = `
  import { Session } from 'node:inspector'
  const loaded = new Set()
  const session = new Session()
  session.connect()
  session.on('Debugger.scriptParsed', ({ params }) => loaded.add(params.url))
  session.post('Debugger.enable')
  const count = name => [...loaded].filter(url => url.includes('/node_modules/' + name + '/')).length
  const { loadMetric, summarize } = await import(${JSON.stringify(index)})
  const imported = { mathjs: count('mathjs'), tokenizers: count('@huggingface/tokenizers') }
  loadMetric('glue', 'stsb').compute({ predictions: [1, 2.5, 2], references: [3, 5, 4] })
  const computed = count('mathjs')
  const { mean } = await summarize([1, 2])
  console.log(JSON.stringify({ imported, computed, mean, summarized: count('mathjs') }))
`

it('mathjs is loaded by the first summary, neither by the package nor by a metric', async () => {
  const command = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, command, { timeout: 50_000 })
  const { imported, computed, mean, summarized } = JSON.parse(stdout) as {
    imported: { mathjs: number; tokenizers: number }
    computed: number
    mean: number
    summarized: number
  }
  // The count sees what the package does load.
  expect(imported.tokenizers).toBeGreaterThan(0)
  expect([imported.mathjs, computed]).toEqual([0, 0])
  expect(mean).toBe(1.5)
  expect(summarized).toBeGreaterThan(0)
})
