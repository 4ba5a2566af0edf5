// the values that PyTorch computed for tiny models: test/fixtures/models, made by scripts/fixtures/models.py
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Batch, createData, type DataType, Tensor } from '../../src/tensor'

export const fixtures = join(import.meta.dirname, '../fixtures/models')

/** A tensor as the oracle writes it. */
export interface Plain {
  readonly shape: number[]
  readonly dtype: string
  readonly data: number[]
}

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

export function tensorOf({ shape, dtype, data }: Plain): Tensor {
  const type: DataType = dtype === 'int64' ? 'int32' : 'float32'
  const values = createData(type, data.length)
  data.forEach((value, i) => (values[i] = value))
  return new Tensor(type, values, shape)
}

export function batchOf(inputs: Record<string, Plain>): Batch {
  return Object.fromEntries(Object.entries(inputs).map(([name, plain]) => [name, tensorOf(plain)]))
}
