// what cases are made of
import type { Attributes, OpName } from '../../../src/onnx/operators'
import { type Nested, Tensor } from '../../../src/tensor'
import type { Build, CheckOptions, Input, InputOptions } from '../../helpers/checkGradients'

export interface Case extends CheckOptions {
  readonly title: string
  readonly build: Build
  readonly inputs: readonly Input[]
  /** Why float32 on ONNX Runtime cannot be held to the usual bound. */
  readonly notOnRuntime?: string
}

export const positive = (...shape: (number | string)[]): Input => ({ shape, from: 0.3, to: 2 })
export const constant = (...shape: (number | string)[]): InputOptions => ({ shape, none: true })
export const integers = (values: Nested, dtype: 'int32' | 'int64' = 'int32'): InputOptions => ({
  shape: Tensor.from(dtype, values).dims,
  values,
  dtype,
})
export const truths = (values: Nested): Input => ({ shape: Tensor.from('bool', values).dims, values, dtype: 'bool' })
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

export const one = (
  op: OpName,
  input: (...shape: (number | string)[]) => Input = (...shape) => shape,
): readonly Case[] => [
  { title: 'known lengths', build: apply(op), inputs: [input(2, 3)] },
  { title: 'a named length', build: apply(op), inputs: [input('n', 4)], lengths },
  { title: 'a scalar', build: apply(op), inputs: [input()] },
]

export const two = (
  op: OpName,
  a: (...shape: (number | string)[]) => Input = (...shape) => shape,
  b = a,
): readonly Case[] => [
  { title: 'equal shapes', build: apply(op), inputs: [a(2, 3), b(2, 3)] },
  { title: 'the second stretched in front', build: apply(op), inputs: [a('n', 2, 3), b(3)], lengths },
  { title: 'the first stretched within', build: apply(op), inputs: [a(2, 1, 3), b(2, 4, 3)] },
  { title: 'both stretched', build: apply(op), inputs: [a('n', 1, 2), b(3, 1)], lengths },
  { title: 'front and within, one of them named', build: apply(op), inputs: [a(1, 1, 'm'), b('n', 2, 4, 1)], lengths },
  { title: 'a scalar', build: apply(op), inputs: [a(), b('n', 2)], lengths },
  { title: 'axes of length 1', build: apply(op), inputs: [a(1, 3), b(2, 1, 1)] },
]
