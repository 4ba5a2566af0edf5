// random uses of convolutions, pooling, resizing and normalization, against what PyTorch computes:
// scripts/fixtures/windows.py
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { expectNear } from '../helpers/expectNear'
import { type OneNode, runNode } from './oneNode'

const cases = ['windows.json', 'ties.json'].flatMap(file => {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/onnx', file), 'utf8')) as OneNode[]
})

/** Sizes are those of all axes, rows included. */
function saysSizes({ op, inputs }: OneNode): boolean {
  return op === 'Resize' && inputs[3] !== undefined
}

describe('rules of operators with windows', () => {
  it.each(cases.map((node, i) => [`${i} ${node.op}-${node.opset} ${JSON.stringify(node.attributes)}`, node] as const))(
    '%s',
    async (_, node) => {
      const trained = node.inputs.flatMap((input, i) => (input?.dtype === 'float32' ? [i] : []))
      const found = await runNode(node, (input, axis, length) =>
        input === 0 && !saysSizes(node) && axis === 0 ? 'rows' : length,
      )
      node.outputs.forEach((output, i) => {
        expect(found.outputs[i]!.dims, `output ${i}`).toEqual(output.shape)
        expectNear(found.outputs[i]!.data, output.data, `output ${i}`)
      })
      node.gradients.forEach((gradient, k) => {
        const i = trained[k]!
        expectNear(found.gradients[i]!.data, gradient, `gradient of input ${i}`)
      })
    },
  )
})
