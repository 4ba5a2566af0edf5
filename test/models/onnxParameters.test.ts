// which initializers are parameters, and what is said of them
import { expect, it } from 'vitest'
import { parametersOf } from '../../src/models/onnxParameters'
import { Tensor } from '../../src/tensor'
import { logMessages } from '../helpers/logMessages'
import { type ForeignNode, modelOf } from '../lowering/foreign'

const messages = logMessages()

const node = (op: string, inputs: readonly string[], output: string): ForeignNode => ({
  op,
  inputs,
  outputs: [output],
  attributes: {},
})

/** Two layers whose bias is one initializer. */
function warnedOf(bias: readonly number[]): string {
  const matrix = Tensor.from('float32', [
    [1, 2],
    [3, 4],
  ])
  const weights = new Map([
    ['w', matrix],
    ['v', Tensor.from('float32', [[5, 6], [7, 8]])], // prettier-ignore
    ['b', Tensor.from('float32', bias)],
  ])
  const nodes = [
    node('MatMul', ['x', 'w'], 'p'),
    node('Add', ['p', 'b'], 'q'),
    node('MatMul', ['q', 'v'], 'r'),
    node('Add', ['r', 'b'], 'y'),
  ]
  const names = parametersOf(modelOf(nodes, weights, 18), 'y', { name: 'two.onnx' }).map(({ name }) => name)
  expect(names).toEqual(['w', 'v', 'b'])
  return messages.join('\n')
}

it('warns of biases that an exporter may have made one because they were equal', () => {
  expect(warnedOf([0, 0])).toMatch(
    /"b" of two\.onnx hold one number everywhere, and several nodes read them: .*optimize=False/,
  )
})

it('says nothing of a weight that is shared', () => {
  expect(warnedOf([0, 1])).toBe('')
})
