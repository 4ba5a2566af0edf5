import type { Attributes, OpName } from '../../../src/onnx/operators'
import { type Nested, Tensor } from '../../../src/tensor'
import type { ExpectOptions } from '../../helpers/expectGradients'
import type { Build, Input, InputOptions } from '../../helpers/writeGradients'

/** What proves a rule: a graph with the operator in it. */
export interface Case extends ExpectOptions {
  readonly title: string
  readonly build: Build
  readonly inputs: readonly Input[]
  /** Why float32 on ONNX Runtime cannot be held to the usual bound. */
  readonly notOnRuntime?: string
}

/** The cases of some operators. */
export type Cases = { readonly [Op in OpName]?: readonly Case[] }

/** An input for operators that need positive numbers. */
export const positive = (...shape: (number | string)[]): Input => ({ shape, from: 0.3, to: 2 })

/** An input that no gradient may reach. */
export const constant = (...shape: (number | string)[]): InputOptions => ({ shape, none: true })

export const integers = (values: Nested, dtype: 'int32' | 'int64' = 'int32'): InputOptions => ({
  shape: Tensor.from(dtype, values).dims,
  values,
  dtype,
})

export const truths = (values: Nested): Input => ({ shape: Tensor.from('bool', values).dims, values, dtype: 'bool' })

/** What the named lengths are when a case runs: other numbers than any known length beside them. */
export const lengths = { n: 3, m: 5 }

/** One node of an operator. */
export function apply<Op extends OpName>(
  op: Op,
  attributes: Attributes[Op] = {} as Attributes[Op],
  outputs = 1,
): Build {
  return (g, ...x) => g.node(op, x, attributes, outputs)
}

/** Outputs of which only some have a gradient. */
export function only<Op extends OpName>(
  kept: readonly number[],
  op: Op,
  attributes: Attributes[Op],
  outputs: number,
): Build {
  return (g, ...x) => g.node(op, x, attributes, outputs).map((y, i) => (kept.includes(i) ? y : undefined))
}
