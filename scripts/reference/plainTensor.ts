import { createData, type DataType, Tensor } from '../../src/tensor'

/** A tensor as the oracle's files have it. */
export interface Plain {
  readonly shape: number[]
  readonly dtype: DataType
  readonly data: number[]
}

/** A tensor as JSON has it; numbers that JSON has not are texts. */
export interface Written {
  readonly shape: readonly number[]
  readonly dtype: DataType
  readonly data: readonly (number | string)[]
}

/** The tensor, in its own type unless another is given. */
export function tensorOf({ shape, dtype, data }: Written, type = dtype): Tensor {
  const values = createData(type, data.length)
  const isBig = values instanceof BigInt64Array || values instanceof BigUint64Array
  data.forEach((value, i) => (values[i] = (isBig ? BigInt(value) : Number(value)) as never))
  return new Tensor(type, values as never, shape)
}

export function plainOf({ dims, dtype, data }: Tensor): Plain {
  return { shape: [...dims], dtype, data: Array.from(data as ArrayLike<number>, Number) }
}
