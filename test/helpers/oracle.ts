// the values that PyTorch computed for tiny models: test/fixtures/models, made by scripts/fixtures/models.py
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Plain, tensorOf as typedTensorOf } from '../../scripts/reference/plainTensor'
import type { Batch, Tensor } from '../../src/tensor'

export const fixtures = join(import.meta.dirname, '../fixtures/models')

/** What the oracle computed. */
export interface OracleCase {
  readonly inputs: Record<string, Plain>
  readonly loss: number
  readonly outputs: { readonly logits: Plain }
  readonly gradients: Record<string, { norm: number; first: number[] } | null>
}

export function readJson<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(fixtures, ...path), 'utf8')) as T
}

/** The tensor as models take it: ids are int32. */
export function tensorOf(plain: Plain): Tensor {
  return typedTensorOf(plain, plain.dtype === 'int64' ? 'int32' : 'float32')
}

export function batchOf(inputs: Record<string, Plain>): Batch {
  return Object.fromEntries(Object.entries(inputs).map(([name, plain]) => [name, tensorOf(plain)]))
}
