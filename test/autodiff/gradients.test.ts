import { describe, expect, it } from 'vitest'
import { gradients } from '../../src/autodiff/gradients'
import type { OpName } from '../../src/onnx/operators'
import { type Nested, Tensor } from '../../src/tensor'
import { expectGradients } from '../helpers/expectGradients'
import { evaluate } from '../helpers/referenceEngine'
import { type Build, writeGradients } from '../helpers/writeGradients'
import { cases } from './cases'
import { portableBreach } from './portable'

describe('the table of gradients', () => {
  for (const op of Object.keys(gradients) as OpName[]) {
    describe(`${op}`, () => {
      it('has a case', () => expect(cases[op].length).toBeGreaterThan(0))
      for (const { title, build, inputs, ...options } of cases[op]) {
        it(`${title}`, () => {
          for (const { graph } of expectGradients(build, inputs, options)) {
            expect(graph.nodes.filter(node => node.name.startsWith('backward/')).flatMap(portableBreach)).toEqual([])
          }
        })
      }
    })
  }
})

describe('where there is no derivative, or more than one', () => {
  const gradientAt = (write: Build, ...inputs: Nested[]): Nested[] => {
    const { graph, feeds } = writeGradients(
      write,
      inputs.map(values => ({ shape: Tensor.from('float64', values).dims, values })),
      'scalar',
    )
    const found = evaluate(graph, { ...feeds, w0: Tensor.from('float64', 1) })
    return inputs.map((_, i) => found[`x${i}_grad`]!.tolist())
  }

  it('|x| and max(x, 0) have the gradient 0 at 0', () => {
    expect(gradientAt((g, x) => g.abs(x!), [0, -2, 3])).toEqual([[0, -1, 1]])
    expect(gradientAt((g, x) => g.relu(x!), [0, -2, 3])).toEqual([[0, 0, 1]])
  })

  it('equal operands of a minimum or a maximum share the gradient', () => {
    expect(gradientAt((g, a, b) => g.max(a!, b!), [1, 2, 3], [1, 1, 4])).toEqual([
      [0.5, 1, 0],
      [0.5, 0, 1],
    ])
    expect(gradientAt((g, a, b) => g.min(a!, b!), [1, 2, 3], [1, 1, 4])).toEqual([
      [0.5, 0, 1],
      [0.5, 1, 0],
    ])
  })

  it('equal largest elements share the gradient', () => {
    expect(
      gradientAt(
        (g, x) => g.reduceMax(x!, [1]),
        [
          [2, 1, 2, 2],
          [0, 0, 0, 1],
        ],
      ),
    ).toEqual([
      [
        [1 / 3, 0, 1 / 3, 1 / 3],
        [0, 0, 0, 1],
      ],
    ])
  })

  it('a base of 0 and an exponent of 0 give 0, not NaN', () => {
    expect(gradientAt((g, a, b) => g.pow(a!, b!), [0, 0, 2], [2, 0, 1])).toEqual([
      [0, 0, 1],
      [0, 0, 2 * Math.log(2)],
    ])
  })
})
