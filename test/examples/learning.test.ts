import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cases } from '../../scripts/examples/cases'
import { runExample } from '../../scripts/examples/run'
import { temporaryFolder } from '../helpers/temporaryFolder'

const examples = join(import.meta.dirname, '../../examples')
const scripts = readdirSync(examples, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts') && !['flags.ts', 'quickstart.ts', join('glue', 'run.ts')].includes(file))
  .map(file => file.slice(0, -'.ts'.length).replaceAll('\\', '/'))

describe('npm run examples', () => {
  it('has every example', () => {
    expect(cases.map(({ script }) => script).toSorted()).toEqual(scripts.toSorted())
  })

  it.each(scripts)('%s says at its head, in five lines at most, what it does and how it is run', script => {
    const head = /^(\/\/.*\n)+/.exec(readFileSync(join(examples, `${script}.ts`), 'utf8'))![0]
    expect(head.trimEnd().split('\n').length).toBeLessThanOrEqual(5)
    expect(head).toContain(`//   npx tsx examples/${script}.ts --model `)
  })

  it.each(['smsa', 'ner', 'maskedLanguageModel'])('%s learns sixteen rows by heart', async script => {
    const { passed, text } = await runExample(
      cases.find(example => example.script === script)!,
      temporaryFolder(),
    )
    expect(passed, text).toBe(true)
  })
})
