// the rows of docs/gradients.md are those of the tables, which test/autodiff and test/onnx run case by case; its calls
// are run here
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { differentiate } from '../../src/autodiff/backward'
import { gradients } from '../../src/autodiff/gradients'
import { withGradients } from '../../src/autodiff/withGradients'
import { GraphBuilder } from '../../src/onnx/builder'

const read = (path: string): string => readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
const page = read('docs/gradients.md')

/** Every block of code, with the file that is named last before it. */
const rows = [...page.matchAll(/^```ts\n([^]*?)^```/gm)].map(({ 1: code, index }) => {
  const named = [...page.slice(0, index).matchAll(/`((?:src|test)\/[\w/]+\.ts)`/g)]
  return { code: code!, file: named.at(-1)![1]! }
})

describe('docs/gradients.md', () => {
  it('has a row for each table that a new operator needs', () => {
    expect(rows.map(({ file }) => file)).toEqual([
      'src/onnx/operators.ts',
      'src/onnx/operators.ts',
      'src/onnx/infer.ts',
      'src/autodiff/gradients.ts',
      'test/helpers/referenceKernels/elementwise.ts',
      'test/onnx/operatorCases/elementwise.ts',
      'test/autodiff/cases/elementwise.ts',
    ])
  })

  it.each(rows)('has a row of $file word for word', ({ code, file }) => {
    expect(code).toMatch(/^ {2}Erf: /m)
    expect(read(file)).toContain(`\n${code}`)
  })

  it('says that no operator is opaque', () => {
    expect(page).toContain('No operator is opaque today.')
    expect(Object.values(gradients)).not.toContain('opaque')
  })

  it('has a call that gives a finished graph an output weight_grad', () => {
    const builder = new GraphBuilder('model')
    const weight = builder.input('weight', 'float32', [3])
    const graph = builder.build({ loss: builder.sum(builder.mul(weight, weight)) })
    expect(page).toContain("`withGradients(graph, { loss: 'loss', wrt: ['weight'] })` has an output `weight_grad`")
    const { outputs } = withGradients(graph, { loss: 'loss', wrt: ['weight'] })
    expect(outputs).toContainEqual({ name: 'weight_grad', dtype: 'float32', shape: [3] })
  })

  it('has a call that gives the gradient of a table as rows', () => {
    const graph = new GraphBuilder('embeddings')
    const table = graph.input('embeddings.weight', 'float32', [100, 4])
    const loss = graph.sum(graph.gather(table, graph.input('ids', 'int64', ['n'])))
    const wrt = [table]
    expect(page).toContain("`differentiate(graph, loss, wrt, { rows: new Set(['embeddings.weight']) })`")
    const { dense, rows } = differentiate(graph, loss, wrt, { rows: new Set(['embeddings.weight']) })
    expect(dense.size).toBe(0)
    const pairs = rows.get('embeddings.weight')!
    expect(pairs.map(({ index, values }) => [index.shape, values.shape])).toEqual([[['n'], ['n', 4]]])
  })

  it('names every file of src/autodiff', () => {
    const named = [...page.matchAll(/`(\w+\.ts)`/g)].map(([, name]) => name)
    for (const file of readdirSync(join(import.meta.dirname, '../../src/autodiff'))) expect(named).toContain(file)
  })
})
