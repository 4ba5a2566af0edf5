import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/onnx/builder'
import { check } from '../../src/onnx/check'
import type { Dimension, Value } from '../../src/onnx/types'
import { MersenneTwister } from '../../src/random'
import { expectGradients } from '../helpers/expectGradients'
import type { Build } from '../helpers/writeGradients'
import { cases } from './cases'

/** Shapes that broadcast to one, of names that stand for that length or for 1 when the graph runs, and of numbers. */
interface Drawn {
  readonly shapes: readonly (readonly Dimension[])[]
  readonly lengths: Readonly<Record<string, number>>
}

function drawShapes(count: number, seed: number): Drawn {
  const random = new MersenneTwister(seed)
  const below = (n: number): number => random.next32() % n
  const whole = Array.from({ length: 1 + below(3) }, () => 2 + below(2))
  const lengths: Record<string, number> = {}
  const shapes = Array.from({ length: count }, (_, operand) => {
    const rank = operand === 0 ? whole.length : below(whole.length + 1)
    return whole.slice(whole.length - rank).map((length, axis): Dimension => {
      const actual = below(3) === 0 ? 1 : length
      if (below(3) === 0) return actual
      const name = `d${operand}_${axis}`
      lengths[name] = actual
      return name
    })
  })
  return { shapes, lengths }
}

const expressions: readonly (readonly [string, number, Build])[] = [
  ['a sum', 2, (g, a, b) => g.add(a!, b!)],
  ['a product of three', 3, (g, a, b, c) => g.mul(g.mul(a!, b!), c!)],
  ['a quotient and a difference', 3, (g, a, b, c) => g.sub(g.div(a!, g.exp(b!)), c!)],
  ['a choice', 3, (g, a, b, c) => g.where(g.greater(a!, 0), g.mul(b!, a!), g.tanh(c!))],
  ['the larger', 2, (g, a, b) => g.max(g.mul(a!, 3), b!)],
  ['a sum that is read twice', 3, (g, a, b, c) => g.mul(g.add(a!, b!), g.tanh(g.add(g.add(a!, b!), c!)))],
  ['one operand on both sides', 2, (g, a, b) => g.mul(g.add(a!, b!), a!)],
  ['a softmax of a sum', 2, (g, a, b) => g.softmax(g.add(a!, b!), 0)],
]

// a squeeze that names no axes is refused: see below
const refused = 'Squeeze, all axes of length 1'
const operators = Object.entries(cases)
  .flatMap(([op, list]) =>
    list.filter(({ lengths }) => lengths !== undefined).map(one => [`${op}, ${one.title}`, one] as const),
  )
  .filter(([title]) => title !== refused)

describe('where a named length may be 1 when the graph runs', () => {
  it.each(operators)('the gradients of %s are right', (_, { build, inputs, ...options }) => {
    expectGradients(build, inputs, { ...options, openLengths: true })
  })

  it.each(expressions)('the gradients of %s are right', (_, operands, build) => {
    for (let seed = 0; seed < 40; seed++) {
      const { shapes, lengths } = drawShapes(operands, seed)
      const checked = expectGradients(build, shapes, { lengths, openLengths: true, seed })
      for (const { graph } of checked) check(graph)
    }
  })

  it('the gradients of products over leading axes and of Expand are right', () => {
    for (const n of [1, 2, 3]) {
      for (const m of [1, 3]) {
        if (n === 2 && m === 3) continue // these cannot be broadcast together
        expectGradients(
          (g, a, b) => g.matMul(a!, b!),
          [
            ['n', 2, 4],
            ['m', 4, 3],
          ],
          { lengths: { n, m }, openLengths: true },
        )
        const stretch: Build = (g, a, b) => g.mul(g.node('Expand', [a!, g.shape(b!)], {})[0]!, b!)
        if (n === m || n === 1)
          expectGradients(
            stretch,
            [
              ['n', 2],
              ['m', 2],
            ],
            { lengths: { n, m }, openLengths: true },
          )
      }
    }
  })

  it('the length of a result is that of neither operand, and a squeeze must name its axes', () => {
    const g = new GraphBuilder('open', true)
    const a = g.input('a', 'float32', ['n', 2])
    const sum: Value = g.add(a, g.input('b', 'float32', ['m', 2]))
    expect(sum.shape[0]).toMatch(/^unknown_/)
    expect(g.add(a, a).shape).toEqual(['n', 2])
    expect(g.add(a, g.input('c', 'float32', [5, 2])).shape).toEqual([5, 2])
    expect(() => g.node('Squeeze', [a], {})).toThrow(
      'it names no axes, and it is not known whether the length "n" is 1.',
    )
  })
})
