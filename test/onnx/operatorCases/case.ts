import { GraphBuilder } from '../../../src/onnx/builder'
import type { Attributes, OpName } from '../../../src/onnx/operators'
import type { Dimension, Graph, Value } from '../../../src/onnx/types'
import { MersenneTwister } from '../../../src/random'
import { type DataType, type Nested, sizeOf, Tensor } from '../../../src/tensor'

/** An input of a case: random unless numbers are given, and fed unless it is a constant of the graph. */
export interface Given {
  readonly dtype: DataType
  readonly shape: readonly Dimension[]
  readonly numbers?: Nested
  readonly constant?: boolean
}

/** One use of an operator, with the types that its outputs must have; '?' stands for a length that cannot be known. */
export interface Case<A = Attributes[OpName]> {
  readonly inputs: readonly (Given | undefined)[]
  readonly attributes: A
  readonly expected: readonly string[]
}

/** The cases of some operators. */
export type Cases = { readonly [Op in OpName]?: readonly Case<Attributes[Op]>[] }

/** What the named lengths are when a case runs. */
const lengths: Readonly<Record<string, number>> = { n: 2, m: 4 }

export const floats = (...shape: Dimension[]): Given => ({ dtype: 'float32', shape })
export const bools = (numbers: Nested, ...shape: Dimension[]): Given => ({ dtype: 'bool', shape, numbers })
export const ids = (dtype: 'int32' | 'int64', numbers: Nested, ...shape: Dimension[]): Given => ({
  dtype,
  shape,
  numbers,
})
export const axes = (...numbers: number[]): Given => ({
  dtype: 'int64',
  shape: [numbers.length],
  numbers,
  constant: true,
})
export const scalar = (numbers: number): Given => ({ dtype: 'float32', shape: [], numbers, constant: true })

/** Truth values [n, 2]. */
export const pair = bools(
  [
    [1, 0],
    [1, 1],
  ],
  'n',
  2,
)

export function caseOf<A>(
  inputs: Case['inputs'],
  expected: string | readonly string[],
  attributes: A = {} as A,
): Case<A> {
  return { inputs, attributes, expected: typeof expected === 'string' ? [expected] : expected }
}

/** The graph of one node, its outputs named y0, y1 …, and feeds for it. */
export function graphOf(
  op: OpName,
  { inputs, attributes, expected }: Case,
): { graph: Graph; values: readonly Value[]; feeds: Record<string, Tensor> } {
  const builder = new GraphBuilder(op)
  const random = new MersenneTwister(7)
  const feeds: Record<string, Tensor> = {}
  const made = inputs.map((input, i) => {
    if (input === undefined) return undefined
    const tensor = tensorOf(input, random)
    if (input.constant) return builder.initializer(`x${i}`, tensor)
    feeds[`x${i}`] = tensor
    return builder.input(`x${i}`, input.dtype, input.shape)
  })
  const values = builder.node(op, made, attributes, expected.length)
  return { graph: builder.build(Object.fromEntries(values.map((value, i) => [`y${i}`, value]))), values, feeds }
}

function tensorOf({ dtype, shape, numbers }: Given, random: MersenneTwister): Tensor {
  const dims = shape.map(d => (typeof d === 'number' ? d : lengths[d]!))
  if (numbers !== undefined) return new Tensor(dtype, Tensor.from(dtype, numbers).data, dims)
  return new Tensor(
    'float32',
    Float32Array.from({ length: sizeOf(dims) }, () => Math.fround(random.uniform() * 4 - 2)),
    dims,
  )
}
