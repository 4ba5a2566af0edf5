// docs/gradients.md shows how Erf was added: its lines are those of the code, and its table has every file
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cases } from '../autodiff/cases'
import { checkGradients } from '../helpers/checkGradients'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const document = read('docs/gradients.md')

describe('docs/gradients.md', () => {
  it('has the lines of Erf as they stand in the code', () => {
    const examples = [...document.matchAll(/```ts\n([^`]*)```/g)].flatMap(([, code]) => code!.trim().split('\n'))
    const code = [read('src/autodiff/gradients.ts'), read('test/autodiff/cases/elementwise.ts')].join('\n')
    expect(examples.filter(line => !line.startsWith('//'))).toHaveLength(2)
    for (const line of examples) expect(code).toContain(line)
    expect(read('src/onnx/operators.ts')).toContain('Erf: unary')
    expect(read('test/helpers/referenceKernels.ts')).toContain('Erf: unary(erf)')
  })

  it('has a proof of Erf that holds', () => {
    expect(cases.Erf).toHaveLength(4)
    for (const { build, inputs, ...options } of cases.Erf) checkGradients(build, inputs, options)
  })

  it('names every file of src/autodiff', () => {
    const named = [...document.matchAll(/`(\w+\.ts)`/g)].map(([, name]) => name)
    for (const file of readdirSync(join(root, 'src/autodiff'))) expect(named).toContain(file)
  })
})
