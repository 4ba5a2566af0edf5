// every operator that ONNX has has a rule, or is refused by name with the reason
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lower } from '../../src/lowering/lower'
import { listLowerings } from '../../src/lowering/sequences'
import { lowerings } from '../../src/lowering/table'
import { GraphBuilder } from '../../src/onnx/builder'
import { operators } from '../../src/onnx/operators'
import type { Value } from '../../src/onnx/types'
import { Tensor } from '../../src/tensor'
import { type ForeignNode, modelOf, targetIn } from './foreign'

const file = join(import.meta.dirname, '../fixtures/onnx/operatorNames.json')
const { operators: names } = JSON.parse(readFileSync(file, 'utf8')) as { readonly operators: readonly string[] }

/** What nodes make of x, float32 [n, 4]. */
function written(nodes: readonly ForeignNode[], constants: Readonly<Record<string, Tensor>> = {}): Tensor | undefined {
  const graph = new GraphBuilder('case', true)
  const given = new Map<string, Value>([['x', graph.input('x', 'float32', ['n', 4])]])
  const model = modelOf(nodes, new Map(Object.entries(constants)), 20)
  const made = lower(targetIn(graph), { model, file: 'case.onnx', given, wanted: ['y'] })
  return graph.constantOf(made.get('y'))
}

const node = (op: string, inputs: readonly string[], output: string): ForeignNode => ({
  op,
  inputs,
  outputs: [output],
  attributes: {},
})

describe("ONNX's operators", () => {
  it('each have a rule, or a reason why not', () => {
    const known = new Set([...Object.keys(lowerings), ...Object.keys(listLowerings), ...Object.keys(operators), 'If'])
    expect(names.length).toBeGreaterThan(180)
    expect(names.filter(name => !known.has(name))).toEqual([])
  })

  it.each(['NonMaxSuppression', 'RandomNormalLike', 'Loop', 'GridSample', 'STFT', 'StringConcat', 'BitwiseAnd'])(
    'that are not written are refused by name: %s',
    op => {
      expect(() => written([node(op, ['x'], 'y')])).toThrow(
        new RegExp(`^case\\.onnx: The node "node_0" \\(${op}\\): it cannot be trained: .+\\. Export the model`),
      )
    },
  )

  it.each(['NonZero', 'Unique', 'Compress'])('of no known size are refused where values decide: %s', op => {
    expect(() => written([node(op, ['x', 'x'], 'y')])).toThrow(
      `The node "node_0" (${op}): it cannot be trained: how many elements it gives depends on values that are known ` +
        'only when the graph runs ("x"). Export the model with',
    )
  })

  it('of no known size are constants where lengths decide', () => {
    const nodes = [
      node('Shape', ['x'], 'shape'),
      node('Gather', ['shape', 'one'], 'width'),
      node('Equal', ['width', 'widths'], 'is'),
      node('NonZero', ['is'], 'y'),
    ]
    const widths = Tensor.from('int64', [1, 4, 3, 4])
    expect(written(nodes, { one: Tensor.from('int64', 1), widths })).toEqual(Tensor.from('int64', [[1, 3]]))
  })
})
